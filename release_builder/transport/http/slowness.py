"""Whether a server gives its bytes so slowly that another should go on."""

from __future__ import annotations

from typing import Final

_LOOK: Final = 1.0  # seconds between two looks
_BEARABLE: Final = 3.0  # seconds that the rest may take without a look at the others
_TIMES: Final = 3.0  # as quick must another be: a guess is no measure
_WEIGHT: Final = 0.5  # of the newest second in a moving average


class Slowness:
    """How fast the bytes of one answer come.

    Args:
        now: When they began to, in seconds.
    """

    def __init__(self, now: float) -> None:
        self._looked_at = now
        self._came = 0
        self._rate: float | None = None

    @property
    def rate(self) -> float | None:
        """Bytes a second, lately; None before the first look."""
        return self._rate

    def came(self, amount: int, now: float, rest: int) -> float | None:
        """More bytes came.

        Args:
            amount: How many.
            now: When.
            rest: How many are to come.

        Returns:
            Seconds in which another must bring the rest to be worth asking; None if nobody need
            be looked for, now.
        """
        self._came += amount
        passed = now - self._looked_at
        if passed < _LOOK:
            return None
        newest = self._came / passed
        if self._rate is None:
            self._rate = newest
        else:
            self._rate += _WEIGHT * (newest - self._rate)
        self._looked_at, self._came = now, 0
        needed = rest / self._rate
        return needed / _TIMES if needed > _BEARABLE else None
