"""What of an RPM decides which rpm can install it: its headers alone are read.

Source: rpm, "RPM Package File Structure" and the list of its tags, formats 4 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.errors import printable
from release_builder.media.image import library
from release_builder.media.rpm_header import BINARY, INT32, STRING, STRINGS, read_headers
from release_builder.media.rpm_signature import kind_of

if TYPE_CHECKING:
    from release_builder.media.rpm_header import Headers, Shape
    from release_builder.media.rpm_signature import SignatureKind

# Keys and names as in media.rpm: over the header, then over header and payload.
_SIGNATURES: Final = {267: "signature", 268: "rsaheader", 1002: "pgp", 1005: "gpg"}
_SIZE: Final = 1000  # of header and payload, in the signature header; 64 bits have another tag
_HEADER: Final = {
    1001: STRING,  # version
    1002: STRING,  # release
    1022: STRING,  # architecture
    1044: STRING,  # source RPM
    1049: STRINGS,  # needs, with the versions
    1050: STRINGS,
    1047: STRINGS,  # what it provides
    1113: STRINGS,
    1054: STRINGS,  # conflicts
    1055: STRINGS,
    1090: STRINGS,  # what it replaces
    1115: STRINGS,
    1125: STRING,  # compressor of the payload
    5011: INT32,  # algorithm of the file digests
}
_NAMES: Final = ("requirename", "provides", "conflictname", "obsoletes")
_VERSIONS: Final = ("requireversion", "provideversion", "conflictversion", "obsoleteversion")
_FORMAT: Final = 5114  # rpm 6 and later write it
_LONG: Final = frozenset({270, 271, 5008, 5009})  # sizes of 64 bits
_LONG_FILES: Final = 5008
_WEAK: Final = frozenset({5046, 5049, 5052, 5055, 5069, 5079})
_OPENPGP: Final = 278  # signatures that rpm 6 alone reads
_OVER_HEADER: Final = frozenset({269, 273, 1004})
_OVER_PAYLOAD: Final = 5092
_MD5_OVER_ALL: Final = 1004
_MD5: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What decides where an RPM can be installed.

    Attributes:
        file: Plain file name.
        arch: ``src`` for source packages.
        evr: Version and release.
        compressor: Of the payload, such as ``gzip``.
        file_digest: Algorithm of the file digests, as OpenPGP numbers them.
        needs: By the name of a need rpmlib(NAME), its version.
        dependencies: Names of all that it needs, provides, replaces or conflicts with.
        versions: What these dependencies ask for.
        signatures: How it was signed, once each.
        only_rpm6: Whether it has signatures that rpm 6 alone reads, and no others.
        format: 4 or 6.
        has_digests: Whether its header and its payload have digests.
        long_sizes: Whether a size has 64 bits.
        large_files: Whether the size of a file has.
        weak: Whether it has weak dependencies or file triggers.
        signature_header: Shape of its signature header.
        header: Shape of its main header.
        lacking: Bytes that are not there of what its signature header promises.
    """

    file: str
    arch: str
    evr: tuple[str, str]
    compressor: str
    file_digest: int
    needs: dict[str, str]
    dependencies: tuple[str, ...]
    versions: tuple[str, ...]
    signatures: tuple[SignatureKind, ...]
    only_rpm6: bool
    format: int
    has_digests: bool
    long_sizes: bool
    large_files: bool
    weak: bool
    signature_header: Shape
    header: Shape
    lacking: int


def read_traits(stream: BinaryIO, file: str) -> Traits:
    """Read what decides where an RPM can be installed.

    Args:
        stream: The file, or a window into an image.
        file: Its plain name.

    Raises:
        MediaError: "FILE: no RPM: why".
        OSError: The stream cannot be read.

    Cost: the headers are read once and held, at most 64 MiB; the payload is not touched.
    """
    wanted = {**dict.fromkeys(_SIGNATURES, BINARY), _SIZE: INT32}
    headers = read_headers(stream, file, wanted, _HEADER)
    claims = [headers.raw(name) for name in _SIGNATURES.values()]
    with library(f"{printable(file)}: no RPM"):
        signatures = tuple(dict.fromkeys(kind_of(claim) for claim in claims if claim))
    signed, tags = headers.signature.tags, headers.main.tags
    return Traits(
        file=file,
        arch=headers.text("arch") if headers.text("sourcerpm") else "src",
        evr=(headers.text("version"), headers.text("release")),
        compressor=headers.text("archive_compression") or "gzip",
        file_digest=headers.number("filedigestalgo") or _MD5,
        needs=_needs(headers),
        dependencies=tuple(each for name in _NAMES for each in headers.texts(name)),
        versions=tuple(each for name in _VERSIONS for each in headers.texts(name)),
        signatures=signatures,
        only_rpm6=_OPENPGP in signed and not signatures,
        format=6 if _FORMAT in tags else 4,
        has_digests=bool(_OVER_HEADER & signed)
        and (_MD5_OVER_ALL in signed or _OVER_PAYLOAD in tags),
        long_sizes=bool(_LONG & (signed | tags)),
        large_files=_LONG_FILES in tags,
        weak=bool(_WEAK & tags),
        signature_header=headers.signature,
        header=headers.main,
        lacking=max(0, headers.number("size") - (headers.size - headers.start)),
    )


def _needs(headers: Headers) -> dict[str, str]:
    """What it needs of rpm itself: rpmlib(NAME) <= VERSION."""
    needs = zip(headers.texts("requirename"), headers.texts("requireversion"), strict=False)
    return {
        name.removeprefix("rpmlib(").removesuffix(")"): version
        for name, version in needs
        if name.startswith("rpmlib(")
    }
