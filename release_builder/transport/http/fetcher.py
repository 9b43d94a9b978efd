"""Files from several servers: each file from the best that has it, and none asked without end."""

from __future__ import annotations

import random as random_module
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from release_builder.transport.http import Answer, Fetched, HttpError
from release_builder.transport.http.attempts import Attempts
from release_builder.transport.http.backoff import Deadline, Pace, pause_after
from release_builder.transport.http.outage import Outage
from release_builder.transport.http.pieces import Pieces
from release_builder.transport.http.server import PASSING
from release_builder.transport.http.servers import Servers
from release_builder.transport.http.slowness import Slowness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_builder.transport.http import Client, HttpOptions, Place, Source
    from release_builder.transport.http.server import ServerStatistics
    from release_builder.transport.http.turn import Turn

_PATIENCE: Final = 10.0  # seconds without a byte, while another may give the file sooner
_NEVER: Final = float("inf")


class ServerFetcher:
    """Fetches files from the best of their sources; used by several threads at once.

    For a file of L bytes with S URLs on G servers and R retries it asks at most
    ``S + 2 + (R + 1) * (G + (S + 2) * (L // PROGRESS)) + R * G + G + 3`` times: ``R * G`` to see
    whether servers are back that all files wait for, ``G`` as they turn out to answer no shared
    connection, 3 as it leaves a slow server for another.

    Args:
        client: Asks.
        options: How; its deadline counts from here.
        clock: Seconds that only grow.
        sleep: Waits for some seconds; None for a wait that ``stop`` ends.
        random: A number from 0 up to 1.
    """

    def __init__(
        self,
        client: Client,
        options: HttpOptions,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self._client = client
        self._options = options
        self._clock = clock
        self._random = random
        self._deadline = Deadline(options.deadline, clock)
        self._servers = Servers(
            options.connections,
            self._deadline,
            clock,
            sleep,
            new_outage=partial(Outage, options.retries, random),
        )

    @property
    def depth(self) -> int:
        """How many files at a time may come by a connection, at most; grows once that is known."""
        return self._servers.depth()

    @property
    def dropped(self) -> tuple[tuple[str, str], ...]:
        """The servers that are asked no more, or hardly ever, each with why."""
        return self._servers.dropped()

    @property
    def distrusted(self) -> tuple[tuple[str, str], ...]:
        """The servers that are asked only for what nobody else has, each with why."""
        return self._servers.distrusted()

    def statistics(self) -> tuple[ServerStatistics, ...]:
        """What each server did so far, in the order first met."""
        return self._servers.statistics()

    def stop(self) -> None:
        """End all that is under way, soon: with the next block that comes, or its timeout."""
        self._servers.stop()

    def fetch(self, sources: Sequence[Source], place: Place) -> Fetched:
        """Bring a file to its place. It always ends: by success, failures, or the deadline.

        Nobody is asked for a place that is full and right: its source is then the first.

        Raises:
            OSError: ``place`` cannot take it.
        """
        pieces = Pieces(place)
        if pieces.full:
            if place.is_right():
                return Fetched(sources[0].url if sources else None)
            pieces.restart()
        attempts = Attempts(sources, self._options.retries)
        try:
            turn = self._take(attempts, pieces)
            while turn:
                attempts.begin(turn.candidate)
                if faster := self._ask(turn, pieces, attempts):
                    turn = faster
                    continue
                error = turn.error or self._judge(turn, pieces)
                if error is None:
                    attempts.note(turn.candidate, Answer.RIGHT)
                    return Fetched(turn.candidate.url, attempts.tries)
                self._learn(turn, error, pieces, attempts)
                turn = self._take(attempts, pieces)
        except HttpError as error:
            attempts.over(error)
        return Fetched(None, attempts.tries)

    def _take(self, attempts: Attempts, pieces: Pieces) -> Turn | None:
        length, bound_to = pieces.place.length, pieces.bound_to
        if bound_to:
            turn = self._servers.take(attempts.open(bound_to), length, patient=False)
            if turn:
                return turn
        # Or the server that should give the rest is away, or dropped for what it did elsewhere.
        return self._servers.take(attempts.open(), length)

    def _ask(self, turn: Turn, pieces: Pieces, attempts: Attempts) -> Turn | None:
        """The turn of a faster server, which goes on; None if all came, or ``turn`` has an error."""
        try:
            pieces.expect(turn.candidate.url)
            return self._receive(turn, pieces, attempts)
        except HttpError as error:
            # What comes after the last byte matters only if it is more bytes.
            if not pieces.full or error.answer is Answer.WRONG_LENGTH:
                turn.error = error
        finally:
            turn.ended = pieces.full and not turn.error
            self._servers.give_back(turn)
        return None

    def _receive(self, turn: Turn, pieces: Pieces, attempts: Attempts) -> Turn | None:
        place, url = pieces.place, turn.candidate.url
        patience = self._patience() if attempts.has_hope_beside(turn.candidate) else None
        with self._client.get(
            url, start=place.position, expected=place.length, patience=patience, line=turn.line
        ) as body:
            self._servers.answered(turn)
            pieces.begin(url, body.start)
            pace = Pace(self._clock(), self._options.timeout, self._options.limit_rate)
            slowness = Slowness(self._clock())
            for block in body.blocks():
                pieces.write(block)
                turn.received += len(block)
                self._deadline.check()
                now, rest = self._clock(), place.length - place.position
                seconds = slowness.came(len(block), now, rest)
                if seconds and (faster := self._faster(pieces, attempts, turn, seconds)):
                    turn.slow = slowness.rate
                    return faster
                pace.came(len(block), now)
        if not pieces.full:
            raise HttpError(Answer.CUT_OFF, f"{place.position:,} of {place.length:,} bytes")
        return None

    def _patience(self) -> float:
        left = self._deadline.left()
        return min(self._options.timeout, _PATIENCE, _NEVER if left is None else left / 3)

    def _faster(
        self, pieces: Pieces, attempts: Attempts, turn: Turn, seconds: float
    ) -> Turn | None:
        """The turn of one that may bring the rest in ``seconds``; that of ``turn`` is left then."""
        if pieces.bound_to:
            return None
        place, candidate = pieces.place, turn.candidate
        faster = self._servers.take_faster(
            attempts.faster_than(candidate),
            place.length - place.position,
            seconds,
            self._options.limit_rate,
        )
        if faster:
            came = f"{place.position:,} of {place.length:,} bytes"
            attempts.note(candidate, Answer.TIMEOUT, f"slow: {came}, then left for another")
            attempts.leave(candidate)
        return faster

    def _judge(self, turn: Turn, pieces: Pieces) -> HttpError | None:
        """What is wrong with a file of which all bytes came; None if it is right."""
        right = pieces.place.is_right()
        if right or pieces.from_one:
            self._servers.judge(turn, right=right)
            return None if right else HttpError(Answer.WRONG_BYTES)
        return HttpError(Answer.WRONG_BYTES, "in pieces of several answers")

    def _learn(self, turn: Turn, error: HttpError, pieces: Pieces, attempts: Attempts) -> None:
        """Decide who is asked next, after ``error``."""
        if error.answer is Answer.NO_TIME:
            raise error
        candidate = turn.candidate
        attempts.note(candidate, error.answer, error.detail)
        if turn.line.shared:  # what came may be another file's; it is asked again, alone
            if error.answer not in PASSING:
                pieces.restart()
            return
        if error.answer in PASSING:
            if pieces.progressed():
                attempts.forgive(candidate)
            elif not turn.excused:
                attempts.count(candidate)
            pause = pause_after(attempts.failures(candidate), error.after, self._random)
            attempts.postpone(candidate, self._clock() + pause)
        elif error.answer is Answer.WRONG_BYTES and not pieces.from_one:
            pieces.restart_whole()
        else:
            attempts.close(candidate)
            if pieces.last_from(candidate.url):
                pieces.restart()
