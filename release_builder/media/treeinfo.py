"""What an installer tree says of itself: ``.treeinfo`` and ``.discinfo``.

Source: the files of Enterprise Linux 5 to 9; productmd's documentation, ".treeinfo 1.x". Both are
text, the former in the form of Python's configparser.
"""

from __future__ import annotations

from configparser import ConfigParser, Error
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.digests import Digest
from release_builder.errors import printable
from release_builder.files import check_relative
from release_builder.media.image import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_BYTES: Final = 1 << 20  # of either file
_MOST_LINES: Final = 2000

_ALIASES: Final = {"sha": "sha1"}
_WITH_PATHS: Final = ("[images-", "[stage2]")


@dataclass(frozen=True, slots=True)
class TreeInfo:
    """What ``.treeinfo`` tells.

    Attributes:
        arch: What the tree installs on; empty where it is not told.
        images: What it starts, as paths below the tree.
        digests: By path below the tree.
    """

    arch: str
    images: tuple[str, ...]
    digests: Mapping[str, Digest]


@dataclass(frozen=True, slots=True)
class DiscInfo:
    """What ``.discinfo`` tells.

    Attributes:
        timestamp: When the tree was made, in seconds since 1970.
        description: What it calls itself.
        arch: What it installs on.
    """

    timestamp: int
    description: str
    arch: str


def parse_treeinfo(content: bytes) -> TreeInfo:
    """Read the bytes of a ``.treeinfo``.

    Raises:
        MediaError: They are none, or it names something outside the tree.
    """
    parser = ConfigParser(interpolation=None, delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # paths keep their case
    if content.count(b"\n") > _MOST_LINES:  # for each wrong one configparser goes over all before
        raise MediaError(f".treeinfo: it has more than {_MOST_LINES:,} lines: none has")
    try:
        parser.read_string(content.decode("utf-8"))
    except (Error, UnicodeDecodeError) as error:
        words = printable(str(error).partition("\n")[0])
        raise MediaError(f".treeinfo: it cannot be read: {words}") from error
    sections = {name: dict(parser.items(name)) for name in parser.sections()}
    if "general" not in sections and "tree" not in sections:
        raise MediaError(".treeinfo: it has neither [general] nor [tree]")
    arch = sections.get("general", {}).get("arch") or sections.get("tree", {}).get("arch", "")
    return TreeInfo(
        arch=arch,
        images=tuple(dict.fromkeys(_images(sections))),
        digests={
            check_relative(path): _digest(path, text)
            for path, text in sections.get("checksums", {}).items()
        },
    )


def parse_discinfo(content: bytes) -> DiscInfo:
    """Read the bytes of a ``.discinfo``: timestamp, description, arch, discs; a line each.

    Raises:
        MediaError: They are none.
    """
    lines = content.decode("utf-8", "replace").splitlines()
    try:
        timestamp = int(float(lines[0]))
        description, arch = lines[1].strip(), lines[2].strip()
    except (ValueError, OverflowError, IndexError) as error:
        raise MediaError(".discinfo: its lines are not timestamp, description and arch") from error
    return DiscInfo(timestamp, description, arch)


def _images(sections: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for name, section in sections.items():
        if f"[{name}]".startswith(_WITH_PATHS):
            yield from (check_relative(path) for path in section.values() if path)


def _digest(path: str, text: str) -> Digest:
    """``sha256:…``; older trees leave out the name."""
    name, colon, digits = text.strip().rpartition(":")
    try:
        digest = Digest.from_hex(digits.strip())
    except ValueError as error:
        raise MediaError(
            f".treeinfo: [checksums]: {printable(path)}: '{printable(text)}' is no digest"
        ) from error
    name = name.strip().lower()
    if colon and digest.algorithm != _ALIASES.get(name, name):
        raise MediaError(
            f".treeinfo: [checksums]: {printable(path)}: '{printable(text)}' is no {printable(name)}"
        )
    return digest
