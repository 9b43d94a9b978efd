"""So many bytes a second and no more, all connections together."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from release_builder.digests import BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECES: Final = 8  # a second: bytes come evenly, and nobody sleeps for long


class RateLimit:
    """A bucket that fills with ``rate`` bytes a second and holds those of an eighth of one.

    Who takes more than there is owes it and sleeps until it has come; so the threads are served
    in the order in which they asked.

    Args:
        rate: Bytes a second; None for no limit.
        clock: Seconds, from any start.
        sleep: Lets so many seconds pass.

    Attributes:
        piece: Bytes that should be read at once.
    """

    def __init__(
        self,
        rate: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.piece = BLOCK if rate is None else max(1, min(BLOCK, rate // _PIECES))
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._paid_until = clock()  # when the bucket is empty and nobody owes anything

    def take(self, count: int, ends_at: float | None = None) -> None:
        """Have ``count`` bytes counted, which came; return when the next may.

        Args:
            count: How many bytes.
            ends_at: When to return at the latest, by the clock.
        """
        if self._rate is None:
            return
        with self._lock:
            now = self._clock()
            full = now - 1 / _PIECES
            self._paid_until = max(self._paid_until, full) + count / self._rate
            until = self._paid_until
        if ends_at is not None:
            until = min(until, ends_at)
        if until > now:
            self._sleep(until - now)
