"""Sums over windows of an image, and which of them are known; with numpy or without.

A window is a number of whole words of 8 bytes, its sum that of the words modulo 2**64. All windows
of a chunk take two passes: a running total, then differences of it. Words of 8 bytes, because
Python adds 64 bits as fast as it adds 8, and a sum that only has to tell windows apart may be any.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import accumulate, compress, count, repeat
from operator import and_, sub
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WORD: Final = 8  # bytes
_64_BITS: Final = (1 << 64) - 1
_FLAG_BITS: Final = range(16, 23)  # 64 KiB to 4 MiB, which the processor's cache holds


def uses_numpy() -> bool:
    """Whether numpy is here (the extra ``fast``), so that it is used."""
    try:
        import numpy  # noqa: F401, PLC0415 - an extra, found missing only where it is wanted
    except ImportError:
        return False
    return True


def window_sum(window: bytes) -> int:
    """The sum of one window, which is whole words."""
    return sum(memoryview(window).cast("Q")) & _64_BITS


class KnownSums:
    """Finds the windows with one of certain sums.

    Args:
        sums: Each below 2**64; in any order, repeated or not.
        words: Words in a window, at least 1.
        numpy: Whether numpy does the sums; None for whether it is here.

    Memory: 8 bytes a sum, and at most 4 MiB.
    """

    def __init__(self, sums: Sequence[int], words: int, *, numpy: bool | None = None) -> None:
        self._words = words
        self._sorted = array("Q")
        for highest_bits in range(16):  # all at once would take five times their memory
            part = (each for each in sums if each >> 60 == highest_bits)
            self._sorted.extend(sorted(part))
        # At 64 flags for each sum hardly a wrong one passes; then the search is rarely needed.
        wanted = (64 * len(self._sorted)).bit_length()
        self._mask = (1 << min(max(wanted, _FLAG_BITS.start), _FLAG_BITS[-1])) - 1
        self._flags = bytearray(self._mask + 1)
        for each in self._sorted:
            self._flags[each & self._mask] = 1
        with_numpy = uses_numpy() if numpy is None else numpy
        self._engine: Callable[[memoryview], list[int]]
        self._engine = self._numpy_engine() if with_numpy else self._plain

    def __bool__(self) -> bool:
        """Whether any sum is known."""
        return bool(self._sorted)

    def find(self, chunk: bytes) -> list[int]:
        """The offsets in ``chunk``, multiples of WORD, where windows with a known sum begin.

        They are in order. Windows that are not wholly in ``chunk`` do not count.
        """
        if len(chunk) < self._words * WORD or not self:
            return []
        return self._engine(memoryview(chunk)[: len(chunk) // WORD * WORD])

    def _plain(self, chunk: memoryview) -> list[int]:
        # Each step is a pass in C: a loop in Python would take ten times as long.
        totals = list(accumulate(chunk.cast("Q"), initial=0))
        sums = list(map(sub, totals[self._words :], totals))
        flags = map(self._flags.__getitem__, map(and_, sums, repeat(self._mask)))
        return [word * WORD for word in compress(count(), flags) if self._knows(sums[word])]

    def _knows(self, exact_sum: int) -> bool:
        wanted = exact_sum & _64_BITS
        place = bisect_left(self._sorted, wanted)
        return place < len(self._sorted) and self._sorted[place] == wanted

    def _numpy_engine(self) -> Callable[[memoryview], list[int]]:
        import numpy as np  # noqa: PLC0415 - see uses_numpy

        known = np.array(self._sorted, np.uint64)
        flags = np.frombuffer(self._flags, np.bool_)
        mask = np.uint64(self._mask)

        def find(chunk: memoryview) -> list[int]:
            totals = np.zeros(len(chunk) // WORD + 1, np.uint64)
            np.cumsum(np.frombuffer(chunk, np.uint64), out=totals[1:])
            sums = totals[self._words :] - totals[: -self._words]
            flagged = np.flatnonzero(flags[(sums & mask).view(np.int64)])
            # Without the last, so that each place is one in ``known``.
            nearest = np.searchsorted(known[:-1], sums[flagged])
            places: list[int] = (flagged[known[nearest] == sums[flagged]] * WORD).tolist()
            return places

        return find
