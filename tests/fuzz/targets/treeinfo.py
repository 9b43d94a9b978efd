"""Any bytes as what an installer tree says of itself and how it boots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.decency import check_error

from release_builder.errors import WrongBytesError
from release_builder.media.boot_config import find_labels, find_loaded
from release_builder.media.treeinfo import parse_discinfo, parse_treeinfo

if TYPE_CHECKING:
    from collections.abc import Iterator


def seeds() -> Iterator[bytes]:
    """Of Enterprise Linux 5 and 7."""
    yield (
        b"[general]\nfamily = SME\narch = x86_64\nversion = 9.0\n[stage2]\nmainimage = images/x.img\n"
        b"[images-x86_64]\nkernel = images/vmlinuz\ninitrd = images/initrd.img\n"
        b"[checksums]\nimages/vmlinuz = sha256:" + b"ab" * 32 + b"\nimages/x.img = " + b"ab" * 20
    )
    yield b"1381855290.123\nSME Server 9.0\nx86_64\nALL\n"
    yield (
        b"default linux\nlabel linux\n kernel vmlinuz\n append initrd=initrd.img,b.img ks=hd:LABEL=X"
        b" inst.stage2=hd:LABEL=SME\\x209 quiet\nsearch --no-floppy --set=root -l 'SME 9'\n"
    )


def one_input(content: bytes) -> None:
    """Paths below the tree, numbered lines; or a WrongBytesError."""
    try:
        tree = parse_treeinfo(content)
        for path in (*tree.images, *tree.digests):
            assert not path.startswith("/")
            assert ".." not in path.split("/")
    except WrongBytesError as error:
        check_error(error, content)
    try:
        parse_discinfo(content)
    except WrongBytesError as error:
        check_error(error, content, ".discinfo: ")
    lines = len(content.decode("utf-8", "surrogateescape").splitlines())
    for named in (*find_labels(content), *find_loaded(content)):
        assert 1 <= named.line <= lines
