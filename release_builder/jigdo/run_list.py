"""The runs of an image in the making, in order, while the digests of its parts are under way."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from release_builder.digests import LENGTHS, Digest
from release_builder.jigdo.entries import (
    ENTRY_SIZES,
    FILE_TYPES,
    MatchedFile,
    UnmatchedData,
    format_run,
)
from release_builder.jigdo.file_index import AnyFile
from release_builder.jigdo.part_digests import PartDigests

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import Self


@dataclass(slots=True)
class Match(Generic[AnyFile]):
    """A part in its place.

    Attributes:
        offset: In the image.
        file: The file that it equals.
        rsync_sum: 8 bytes.
        digest: None as long as it is under way.
        status: Of the file, from before it was read; None if its digest was known.
    """

    offset: int
    file: AnyFile
    rsync_sum: bytes
    digest: Digest | None
    status: os.stat_result | None


class RunList(Generic[AnyFile]):
    """Takes runs in image order.

    Args:
        algorithm: Of the parts' digests.
        on_match: Told of each match and its digest once that is known, in image order.

    Attributes:
        digests: Hashes parts; what it tells belongs to the matches that have no digest yet.
        entries: The DESC entries of all runs that are settled, encoded.
        parts: A file for each content, in image order.
        bytes_matched: All parts together.
        bytes_unmatched: All other runs together.
    """

    def __init__(
        self, algorithm: str, on_match: Callable[[Match[AnyFile], Digest], object]
    ) -> None:
        self.digests = PartDigests(algorithm, self._hashed)
        self.entries = bytearray()
        self.parts: dict[Digest, AnyFile] = {}
        self.bytes_matched = 0
        self.bytes_unmatched = 0
        self._algorithm = algorithm
        self._on_match = on_match
        self._unsettled: deque[UnmatchedData | Match[AnyFile]] = deque()
        self._unhashed: deque[Match[AnyFile]] = deque()
        self._unmatched = 0  # bytes of the run that goes on

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.digests.__exit__(*error)

    def unmatched(self, length: int) -> None:
        """The next ``length`` bytes are in no part."""
        self._unmatched += length
        self.bytes_unmatched += length

    def part(self, match: Match[AnyFile]) -> None:
        """The next bytes are those of ``match``; ``digests`` were given them if it has no digest."""
        self._end_unmatched()
        self._unsettled.append(match)
        if match.digest is None:
            self._unhashed.append(match)
        self.bytes_matched += match.file.size
        self._settle()

    def finish(self) -> None:
        """Wait for the digests; then ``entries`` and ``parts`` are whole."""
        self._end_unmatched()
        self.digests.finish()
        self._settle()

    def spare_smallest(self, limit: int) -> range:
        """Make the smallest part unmatched, if that is at most ``limit`` bytes.

        Only when all is finished and every run is a part.

        Returns:
            Its bytes in the image; empty when none is small enough.
        """
        size = 1 + ENTRY_SIZES[FILE_TYPES[self._algorithm]]
        entries = range(0, len(self.entries), size)
        lengths = [int.from_bytes(self.entries[at + 1 : at + 7], "little") for at in entries]
        number = min(range(len(lengths)), key=lengths.__getitem__, default=None)
        if number is None or lengths[number] > limit:
            return range(0)
        at, length, begin = entries[number], lengths[number], sum(lengths[:number])
        digest = bytes(self.entries[at + size - LENGTHS[self._algorithm] : at + size])
        self.entries[at : at + size] = format_run(UnmatchedData(length))
        if digest not in self.entries:
            del self.parts[Digest(self._algorithm, digest)]
        self.bytes_matched -= length
        self.bytes_unmatched += length
        return range(begin, begin + length)

    def _end_unmatched(self) -> None:
        if self._unmatched:
            self._unsettled.append(UnmatchedData(self._unmatched))
        self._unmatched = 0

    def _hashed(self, digest: Digest) -> None:
        self._unhashed.popleft().digest = digest
        self._settle()

    def _settle(self) -> None:
        while self._unsettled:
            run = self._unsettled[0]
            if isinstance(run, UnmatchedData):
                self.entries += format_run(run)
            elif run.digest is None:
                return
            else:
                part = MatchedFile(run.file.size, run.rsync_sum, run.digest)
                self.entries += format_run(part)
                self.parts.setdefault(run.digest, run.file)
                self._on_match(run, run.digest)
            self._unsettled.popleft()
