"""Which server is asked next, how many at a time, and how long all wait for their turns."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from release_builder.transport.http import Answer
from release_builder.transport.http.outage import Outage
from release_builder.transport.http.server import Server, ServerStatistics
from release_builder.transport.http.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_builder.transport.http.attempts import Candidate
    from release_builder.transport.http.backoff import Deadline

_USUAL: Final = 8  # requests at a time to one server
_NEVER: Final = float("inf")
_GOOD_ENOUGH: Final = 8.0  # times dearer than the best: better than to wait for that one


class Servers:
    """All servers of a run, for all threads. No lock is held while a server is asked.

    Args:
        allowed: Requests at a time to one server; None for 8.
        deadline: When all waiting ends.
        clock: Seconds that only grow.
        sleep: Waits for some seconds; None for a wait that ``stop`` ends.
        new_outage: Makes what tells whether a server is away.
    """

    def __init__(
        self,
        allowed: int | None,
        deadline: Deadline,
        clock: Callable[[], float],
        sleep: Callable[[float], object] | None = None,
        *,
        new_outage: Callable[[], Outage] = Outage,
    ) -> None:
        self._allowed = _USUAL if allowed is None else allowed
        self._deadline = deadline
        self._clock = clock
        self._sleep = sleep
        self._new_outage = new_outage
        self._servers: dict[str, Server] = {}
        # Its lock may be taken twice: a signal's handler that stops all runs in a thread that
        # may hold it.
        self._changed = threading.Condition()

    def stop(self) -> None:
        """End all waiting."""
        self._deadline.stop()
        with self._changed:
            self._changed.notify_all()

    def take(
        self, candidates: Sequence[Candidate], length: int, *, patient: bool = True
    ) -> Turn | None:
        """Wait for the turn to ask the best of ``candidates`` for a file of ``length`` bytes.

        Args:
            candidates: Whom the file may come from.
            length: Bytes of the file.
            patient: Whether to wait for servers that are away, if all are.

        Returns:
            The turn, to be given back; None if no server of theirs is to be asked: ``barred`` of
            each says why.

        Raises:
            HttpError: NO_TIME.
        """
        waiting = object()
        with self._changed:
            try:
                while True:
                    self._deadline.check()
                    now = self._clock()
                    admitted = self._admitted(candidates, now, patient=patient)
                    if not admitted:
                        return None
                    ready = self._ready(admitted, now)
                    if not ready:
                        self._leave_queues(waiting)
                        self._pause(min(map(self._ready_at, admitted)) - now)
                        continue
                    ranked = self._ranked(ready, length, now)
                    for candidate in ranked:
                        if self._has_room(self._servers[candidate.server], waiting):
                            return self._begin(candidate, length, now)
                    self._queue(waiting, {candidate.server for candidate in ranked})
                    # Not only for room: another candidate may be ready sooner.
                    later = (at - now for at in map(self._ready_at, admitted) if at > now)
                    self._wait(min(later, default=_NEVER))
            finally:
                self._leave_queues(waiting)

    def take_faster(
        self,
        candidates: Sequence[Candidate],
        length: int,
        seconds: float,
        limit_rate: int | None = None,
    ) -> Turn | None:
        """The turn to ask one that is free and may give ``length`` bytes in less than ``seconds``.

        Args:
            candidates: Whom to look at.
            length: Bytes of the file that are to come.
            seconds: In which a server must bring them.
            limit_rate: Bytes a second that we take from all together; None for all that come.

        Returns:
            The turn, to be given back; None, at once, if there is no such server.
        """
        with self._changed:
            now = self._clock()
            sharing = sum(server.under_way for server in self._servers.values())
            if limit_rate is not None and length * sharing >= seconds * limit_rate:
                return None  # it is us who hold them back
            ready = [
                one
                for one in candidates
                if not (self._server(one).dropped or self._server(one).distrusted)
                and self._ready_at(one) <= now
                and self._has_room(self._server(one))
                and self._server(one).cost(length, now, self._allowed) < seconds
            ]
            return self._begin(self._ranked(ready, length, now)[0], length, now) if ready else None

    def answered(self, turn: Turn) -> None:
        """The server of ``turn`` began to answer."""
        with self._changed:
            turn.answered = self._clock()
            turn.server.answer(turn, turn.answered, turn.line)

    def give_back(self, turn: Turn) -> None:
        """The server of ``turn`` is not asked any longer: by its end, its error, or ours."""
        with self._changed:
            now = self._clock()
            seconds = 0.0 if turn.answered is None else now - turn.answered
            turn.server.end(turn, turn.received, seconds)
            turn.server.lines.end(turn.line)
            if turn.error and not turn.error.sent:
                turn.server.unsent()
            if turn.ended:
                turn.server.went_well(now)
            elif turn.slow is not None:
                turn.server.was_slow(turn.slow)
            elif turn.line.shared:  # which may be why
                turn.server.lines.unfit()
            elif turn.error and turn.error.answer is not Answer.NO_TIME:  # which is our own doing
                turn.excused = turn.server.failed(
                    turn.error, turn.candidate.file, now, probe=turn.probe
                )
            self._changed.notify_all()

    def judge(self, turn: Turn, *, right: bool) -> None:
        """The whole file that the server of ``turn`` gave is right, or not."""
        with self._changed:
            if right:
                turn.server.lines.right(turn.line)
            elif turn.line.shared:
                turn.server.lines.unfit()
                return
            turn.server.judge(right=right, now=self._clock())
            self._changed.notify_all()

    def depth(self) -> int:
        """How many requests at a time a connection takes, to the server that takes most."""
        with self._changed:
            return max((server.lines.depth for server in self._servers.values()), default=1)

    def dropped(self) -> tuple[tuple[str, str], ...]:
        """The servers that are asked no more, and why; in the order first met."""
        with self._changed:
            return tuple(
                (server.name, server.dropped) for server in self._servers.values() if server.dropped
            )

    def distrusted(self) -> tuple[tuple[str, str], ...]:
        """The servers that are asked only for what nobody else has, and why."""
        with self._changed:
            return tuple(
                (one.name, one.distrusted) for one in self._servers.values() if one.distrusted
            )

    def statistics(self) -> tuple[ServerStatistics, ...]:
        """What each server did so far, in the order first met."""
        with self._changed:
            return tuple(server.statistics() for server in self._servers.values())

    def _server(self, candidate: Candidate) -> Server:
        if candidate.server not in self._servers:
            self._servers[candidate.server] = Server(candidate.server, self._new_outage())
        return self._servers[candidate.server]

    def _admitted(
        self, candidates: Sequence[Candidate], now: float, *, patient: bool
    ) -> list[Candidate]:
        """Those whose server may be asked, but no last one before all the others were.

        Who is away is waited for if it alone may have the file, who lied is asked if it alone may.
        """
        for candidate in candidates:
            candidate.barred = self._server(candidate).barred(now)
        admitted = [candidate for candidate in candidates if not candidate.barred]
        if patient and not admitted:
            admitted = [one for one in candidates if self._server(one).may_come_back]
            for candidate in admitted:
                candidate.barred = None
        admitted = [one for one in admitted if not self._server(one).distrusted] or admitted
        usual = [candidate for candidate in admitted if not candidate.last]
        all_failed = all(candidate.requests for candidate in usual)
        return admitted if all_failed else usual

    def _ready_at(self, candidate: Candidate) -> float:
        return max(candidate.ready_at, self._server(candidate).ready_at)

    def _ready(self, admitted: Sequence[Candidate], now: float) -> list[Candidate]:
        """Those that may be asked now, but no last one if another may."""
        ready = [candidate for candidate in admitted if self._ready_at(candidate) <= now]
        return [candidate for candidate in ready if not candidate.last] or ready

    def _ranked(self, ready: Sequence[Candidate], length: int, now: float) -> list[Candidate]:
        """The best one first; without those that are so bad that the best is better waited for."""
        costs = {
            candidate: self._servers[candidate.server].cost(length, now, self._allowed)
            for candidate in ready
        }
        bearable = _GOOD_ENOUGH * min(costs.values())
        new = {one for one in ready if self._servers[one.server].is_new}
        return sorted(
            (one for one in ready if one in new or costs[one] <= bearable),
            key=lambda one: (one not in new, one.requests, costs[one]),
        )

    def _has_room(self, server: Server, waiting: object = None) -> bool:
        queue = server.queue
        ahead = queue.index(waiting) if waiting in queue else len(queue)
        return server.lines.room(self._allowed) > ahead

    def _begin(self, candidate: Candidate, length: int, now: float) -> Turn:
        server = self._servers[candidate.server]
        line = server.lines.begin(self._allowed, server.body_seconds(length))
        turn = Turn(candidate, server, line, now)
        candidate.requests += 1
        turn.probe = server.begin(turn, now)
        return turn

    def _queue(self, waiting: object, names: set[str]) -> None:
        for server in self._servers.values():
            if (server.name in names) == (waiting in server.queue):
                continue
            if server.name in names:
                server.queue.append(waiting)
            else:
                server.queue.remove(waiting)

    def _leave_queues(self, waiting: object) -> None:
        if any(waiting in server.queue for server in self._servers.values()):
            self._queue(waiting, set())
            self._changed.notify_all()  # who waited behind it may be next

    def _pause(self, seconds: float) -> None:
        if self._sleep is None or seconds == _NEVER:
            self._wait(seconds)
            return
        self._changed.release()
        try:
            self._sleep(self._deadline.left(seconds) or 0.0)
        finally:
            self._changed.acquire()

    def _wait(self, seconds: float) -> None:
        """Until something changes, but no longer than ``seconds``."""
        self._changed.wait(self._deadline.left(None if seconds == _NEVER else seconds))
