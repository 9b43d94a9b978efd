"""What an unfinished image already has."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

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
        except OSError:  # no data from here to the end
            return False
        if part.rsync_sum is None or sum_length is None:
            return True
        first = os.pread(file, min(sum_length, part.length), self._offset)
        return part.rsync_sum in template_sums(first, sum_length)

    def held(self, length: int) -> int:
        """How many of ``length`` bytes an earlier run may have written: those before a hole."""
        file = self._out.fileno()
        try:
            if os.lseek(file, self._offset, os.SEEK_DATA) != self._offset:
                return 0
            hole = os.lseek(file, self._offset, os.SEEK_HOLE)
        except OSError:  # no data from here to the end
            return 0
        if hole >= self._offset + length:  # no begin of something, but wrong
            return 0
        # Where the last block was filled by half, zeros follow.
        return max(0, hole - self._offset - os.fstat(file).st_blksize)

    def open(self) -> BinaryIO:
        """See Candidate."""
        self._out.seek(self._offset)
        return os.fdopen(os.dup(self._out.fileno()), "rb", buffering=0)

    def confirm(self, digest: Digest, /) -> None:
        """See Candidate; it stays where it is."""
