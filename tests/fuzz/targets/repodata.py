"""Any bytes as metadata of packages, packed in any way."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from typing import TYPE_CHECKING

from fuzz.choices import Choices
from fuzz.decency import check_error

from release_builder.errors import WrongBytesError
from release_builder.media.repodata import read_primary, read_repomd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from release_builder.media.repodata import Listed

_SUM = "ab" * 32
_DATA = (
    f'<data type="primary"><location href="repodata/p.xml.gz"/><size>1</size>'
    f'<checksum type="sha256">{_SUM}</checksum></data>'
)
_PACKAGE = (
    f'<package type="rpm"><name>a</name><checksum type="sha" pkgid="YES">{_SUM[:40]}</checksum>'
    f'<size package="12" installed="1"/><location href="a/b.rpm"/></package>'
)
_ELSEWHERE = _PACKAGE.replace("<location", '<location xml:base="x"')
_PACKERS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("p.xml", bytes),
    ("p.xml.gz", lambda text: gzip.compress(text, mtime=0)),
    ("p.xml.bz2", bz2.compress),
    ("p.xml.xz", lzma.compress),
)
_MOST = 1 << 16


def seeds() -> Iterator[bytes]:
    """A repomd.xml, lists of packages, and what an entity would do; packed in each way."""
    for way in range(len(_PACKERS)):
        start = bytes([way, 0])
        yield (
            start + f'<repomd xmlns="http://linux.duke.edu/metadata/repo">{_DATA}</repomd>'.encode()
        )
        yield start + f'<metadata packages="1">{_ELSEWHERE}{_PACKAGE[:60]}'.encode()
        yield start + f"<metadata>{_PACKAGE}</metadata>".encode()
        yield start + b'<!DOCTYPE r [<!ENTITY a "b">]><metadata>&a;</metadata>'


def one_input(content: bytes) -> None:
    """Paths below the repository with their digests, or a WrongBytesError."""
    choices = Choices(content)
    name, packer = choices.pick(_PACKERS)
    is_damaged, text = choices.flag(), choices.rest()
    packed = packer(text)
    if is_damaged:
        packed = packed[:10] + text[:20] + packed[10 + len(text[:20]) :]
    _check(read_primary(io.BytesIO(packed), name, _MOST), text)
    _check(_repomd(packed), text)


def _repomd(packed: bytes) -> Iterator[Listed]:
    yield from read_repomd(io.BytesIO(packed))


def _check(listed: Iterator[Listed], text: bytes) -> None:
    try:
        for each in listed:
            assert each.path
            assert not each.path.startswith("/")
            assert ".." not in each.path.split("/")
            assert each.size is None or each.size >= 0
    except WrongBytesError as error:
        check_error(error, text)
