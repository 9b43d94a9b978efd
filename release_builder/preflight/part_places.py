"""The servers that should have a part, and under which URLs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.jigdo.part_urls import PartLocator
from release_builder.transport.http.server import server_of
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.location import JigdoFile
    from release_builder.jigdo.part_urls import PartUrl

_USER: Final = re.compile(r"(?<=://)[^/?#]*@")


@dataclass(frozen=True, slots=True)
class Place:
    """A server's folder that should have a part.

    Attributes:
        folder: Its URL as reports may show it.
        urls: Of the part: one is enough, the likeliest first. Passwords are kept.
    """

    folder: str
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlacedPart:
    """A part and where it should be.

    Attributes:
        part: Its digest and length.
        name: Its path below its server, printable; its digest if the .jigdo does not name it.
        places: In the order in which a stranger asks them.
        unasked: Locations of [Parts] that nobody can be asked for, each with why; printable.
    """

    part: MatchedFile
    name: str
    places: tuple[Place, ...]
    unasked: tuple[str, ...]


class PartPlaces:
    """Tells the places of parts.

    Args:
        jigdo: What [Parts] and [Servers] say.
    """

    def __init__(self, jigdo: JigdoFile) -> None:
        self._jigdo = jigdo
        self._locator = PartLocator(jigdo)

    def of(self, part: MatchedFile) -> PlacedPart:
        """See PlacedPart."""
        found = self._locator.urls(part.digest)
        urls_of: dict[str, list[str]] = {}
        for each in sorted(found.http, key=lambda each: each.last):
            urls_of.setdefault(_folder(each), []).append(each.url)
        locations = self._jigdo.parts.get(part.digest, ())
        return PlacedPart(
            part,
            _name(locations[0]) if locations else str(part.digest),
            tuple(Place(folder, tuple(urls)) for folder, urls in urls_of.items()),
            tuple(printable(each) for each in (*map(_why_not, found.others), *found.problems)),
        )


def _folder(url: PartUrl) -> str:
    """The URL of the server's folder that ``url`` was made with."""
    label, _, name = url.location.partition(":")
    if f"{label}:".lower() in {"http:", "https:"} and name.startswith("//"):
        return f"{server_of(url.url)}/"
    depth = name.lstrip("/").count("/") + 1
    return shown(f"{url.url.rsplit('/', depth)[0]}/")


def _name(location: str) -> str:
    label, _, path = location.partition(":")
    if path.startswith("//"):
        path = path[2:].partition("/")[2]
    return printable(path.lstrip("/") or label)


def _why_not(location: str) -> str:
    label, colon, rest = location.partition(":")
    if colon and not rest.startswith("/"):
        return f"[Servers] has no label {label} (for {rest})"
    return f"{_USER.sub('', location)} is no http URL"
