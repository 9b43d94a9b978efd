"""What an RPM says of itself, and whether it is whole.

Source: rpm, "RPM Package File Structure" and the list of its tags, format version 4. Payloads are
never unpacked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.digests import BLOCK, hasher
from release_builder.errors import printable
from release_builder.media.image import MediaError, library
from release_builder.media.rpm_header import (
    BINARY,
    INT32,
    STRING,
    STRINGS,
    Headers,
    read_headers,
)
from release_builder.media.rpm_signature import issuer
from release_builder.media.rpm_version import Evr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.digests import Hasher

# DSA and RSA over the header, then the older ones over header and payload.
_SIGNATURES: Final = {267: "signature", 268: "rsaheader", 1002: "pgp", 1005: "gpg"}
_ABOUT: Final = {
    1000: STRING,  # name
    1001: STRING,  # version
    1002: STRING,  # release
    1003: INT32,  # epoch
    1006: INT32,  # build time
    1022: STRING,  # architecture
    1044: STRING,  # source RPM
}
_CHANGES: Final = {1080: INT32, 1081: STRINGS, 1082: STRINGS}  # times, authors, texts
_OVER_ALL: Final = {1000: INT32, 1004: BINARY, 269: STRING, 273: STRING}
_OVER_PAYLOAD: Final = {5092: STRINGS, 5093: INT32}
_ALGORITHMS: Final = {1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512"}  # of OpenPGP
_HINT: Final = "fetch it again, or build it again"


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of a package's changelog.

    Attributes:
        time: Seconds since 1970; rpm states the noon of a day.
        author: As written, often with the version at the end.
        text: Its lines.
    """

    time: int
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Package:
    """What the headers of an RPM say.

    Attributes:
        file: Plain file name.
        name: Name of the package.
        evr: Epoch, version and release.
        arch: ``src`` for source packages.
        size: Bytes of the file.
        source: File name of the source package that it was built from; empty for source packages.
        built: Seconds since 1970; 0 where not told.
        signed_by: The id of the key that is claimed to have signed it, 16 lower-case hexadecimal
            digits; None when it is not signed. Nobody verified that.
        changes: Newest first; empty unless asked for.
    """

    file: str
    name: str
    evr: Evr
    arch: str
    size: int
    source: str
    built: int
    signed_by: str | None
    changes: tuple[Change, ...] = ()

    @property
    def nevra(self) -> str:
        """Such as ``bash-4.2-1.el7.x86_64`` or ``bind-32:9.8-2.i686``."""
        return f"{self.name}-{self.evr}.{self.arch}"

    @property
    def key(self) -> tuple[str, str]:
        """Name and architecture: what two versions of a package have in common."""
        return self.name, self.arch


def read_package(stream: BinaryIO, file: str, *, changes: bool = False) -> Package:
    """Read what an RPM says of itself.

    Args:
        stream: The file, or a window into an image.
        file: Its plain name.
        changes: Read the changelog too.

    Raises:
        MediaError: "FILE: no RPM: why".
        OSError: The stream cannot be read.

    Cost: the headers are read once and held, at most 64 MiB; the payload is not touched.
    """
    signatures = dict.fromkeys(_SIGNATURES, BINARY)
    headers = read_headers(stream, file, signatures, _ABOUT | _CHANGES if changes else _ABOUT)
    with library(f"{printable(file)}: no RPM"):
        for name in ("name", "version", "release", "arch"):
            if not headers.text(name):
                raise ValueError(f"its header tells no {name}")
        source = headers.text("sourcerpm")
        evr = Evr(headers.number("serial"), headers.text("version"), headers.text("release"))
        claims = (headers.raw(name) for name in _SIGNATURES.values())
        return Package(
            file=file,
            name=headers.text("name"),
            evr=evr,
            arch=headers.text("arch") if source else "src",
            size=headers.size,
            source=source,
            built=headers.number("buildtime"),
            signed_by=next((issuer(claim) for claim in claims if claim), None),
            changes=tuple(_changes(headers)),
        )


def check_payload(stream: BinaryIO, file: str) -> None:
    """See whether an RPM is whole and unchanged, by the digests that it carries.

    They say nothing of who made it: whoever changes a package can change them too.

    Args:
        stream: The file, or a window into an image.
        file: Its name, for messages.

    Raises:
        MediaError: It is no RPM, is cut short, is not what a digest says, or carries no digest of
            its payload that could be checked.
        OSError: The stream cannot be read.

    Cost: the file is read once, in blocks.
    """
    place = printable(file)
    headers = read_headers(stream, file, _OVER_ALL, _OVER_PAYLOAD)
    found, promised = headers.size - headers.start, headers.number("size")
    if promised and found != promised:
        how = "it is cut short" if found < promised else "there is more than the RPM in it"
        total = headers.start + promised
        raise MediaError(f"{place}: {how}: {headers.size:,} bytes, not {total:,}", hint=_HINT)
    checks = _checks(headers)
    stream.seek(headers.start)
    _feed(stream, headers.payload - headers.start, [each for each in checks if each.of_header])
    over_payload = [each for each in checks if each.of_payload]
    _feed(stream, headers.size - headers.payload, over_payload)
    for each in checks:
        if each.hasher.digest().hex() != each.expected.lower():
            raise MediaError(f"{place}: its {each} is wrong: it was changed", hint=_HINT)
    if not over_payload:
        raise MediaError(f"{place}: it carries no digest of its payload", hint=_HINT)


@dataclass(frozen=True, slots=True)
class _Check:
    algorithm: str
    expected: str  # hexadecimal
    of_header: bool
    of_payload: bool
    hasher: Hasher

    def __str__(self) -> str:
        parts = "header and payload" if self.of_header and self.of_payload else ""
        part = parts or ("header" if self.of_header else "payload")
        return f"{self.algorithm.upper()} digest of {part}"


def _checks(headers: Headers) -> list[_Check]:
    kind = _ALGORITHMS.get(headers.number("payloaddigestalgo"), "")
    rows = (
        ("sha1", headers.text("md5"), True, False),  # rpmfile's name for SHA1HEADER
        ("sha256", headers.text("sha256"), True, False),
        ("md5", headers.raw("sigmd5").hex(), True, True),
        (kind, next(iter(headers.texts("payloaddigest")), "") if kind else "", False, True),
    )
    return [
        _Check(algorithm, expected, of_header, of_payload, hasher(algorithm))
        for algorithm, expected, of_header, of_payload in rows
        if expected
    ]


def _feed(stream: BinaryIO, length: int, checks: list[_Check]) -> None:
    while length and (block := stream.read(min(BLOCK, length))):
        length -= len(block)
        for each in checks:
            each.hasher.update(block)


def _changes(headers: Headers) -> Iterator[Change]:
    times = headers.numbers("changelogtime")
    authors, texts = headers.texts("authors"), headers.texts("comments")
    if not len(times) == len(authors) == len(texts):
        raise ValueError("its changelog is broken")
    return map(Change, times, authors, texts)
