"""Any bytes as a sums file, and a sums file of any names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.decency import check_error

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.trust.sums import SumsError, parse_sums
from release_builder.trust.sums_file import sums_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

_MD5, _SHA256 = b"0123456789abcdef" * 2, b"0123456789abcdef" * 4
_DIGEST = Digest("sha256", bytes(32))


def seeds() -> Iterator[bytes]:
    """Every way to write one."""
    yield _MD5 + b"  cd.iso\n" + _SHA256 + b" *./a b.iso\r\n\\" + _MD5 + b"  a\\nb\\\\c\n"
    yield b"# cd.iso: 700 bytes\nSHA256 (cd.iso) = " + _SHA256 + b"\nMD5(x)= " + _MD5 + b"\n"
    yield _MD5 + b"  -\n"
    yield (
        b"words\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1\n\n- " + _MD5 + b"  cd.iso \n"
        b"-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"
    )
    yield b"<html>not found</html>"


def one_input(content: bytes) -> None:
    """What is written again says the same; or a SumsError at a line."""
    try:
        entries = parse_sums(content, "x.iso.md5")
    except SumsError as error:
        check_error(error, content, "x.iso.md5:")
        entries = ()
    lines = content.count(b"\n") + 1
    numbers = [entry.line for entry in entries]
    assert numbers == sorted(numbers)
    assert all(1 <= number <= lines for number in numbers)
    assert all(entry.file for entry in entries)
    _name(content.decode("utf-8", "surrogateescape"))


def _name(name: str) -> None:
    if not name.strip(" \t*-"):  # such mean stdin
        return
    styles: tuple[Literal["gnu", "bsd"], ...] = ("gnu", "bsd")
    for style in styles:
        try:
            text = sums_text([(name, 7, _DIGEST)], style)
        except WrongBytesError as error:
            check_error(error, name.encode("utf-8", "surrogateescape"))
            return
        told = parse_sums(text, "sums")
        assert [entry.file for entry in told if entry.digest] == [name]
        assert [entry.digest for entry in told if entry.digest] == [_DIGEST]
