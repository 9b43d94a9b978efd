"""An older .jigdo as the base of a new one: its parts keep their servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.syntax import quote_word

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from release_builder.jigdo.location import JigdoFile

_PREFIX: Final = "Base-"


def as_base(content: bytes, name: str, taken: Container[str]) -> bytes:
    """[Servers] and [Parts] of an older .jigdo, to be merged into a new one.

    Args:
        content: The older .jigdo.
        name: For messages.
        taken: Labels of the new one; the old one's of the same name become ``Base-LABEL``, since
            the old parts stay where they are.

    Raises:
        JigdoError: ``content`` is no .jigdo file.
    """
    jigdo = parse_jigdo(content, name)
    return "".join(f"{line}\n" for line in _lines(jigdo, taken)).encode("utf-8", "surrogateescape")


def _lines(jigdo: JigdoFile, taken: Container[str]) -> Iterator[str]:
    yield "[Servers]"
    for server in jigdo.servers:
        words = (quote_word(each) for each in (_renamed(server.url, taken), *server.options))
        yield f"{_label(server.label, taken)}={' '.join(words)}"
    yield "[Parts]"
    for digest, places in jigdo.parts.items():
        for place in places:
            yield f"{digest.jigdo}={quote_word(_renamed(place, taken))}"


def _label(label: str, taken: Container[str]) -> str:
    return _PREFIX + label if label in taken else label


def _renamed(place: str, taken: Container[str]) -> str:
    """``LABEL:path`` with its label renamed; of a URL, what looks like one is none."""
    label, colon, path = place.partition(":")
    return place if not colon or path.startswith("//") else f"{_label(label, taken)}:{path}"
