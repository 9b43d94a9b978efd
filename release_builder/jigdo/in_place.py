"""What an unfinished image already has."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, BinaryIO

from release_builder.digests import BLOCK
from release_builder.files import read_at
from release_builder.jigdo.rsync_sum import template_sums

if TYPE_CHECKING:
    from release_builder.digests import Digest
    from release_builder.jigdo.entries import MatchedFile


class InPlace:
    """The place of a part in the image itself: a candidate like any other.

    Args:
        out: The unfinished image.
        offset: Where the part belongs.
    """

    where = "the unfinished image"

    def __init__(self, out: BinaryIO, offset: int) -> None:
        self._out = out
        self._offset = offset

    def may_hold(self, part: MatchedFile, sum_length: int | None) -> bool:
        """Whether the first bytes there are those of ``part``."""
        file = self._out.fileno()
        try:  # a hole reads as zeros and is skipped unread
            if os.lseek(file, self._offset, os.SEEK_DATA) >= self._offset + part.length:
                return False
        except OSError as error:
            if not _knows_no_holes(error):  # no data from here to the end
                return False
        if part.rsync_sum is None or sum_length is None:
            return True
        first = read_at(file, min(sum_length, part.length), self._offset)
        return part.rsync_sum in template_sums(first, sum_length)

    def held(self, length: int) -> int:
        """How many of ``length`` bytes an earlier run may have written, if not all.

        Those before a hole; or, if neighbours filled the blocks of the last ones, those before the
        zeros at the end.
        """
        file = self._out.fileno()
        try:
            if os.lseek(file, self._offset, os.SEEK_DATA) != self._offset:
                return 0
            hole = os.lseek(file, self._offset, os.SEEK_HOLE)
        except OSError as error:  # no data from here to the end
            return self._before_zeros(length) if _knows_no_holes(error) else 0
        block = os.fstat(file).st_blksize
        if hole < self._offset + length:
            # Where the last block was filled by half, zeros follow.
            return max(0, hole - self._offset - block)
        count = min(length, 2 * block)
        last = read_at(file, count, self._offset + length - count)
        left = len(last.rstrip(b"\0"))
        return length - count + left if left < count else 0  # all of it is there, but wrong

    def _before_zeros(self, length: int) -> int:
        """The same where holes cannot be told from zeros."""
        end = length
        while end:
            begin = max(0, end - BLOCK)
            piece = read_at(self._out.fileno(), end - begin, self._offset + begin)
            if kept := piece.rstrip(b"\0"):
                held = begin + len(kept)
                return held if held < length else 0
            end = begin
        return 0

    def open(self) -> BinaryIO:
        """See Candidate."""
        self._out.seek(self._offset)
        return os.fdopen(os.dup(self._out.fileno()), "rb", buffering=0)

    def known(self, algorithm: str, /) -> None:
        """See Candidate."""

    def confirm(self, digest: Digest, /) -> None:
        """See Candidate; it stays where it is."""


def _knows_no_holes(error: OSError) -> bool:
    """Linux before 3.1 says so; later ones have ENXIO for an offset behind all data."""
    return error.errno == errno.EINVAL


class Elsewhere:
    """Another place in the image where the same part belongs, and seems to be.

    Args:
        place: That place.
        offset: Its first byte.
    """

    def __init__(self, place: InPlace, offset: int) -> None:
        self.where = f"the unfinished image at byte {offset:,}"
        self._place = place

    def open(self) -> BinaryIO:
        """See Candidate."""
        return self._place.open()

    def known(self, algorithm: str, /) -> None:
        """See Candidate."""

    def confirm(self, digest: Digest, /) -> None:
        """See Candidate; nothing is remembered."""
