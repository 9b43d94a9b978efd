"""What is known of one server, from what it gave: how good it is, and whether it may be asked."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.filesize import decimal

from release_builder.transport.http import Answer, HttpError
from release_builder.transport.http.backoff import rest
from release_builder.transport.http.lines import Lines
from release_builder.transport.http.urls import parse, shown

if TYPE_CHECKING:
    from release_builder.transport.http.line import Line
    from release_builder.transport.http.outage import Outage

PASSING: Final = frozenset(
    {Answer.SERVER_ERROR, Answer.BUSY, Answer.UNREACHABLE, Answer.TIMEOUT, Answer.CUT_OFF}
)
"""Failures that may pass: the same URL is worth another try."""

_USUAL_PORTS: Final = {"http": 80, "https": 443}
_LIES: Final = 2
_RIGHT_FOR_A_LIE: Final = 10  # a mirror of thousands of files may have an odd one
_JUDGED: Final = 20  # files that show whether it is more wrong than right

_WEIGHT: Final = 0.3  # of the newest in a moving average
_HALF_LIFE: Final = 60.0  # seconds until an error weighs half
_ERROR_COST: Final = 20.0  # a server that only fails is that much dearer than one that never does
_ENOUGH: Final = 64 << 10  # bytes that tell a rate
_HOPED_LATENCY: Final = 0.1  # of a server that has not answered yet: it gets its try
_HOPED_RATE: Final = 10e6


def server_of(url: str) -> str:
    """The server of ``url``: ``scheme://host:port``, the port only where it is not the usual."""
    try:
        scheme, host, port = parse(url).server
    except HttpError:  # it will be refused when it is asked
        return shown(url)
    name = f"{scheme}://[{host}]" if ":" in host else f"{scheme}://{host}"
    return name if port == _USUAL_PORTS[scheme] else f"{name}:{port}"


@dataclass(frozen=True, slots=True)
class ServerStatistics:
    """What a server did so far.

    Attributes:
        server: ``scheme://host:port``.
        requests: How often it was asked.
        files: How many files it gave that were right.
        received: Bytes that it gave, right or not.
        errors: How many requests it failed.
        lies: How many whole files it gave that were wrong.
        latency: Seconds until it began to answer, on average; None if it never did.
        rate: Bytes a second of one connection, on average; None if nothing came.
    """

    server: str
    requests: int
    files: int
    received: int
    errors: int
    lies: int
    latency: float | None
    rate: float | None

    def __str__(self) -> str:
        said = [_counted(self.files, "file"), decimal(self.received)]
        if self.errors:
            said.append(_counted(self.errors, "error"))
        if self.latency is not None:
            said.append(f"{self.latency * 1000:.0f} ms")
        if self.rate is not None:
            said.append(f"{decimal(round(self.rate))}/s a connection")
        return f"{self.server}: {', '.join(said)}"


class Server:
    """One server; not thread-safe: ``Servers`` has the lock.

    Args:
        name: ``scheme://host:port``.
        outage: Tells whether it is away.

    Attributes:
        name: ``scheme://host:port``.
        under_way: How many requests it has not ended.
        unanswered: When those began that it has not begun to answer, oldest first.
        queue: Who waits for a turn, in order.
        rests_until: When it may be asked again, as it said.
        lines: The connections to it that are in use.
    """

    def __init__(self, name: str, outage: Outage) -> None:
        self.name = name
        self.under_way = 0
        self.unanswered: dict[object, float] = {}
        self.queue: deque[object] = deque()
        self.rests_until = float("-inf")
        self._requests = self._answers = self._received = self._errors = 0
        self._right = self._lies = self._timed = 0
        self._latencies = self._streaming = 0.0  # seconds, all together
        self._latency: float | None = None
        self._rate: float | None = None
        self._trouble, self._trouble_at = 0.0, 0.0
        self._outage = outage
        self._dropped: tuple[Answer, str] | None = None
        self.lines = Lines()

    @property
    def is_new(self) -> bool:
        """Whether nobody asked it yet."""
        return not self._requests

    def barred(self, now: float) -> tuple[Answer, str] | None:
        """Why it is not to be asked at ``now``; None if it is."""
        away = self._outage.why
        if self._dropped or not away or now >= self._outage.probe_at:
            return self._dropped
        return away[0], f"{away[0].value} before"

    @property
    def ready_at(self) -> float:
        """When it may be asked again; infinite until it is known whether it is back."""
        return max(self.rests_until, self._outage.probe_at)

    @property
    def may_come_back(self) -> bool:
        """Whether it is away, and worth waiting for."""
        return not self._dropped and self._outage.may_pass

    @property
    def dropped(self) -> str:
        """Why it is asked no more, or hardly ever; empty if it is."""
        why = self._dropped or self._outage.why
        return why[1] if why else ""

    @property
    def distrusted(self) -> str:
        """Why it is asked only for what nobody else has; empty if it is for all, or none."""
        lies = self._lies >= _LIES and self._lies * _RIGHT_FOR_A_LIE > self._right
        return self._said_of_lies() if lies and not self._dropped else ""

    def cost(self, length: int, now: float, allowed: int) -> float:
        """Seconds that a file of ``length`` bytes may take from it, dearer by errors and load."""
        latency = _HOPED_LATENCY if self._latency is None else self._latency
        if self.unanswered:
            latency = max(latency, now - next(iter(self.unanswered.values())))
        seconds = latency + self.body_seconds(length)
        return seconds * (1 + _ERROR_COST * self._trouble_now(now)) * (1 + self.under_way / allowed)

    def body_seconds(self, length: int) -> float:
        """How long ``length`` bytes may take to come once they have begun to."""
        return length / (self._rate or _HOPED_RATE)

    def begin(self, turn: object, now: float) -> bool:
        """It is asked.

        Returns:
            Whether that tells if it is back.
        """
        self._requests += 1
        self.under_way += 1
        self.unanswered[turn] = now
        return self._outage.begin(turn)

    def answer(self, turn: object, now: float, line: Line) -> None:
        """It began to answer, by ``line``."""
        latency = now - self.unanswered.pop(turn)
        self._answers += 1
        if not line.shared:  # else it waited for other answers
            self._timed += 1
            self._latencies += latency
            self._latency = _blend(self._latency, latency)
            self.lines.timed(latency)

    def end(self, turn: object, received: int, seconds: float) -> None:
        """A request is over, well or not, after it gave ``received`` bytes in ``seconds``."""
        self.under_way -= 1
        self.unanswered.pop(turn, None)
        self._outage.end(turn)
        self._received += received
        self._streaming += seconds
        if received >= _ENOUGH and seconds > 0:
            self._rate = _blend(self._rate, received / seconds)

    def unsent(self) -> None:
        """It was not asked after all."""
        self._requests -= 1

    def was_slow(self, rate: float) -> None:
        """It was left in the midst of a file for giving so many bytes a second."""
        # No average: what it once could do would send the next file to it, too.
        self._rate = rate
        self._outage.over()

    def went_well(self, now: float) -> None:
        """It gave all that it was asked for."""
        self._trouble, self._trouble_at = _blend(self._trouble_now(now), 0.0), now
        self._outage.over()

    def failed(self, error: HttpError, file: object, now: float, *, probe: bool) -> bool:
        """It did not give what it was asked for.

        Args:
            error: What it gave instead.
            file: What it was asked for.
            now: When.
            probe: Whether that should tell if it is back.

        Returns:
            Whether the file keeps its retries all the same.
        """
        self._errors += 1
        self._trouble, self._trouble_at = _blend(self._trouble_now(now), 1.0), now
        if error.answer is Answer.TLS and self.name.startswith("https:") and not self._answers:
            # Later, or over http, it is the fault of another that it leads to for this file.
            self._dropped = (Answer.TLS, f"{Answer.TLS.value}: {error.detail}")
        if error.answer is Answer.OUT_OF_REACH and not error.sent:  # else another led there
            self._dropped = (error.answer, error.detail)
        if error.answer is Answer.BUSY:
            self.rests_until = max(self.rests_until, now + rest(error.after))
        return self._outage.failed(error.answer, file, now, probe=probe)

    def judge(self, *, right: bool, now: float) -> None:
        """A whole file that it gave is right, or not."""
        if right:
            self._right += 1
            return
        self._lies += 1
        self._errors += 1
        self._trouble, self._trouble_at = _blend(self._trouble_now(now), 1.0), now
        if self._lies + self._right >= _JUDGED and self._lies > self._right:
            self._dropped = (Answer.WRONG_BYTES, self._said_of_lies())

    def statistics(self) -> ServerStatistics:
        """What it did so far."""
        return ServerStatistics(
            self.name,
            requests=self._requests,
            files=self._right,
            received=self._received,
            errors=self._errors,
            lies=self._lies,
            latency=self._latencies / self._timed if self._timed else None,
            rate=self._received / self._streaming if self._streaming else None,
        )

    def _said_of_lies(self) -> str:
        return f"wrong bytes for {self._lies} files"

    def _trouble_now(self, now: float) -> float:
        return float(self._trouble * 0.5 ** ((now - self._trouble_at) / _HALF_LIFE))


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _blend(average: float | None, newest: float) -> float:
    return newest if average is None else average + _WEIGHT * (newest - average)
