"""The web servers of a .jigdo as one far source of parts."""

from __future__ import annotations

import re
import shlex
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.jigdo.part_urls import PartLocator
from release_builder.transport.http import Answer, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.far_parts import Place
    from release_builder.jigdo.location import JigdoFile
    from release_builder.transport.http import Try
    from release_builder.transport.http.fetcher import ServerFetcher
    from release_builder.transport.http.server import ServerStatistics

_USER: Final = re.compile(r"(?<=://)[^/?#]*@")
_EACH: Final = 8  # connections to a server
_MOST: Final = 32  # connections, unless more are asked for
# Answers that the same server will give again for the same file.
_LASTING: Final = frozenset(
    {
        Answer.NOT_FOUND,
        Answer.WRONG_BYTES,
        Answer.WRONG_LENGTH,
        Answer.OUT_OF_REACH,
        Answer.BAD_URL,
        Answer.REFUSED,
    }
)


@dataclass(frozen=True, slots=True)
class MissingPart:
    """A part that is nowhere to be had.

    Attributes:
        part: What is wanted.
        name: Its path below its server; its digest if the .jigdo does not name it.
        urls: Where it should be; without any password.
        tries: The URLs that were asked, and what each answered.
        unasked: URLs that are no http, and why others could not be made out; printable.
    """

    part: MatchedFile
    name: str
    urls: tuple[str, ...] = ()
    tries: tuple[Try, ...] = ()
    unasked: tuple[str, ...] = ()

    @property
    def is_wrong(self) -> bool:
        """Whether it will stay missing: some server has other bytes, no other may have the part."""
        answers = {each.answer for each in self.tries}
        return answers <= _LASTING and bool(answers & {Answer.WRONG_BYTES, Answer.WRONG_LENGTH})

    @property
    def is_late(self) -> bool:
        """Whether all that it lacked was time: no server failed before."""
        return bool(self.tries) and all(
            each.answer is Answer.NO_TIME and not each.detail for each in self.tries
        )


class PartServers:
    """Fetches parts from where [Parts] and [Servers] say that they are.

    Args:
        jigdo: The .jigdo file.
        first: By label, more servers; they are asked before those of [Servers].
        connections: How many parts are fetched at a time, each by a connection of its own until
            servers turn out to be far; None for 8 a server.
        make_fetcher: Makes who asks the servers, when the first part is wanted; None if nobody
            may be asked.
    """

    def __init__(
        self,
        jigdo: JigdoFile,
        first: Mapping[str, Sequence[str]],
        connections: int | None,
        make_fetcher: Callable[[], ServerFetcher] | None,
    ) -> None:
        count = len(jigdo.servers) + sum(len(urls) for urls in first.values())
        self._connections = connections or min(_MOST, _EACH * max(1, count))
        self._jigdo = jigdo
        self._locator = PartLocator(jigdo, first)
        self._make_fetcher = make_fetcher
        self._fetcher: ServerFetcher | None = None
        self._making = threading.Lock()
        self._tries: dict[Digest, tuple[Try, ...]] = {}

    @property
    def connections(self) -> int:
        """See FarSource: more once they are shared."""
        return self._connections * (self._fetcher.depth if self._fetcher else 1)

    def fetch(self, part: MatchedFile, place: Place, /) -> bool:
        """See FarSource."""
        with self._making:
            if not self._fetcher and self._make_fetcher:
                self._fetcher = self._make_fetcher()
            fetcher = self._fetcher
        if not fetcher:
            return False
        urls = self._locator.urls(part.digest).http
        fetched = fetcher.fetch([Source(each.url, each.last) for each in urls], place)
        if fetched.source is None:
            self._tries[part.digest] = fetched.tries
        return fetched.source is not None

    @property
    def dropped(self) -> tuple[str, ...]:
        """Servers that were not asked to the end, and why; and those that lied, but too seldom."""
        dropped = dict(self._fetcher.dropped if self._fetcher else ())
        return (
            *(f"{server} is not asked any more: {why}" for server, why in dropped.items()),
            *(
                f"{each.server} gave wrong bytes: {each.lies:,} of its files are not what they"
                " should be"
                for each in self.statistics
                if each.lies and each.server not in dropped
            ),
        )

    @property
    def statistics(self) -> tuple[ServerStatistics, ...]:
        """What each server did."""
        return self._fetcher.statistics() if self._fetcher else ()

    def stop(self) -> None:
        """See FarSource."""
        if self._fetcher:
            self._fetcher.stop()

    def urls(self, part: MatchedFile) -> tuple[str, ...]:
        """Where ``part`` should be; with the passwords that are asked with."""
        return tuple(each.url for each in self._locator.urls(part.digest).http)

    def missing(self, part: MatchedFile) -> MissingPart:
        """What is to be said of ``part``, which did not come."""
        urls = self._locator.urls(part.digest)
        locations = self._jigdo.parts.get(part.digest, ())
        return MissingPart(
            part,
            _name(locations[0]) if locations else str(part.digest),
            tuple(printable(_USER.sub("", each.url)) for each in urls.http),
            self._tries.get(part.digest, ()),
            tuple(printable(each) for each in (*map(_why_not, urls.others), *urls.problems)),
        )


def _name(location: str) -> str:
    """The path that ``location`` of [Parts] has behind its label or host."""
    label, _, path = location.partition(":")
    if path.startswith("//"):
        path = path[2:].partition("/")[2]
    return path.lstrip("/") or label


def _why_not(location: str) -> str:
    """Why ``location``, which is no http URL, is not asked."""
    label, colon, rest = location.partition(":")
    if colon and not rest.startswith("/") and "://" not in location:
        named = shlex.quote(f"{label}=URL")
        return f"[Servers] has no label {label} (for {rest}): name a server with --uri {named}"
    return location
