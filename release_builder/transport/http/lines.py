"""Which requests to a server go by one connection."""

from __future__ import annotations

from typing import Final

from release_builder.transport.http.line import Line

_DEPTH: Final = 3  # requests on a shared connection
_FIT: Final = 8  # right files in answers that show that a server's connections can be shared
_FAR: Final = 0.005  # seconds to a server and back from which on it pays


class Lines:
    """The connections to one server; not thread-safe: ``Servers`` has the lock.

    They are shared only once the server has shown that it can do that, if it is far away, and by
    files that come in less time than it takes to ask for them.
    """

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._fit = 0
        self._unfit = False
        self._round_trip = float("inf")  # the shortest there was: others had to wait here

    @property
    def depth(self) -> int:
        """How many requests may be under way by one of them."""
        shared = self._fit >= _FIT and not self._unfit and self._round_trip >= _FAR
        return _DEPTH if shared else 1

    def room(self, allowed: int) -> int:
        """How many requests more may be under way if ``allowed`` connections may be open."""
        room = max(0, allowed - len(self._lines)) * self.depth
        if self.depth > 1:
            room += sum(self.depth - line.users for line in self._lines if _is_open(line))
        return room

    def begin(self, allowed: int, seconds: float) -> Line:
        """The line for a request for which there is room.

        Args:
            allowed: Connections that may be open.
            seconds: That its answer takes once it has begun.
        """
        if len(self._lines) < allowed:
            line = Line(shared=self.depth > 1)
            self._lines.append(line)
        else:
            line = min(filter(_is_open, self._lines), key=lambda each: each.users)
        line.users += 1
        line.long = seconds > self._round_trip
        return line

    def end(self, line: Line) -> None:
        """A request that went by ``line`` is over."""
        line.users -= 1
        if not line.users:
            self._lines.remove(line)

    def timed(self, seconds: float) -> None:
        """An answer by a line of its own began ``seconds`` after its request."""
        self._round_trip = min(self._round_trip, seconds)

    def right(self, line: Line) -> None:
        """A right file came by ``line``."""
        self._fit += line.fit

    def unfit(self) -> None:
        """Something went wrong with one that was shared."""
        self._unfit = True


def _is_open(line: Line) -> bool:
    """Whether another request may follow."""
    return line.shared and line.users < _DEPTH and not line.long
