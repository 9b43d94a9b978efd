"""How long a server is left alone after a failure, how slow it may be, and when all waiting ends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from release_builder.transport.http import Answer, HttpError

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST: Final = 0.5  # seconds that the first pause may take; doubled for each further one
_LONGEST: Final = 30.0
_LONGEST_ASKED: Final = 60.0  # a server that wants more is asked too early
_DOUBLINGS: Final = 16  # of which the pause is long at its longest
_FIRST_PROBE: Final = 2.0  # seconds; doubled for each further one
_DAY: Final = 86_400.0
_SHORTEST: Final = 0.001  # seconds: sockets take no 0
_SLOWEST: Final = 1024.0  # bytes a second
_SHARES: Final = 256  # more connections than ever share a limited rate


def pause_after(failures: int, asked: float, random: Callable[[], float]) -> float:
    """Seconds until a server is asked again.

    The pause is drawn evenly between nothing and its longest ("full jitter"), so that clients
    which failed together do not come again together.

    Args:
        failures: How often it failed in a row; 0 if it gave much before it did.
        asked: Seconds that it asked to be left alone; at most a minute is granted.
        random: A number from 0 up to 1.
    """
    longest = min(_LONGEST, _FIRST * 2.0 ** min(max(failures - 1, 0), _DOUBLINGS))
    return rest(asked) + random() * longest


def rest(asked: float) -> float:
    """Of the seconds that a server asked to be left alone, those that it gets."""
    return min(max(asked, 0.0), _LONGEST_ASKED)


def pause_before_probe(failed: int, random: Callable[[], float]) -> float:
    """Seconds until somebody looks whether a server is back: about 2, 4, 8, 16, then 30.

    Args:
        failed: How many probes did not find it.
        random: A number from 0 up to 1; it makes the pause up to a quarter shorter or longer.
    """
    usual = min(_LONGEST, _FIRST_PROBE * 2.0 ** min(failed, _DOUBLINGS))
    return usual * (0.75 + 0.5 * random())


def bounded(seconds: float) -> float:
    """``seconds`` as sockets and locks can wait them: more than none, and a day at most."""
    return _DAY if math.isnan(seconds) else min(max(seconds, _SHORTEST), _DAY)


def end_after(seconds: float | None, now: float) -> float | None:
    """When ``seconds`` from ``now`` are over; None for never, as for no number of seconds."""
    return now + seconds if seconds is not None and math.isfinite(seconds) else None


class Deadline:
    """When all fetching ends: after its time, or when somebody stops it.

    Args:
        seconds: From now on; None for no end.
        clock: Seconds that only grow.
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends_at = end_after(seconds, clock())
        self._stopped = False

    def stop(self) -> None:
        """It is now."""
        self._stopped = True

    def check(self) -> None:
        """Go on.

        Raises:
            HttpError: NO_TIME: it is over.
        """
        if self._stopped:
            raise HttpError(Answer.NO_TIME, "stopped")
        if self._ends_at is not None and self._clock() >= self._ends_at:
            raise HttpError(Answer.NO_TIME)

    def left(self, at_most: float | None = None) -> float | None:
        """Seconds until then, ``at_most``, or a day if that is less; None for no end."""
        if self._ends_at is None:
            return at_most
        left = min(_DAY, max(0.0, self._ends_at - self._clock()))
        return left if at_most is None else min(left, at_most)


class Pace:
    """Tells a server that only trickles: such a one is never silent, and never done.

    Args:
        now: When the body began to come, in seconds.
        window: Seconds over which it may be slow.
        limit_rate: Bytes a second that we take from all servers together, if not all we get.
    """

    def __init__(self, now: float, window: float, limit_rate: int | None) -> None:
        self._since = now
        self._window = bounded(window)
        # Whom we hold back is not slow.
        self._floor = _SLOWEST if limit_rate is None else min(_SLOWEST, limit_rate / _SHARES)
        self._came = 0

    def came(self, amount: int, now: float) -> None:
        """More bytes came.

        Raises:
            HttpError: TIMEOUT: too few of them in a whole window.
        """
        self._came += amount
        passed = now - self._since
        if passed < self._window:
            return
        if self._came < self._floor * passed:
            raise HttpError(Answer.TIMEOUT, f"slow: {self._came:,} bytes in {passed:.0f} s")
        self._since, self._came = now, 0
