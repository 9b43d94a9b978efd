"""What was asked for one file, and which of its URLs are worth another try."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from release_builder.transport.http import Answer, Try
from release_builder.transport.http.server import server_of
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.transport.http import HttpError, Source

_SWITCHES: Final = 3  # of one file: more would be a game


@dataclass(eq=False, slots=True)
class Candidate:
    """A URL that may be asked for the file.

    Attributes:
        url: The URL.
        server: Its server, as ``server_of`` has it.
        last: To be asked only when the others failed.
        requests: How often it was asked.
        ready_at: When it may be asked again, in seconds.
        file: What it is asked for: the same for all URLs of one file.
        left: Whether its server was left for a faster one: it gives the file, but slowly.
        barred: Why its server is not asked now, for any file; None if it is.
    """

    url: str
    server: str
    last: bool
    requests: int = 0
    ready_at: float = float("-inf")
    file: object = field(default_factory=object)
    left: bool = False
    barred: tuple[Answer, str] | None = None


class Attempts:
    """The tries for one file; used by one thread.

    Args:
        sources: In the order to be asked where nothing else decides.
        retries: How often a server is asked again after failures that may pass, unless bytes
            came meanwhile.
    """

    def __init__(self, sources: Sequence[Source], retries: int) -> None:
        urls = {source.url: source for source in reversed(sources)}
        self._candidates = [
            Candidate(url, server_of(url), source.last, file=self)
            for url, source in reversed(urls.items())
        ]
        self._retries = retries
        self._failures: dict[str, int] = {}
        self._closed: set[str] = set()
        self._tries: dict[str, Try] = {}
        self._latest: Candidate | None = None
        self._switches = 0

    @property
    def tries(self) -> tuple[Try, ...]:
        """One a URL in the order first asked, then those whose server was not to be asked."""
        not_asked = (
            Try(shown(candidate.url), candidate.barred[0], f"not asked: {candidate.barred[1]}")
            for candidate in self._candidates
            if candidate.barred and candidate.url not in self._tries
        )
        return (*self._tries.values(), *not_asked)

    def begin(self, candidate: Candidate) -> None:
        """It is asked now."""
        self._latest = candidate

    def open(self, bound_to: str | None = None) -> list[Candidate]:
        """What may still be asked; ``bound_to`` alone while it may."""
        candidates = [
            candidate
            for candidate in self._candidates
            if candidate.url not in self._closed and self.failures(candidate) <= self._retries
        ]
        bound = [candidate for candidate in candidates if candidate.url == bound_to]
        return bound or candidates

    def faster_than(self, slow: Candidate) -> list[Candidate]:
        """What may go on in the place of ``slow``, if it is faster; no last one: nothing failed."""
        if self._switches >= _SWITCHES:
            return []
        return [
            other
            for other in self.open()
            if other.server != slow.server and not other.left and other.last <= slow.last
        ]

    def has_hope_beside(self, candidate: Candidate) -> bool:
        """Whether another server was not asked for the file yet, or gave it, if slowly."""
        failed = {other.server for other in self._candidates if other.requests and not other.left}
        return any(
            other.server not in failed | {candidate.server} and not other.barred
            for other in self.open()
        )

    def leave(self, candidate: Candidate) -> None:
        """A faster server goes on in the place of that of ``candidate``."""
        self._switches += 1
        for other in self._candidates:
            other.left |= other.server == candidate.server

    def note(self, candidate: Candidate, answer: Answer, detail: str = "") -> None:
        """What came of asking ``candidate``, so far."""
        self._tries[candidate.url] = Try(shown(candidate.url), answer, detail)

    def close(self, candidate: Candidate) -> None:
        """``candidate`` is not asked again."""
        self._closed.add(candidate.url)

    def failures(self, candidate: Candidate) -> int:
        """How often in a row its server failed in a way that may pass."""
        return self._failures.get(candidate.server, 0)

    def count(self, candidate: Candidate) -> None:
        """Its server failed once more in a way that may pass."""
        self._failures[candidate.server] = self.failures(candidate) + 1

    def forgive(self, candidate: Candidate) -> None:
        """Its server gave so much that what failed before is forgotten."""
        self._failures[candidate.server] = 0

    def postpone(self, candidate: Candidate, ready_at: float) -> None:
        """Nothing is asked of its server before ``ready_at``, for this file."""
        for other in self._candidates:
            if other.server == candidate.server:
                other.ready_at = ready_at

    def over(self, error: HttpError) -> None:
        """All ends before the file is here: the URL asked last is out of time, or the first."""
        latest = self._latest or next(iter(self._candidates), None)
        if latest is None:
            return
        earlier = self._tries.get(latest.url)
        detail = error.detail or (earlier.before if earlier else "")
        self.note(latest, Answer.NO_TIME, detail)
