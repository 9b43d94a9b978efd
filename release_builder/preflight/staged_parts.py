"""The parts of a release as a stranger will find them: a throw-away server has what is staged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.transport.http import Answer, Source

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.far_parts import Place
    from release_builder.preflight.part_places import PartPlaces, PlacedPart
    from release_builder.preflight.prefixes import Prefixes
    from release_builder.transport.http import Body, Client, Try
    from release_builder.transport.http.fetcher import ServerFetcher
    from release_builder.transport.http.line import Line

_CONNECTIONS: Final = 8


class StagedClient:
    """Asks for URLs where their files lie now; see Client.

    Args:
        staged: The throw-away server's URLs, with a slash at the end, by the public ones.
        near: Asks the throw-away server.
        far: Asks everybody else.
    """

    def __init__(self, staged: Prefixes[str], near: Client, far: Client) -> None:
        self._staged = staged
        self._near = near
        self._far = far

    def get(
        self,
        url: str,
        *,
        start: int = 0,
        expected: int | None = None,
        patience: float | None = None,
        line: Line | None = None,  # noqa: ARG002 (what is one server to a stranger is two here)
    ) -> AbstractContextManager[Body]:
        """See Client."""
        found = self._staged.find(url)
        client, at = (self._near, "".join(found)) if found else (self._far, url)
        return client.get(at, start=start, expected=expected, patience=patience)


class StagedParts:
    """Fetches parts as a stranger will; see FarSource.

    A part that should be in what is staged comes from there or not at all: what is public now
    may be another file, and a mirror's does not make ours right.

    Args:
        places: Where the .jigdo says that parts are.
        staged: Which URLs are.
        fetcher: Asks; see StagedClient.
        connections: How many parts are fetched at a time; None for 8.
    """

    def __init__(
        self,
        places: PartPlaces,
        staged: Prefixes[str],
        fetcher: ServerFetcher,
        connections: int | None,
    ) -> None:
        self.connections = connections or _CONNECTIONS
        self._places = places
        self._staged = staged
        self._fetcher = fetcher
        self._tries: dict[Digest, tuple[Try, ...]] = {}

    def fetch(self, part: MatchedFile, place: Place, /) -> bool:
        """See FarSource."""
        fetched = self._fetcher.fetch(self._sources(self._places.of(part)), place)
        self._tries[part.digest] = tuple(
            each for each in fetched.tries if each.answer is not Answer.RIGHT
        )
        return fetched.source is not None

    def stop(self) -> None:
        """See FarSource."""
        self._fetcher.stop()

    def failed(self, part: MatchedFile) -> tuple[Try, ...]:
        """What was asked in vain for ``part``, whether or not it came from elsewhere."""
        return self._tries.get(part.digest, ())

    def _sources(self, placed: PlacedPart) -> list[Source]:
        urls = [url for place in placed.places for url in place.urls]
        staged = [url for url in urls if self._staged.find(url)]
        return [Source(url) for url in staged or urls]
