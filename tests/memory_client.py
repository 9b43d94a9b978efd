"""Servers, time and a place for a file in memory, for tests of the fetcher: no socket, no sleep."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from release_builder.transport.http import Answer, HttpError, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Time:
    """A clock that moves only when somebody sleeps or a server takes its time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How a server answers; the default gives the file as it is.

    Attributes:
        error: Comes in the place of any answer.
        detail: Of the error.
        after: Seconds that the error asks for.
        content: In the place of the file.
        give: How many bytes come before ``end``; None for all.
        end: How the body ends after ``give`` bytes.
        ignore_range: Whether all of the file comes, whatever was asked for.
        shift: Added to where the answer begins.
        latency: Seconds before the answer.
        piece: Bytes in a block.
        pause: Seconds before each block.
        meanwhile: Called before each block.
    """

    error: Answer | None = None
    detail: str = ""
    after: float = 0.0
    content: bytes | None = None
    give: int | None = None
    end: Answer = Answer.CUT_OFF
    ignore_range: bool = False
    shift: int = 0
    latency: float = 0.0
    piece: int = 1 << 16
    pause: float = 0.0
    meanwhile: Callable[[], object] = lambda: None


GOOD = Reply()


@dataclass(frozen=True, slots=True)
class MemoryBody:
    start: int
    length: int | None
    modified: float | None
    pieces: Callable[[], Iterator[bytes]]

    def blocks(self) -> Iterator[bytes]:
        return self.pieces()


@dataclass(slots=True)
class MemoryClient:
    """Answers as told.

    Attributes:
        files: The right bytes, by what a URL ends with.
        replies: By what a URL begins with: one for all requests, or a list of which each request
            takes the next; what comes after a list is good.
        time: Moved by the servers' slowness.
        requests: What was asked: URL and start.
        under_way: How many are asked now, by what the URL begins with.
        busiest: The most that ever were.
    """

    files: dict[str, bytes]
    replies: dict[str, Reply | list[Reply]] = field(default_factory=dict)
    time: Time = field(default_factory=Time)
    requests: list[tuple[str, int]] = field(default_factory=list)
    under_way: dict[str, int] = field(default_factory=dict)
    busiest: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def asked(self) -> list[str]:
        return [url for url, _ in self.requests]

    @contextmanager
    def get(
        self,
        url: str,
        *,
        start: int = 0,
        expected: int | None = None,
        patience: float | None = None,
        line: object = None,
    ) -> Iterator[MemoryBody]:
        server = "/".join(url.split("/")[:3])
        with self.lock:
            self.requests.append((url, start))
            reply = self._reply(url)
            now = self.under_way[server] = self.under_way.get(server, 0) + 1
            self.busiest[server] = max(now, self.busiest.get(server, 0))
        try:
            yield self._body(url, reply, start, patience)
        finally:
            with self.lock:
                self.under_way[server] -= 1

    def _reply(self, url: str) -> Reply:
        reply = next((self.replies[begin] for begin in self.replies if url.startswith(begin)), GOOD)
        if isinstance(reply, list):
            return reply.pop(0) if reply else GOOD
        return reply

    def _body(self, url: str, reply: Reply, start: int, patience: float | None) -> MemoryBody:
        self._wait(reply.latency, patience)
        if reply.error:
            raise HttpError(reply.error, reply.detail, reply.after)
        content = reply.content
        if content is None:
            content = next(self.files[end] for end in self.files if url.endswith(end))
        begin = 0 if reply.ignore_range else start + reply.shift
        rest = content[begin:] if reply.give is None else content[begin : begin + reply.give]

        def pieces() -> Iterator[bytes]:
            for at in range(0, len(rest), reply.piece):
                reply.meanwhile()
                self._wait(reply.pause, patience)
                yield rest[at : at + reply.piece]
            if reply.give is not None:
                raise HttpError(reply.end)

        return MemoryBody(begin, len(content), None, pieces)

    def _wait(self, seconds: float, patience: float | None) -> None:
        if patience is not None and seconds > patience:
            self.time.now += patience
            raise HttpError(Answer.TIMEOUT)
        self.time.now += seconds


class MemoryPlace:
    """Where a file goes that should be ``right``; holds ``begun`` of an earlier run."""

    def __init__(self, right: bytes, begun: bytes = b"") -> None:
        self.right = right
        self.content = bytearray(begun)
        self.restarts = 0
        self.longest = len(begun)

    @property
    def length(self) -> int:
        return len(self.right)

    @property
    def position(self) -> int:
        return len(self.content)

    def write(self, block: bytes, /) -> None:
        self.content += block
        self.longest = max(self.longest, len(self.content))

    def restart(self) -> None:
        self.restarts += 1
        self.content.clear()

    def is_right(self) -> bool:
        assert self.position == self.length
        return self.content == self.right


def sources(*urls: str, last: str = "") -> list[Source]:
    """A source of each URL; the one that equals ``last`` is a last one."""
    return [Source(url, last=url == last) for url in urls]
