"""An older .jigdo as the base of a new one: its parts keep their servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.syntax import quote_word

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from release_builder.jigdo.location import JigdoFile

_PREFIX: Final = "Base-"


def as_base(content: bytes, name: str, taken: Container[str]) -> bytes:
    """[Servers] and [Parts] of an older .jigdo, to be merged into a new one.

    Args:
        content: The older .jigdo.
        name: For messages.
        taken: Labels of the new one; the old one's of the same name become ``Base-LABEL``, or
            ``Base-Base-LABEL`` where that is taken too: the old parts stay where they are.

    Raises:
        JigdoError: ``content`` is no .jigdo file.
    """
    jigdo = parse_jigdo(content, name)
    labels = _labels(jigdo, taken)
    lines = _lines(jigdo, labels)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _labels(jigdo: JigdoFile, taken: Container[str]) -> dict[str, str]:
    """By label of the old one, what becomes of it."""
    places = [place for each in jigdo.parts.values() for place in each]
    places += [server.url for server in jigdo.servers]
    used = {server.label for server in jigdo.servers}
    used.update(label for label, colon, _ in (place.partition(":") for place in places) if colon)
    labels = {label: label for label in used if label not in taken}
    for label in sorted(used - labels.keys()):
        new = _PREFIX + label
        while new in taken or new in used:
            new = _PREFIX + new
        labels[label] = new
    return labels


def _lines(jigdo: JigdoFile, labels: Mapping[str, str]) -> Iterator[str]:
    yield "[Servers]"
    for server in jigdo.servers:
        words = (quote_word(each) for each in (_renamed(server.url, labels), *server.options))
        yield f"{labels[server.label]}={' '.join(words)}"
    yield "[Parts]"
    for digest, places in jigdo.parts.items():
        for place in places:
            yield f"{digest.jigdo}={quote_word(_renamed(place, labels))}"


def _renamed(place: str, labels: Mapping[str, str]) -> str:
    """``LABEL:path`` with its label renamed; of a URL, what looks like one is none."""
    label, colon, path = place.partition(":")
    return place if not colon or path.startswith("//") else f"{labels.get(label, label)}:{path}"
