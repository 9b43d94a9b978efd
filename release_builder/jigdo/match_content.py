"""Files that stand somewhere in an image, found by their bytes alone."""

from __future__ import annotations

import os
import time
from hashlib import md5
from typing import TYPE_CHECKING, BinaryIO, Final, Generic, NamedTuple

from release_builder.jigdo.file_compare import AnyFile, FileComparer
from release_builder.jigdo.file_starts import FileStart, FileStarts, Region, run_length
from release_builder.jigdo.rolling import KnownSums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from release_builder.jigdo.file_starts import Group

_TRIED: Final = 1 << 21  # bytes
_FEW: Final = 8  # files
_COMMON: Final = 1 << 16  # bytes that tell most files apart
_CHUNK: Final = 1 << 16  # bytes, as a search takes them


class Match(NamedTuple, Generic[AnyFile]):
    """A file in its place.

    Attributes:
        offset: Of its first byte in the image.
        file: Its bytes are those of the image.
    """

    offset: int
    file: AnyFile

    @property
    def end(self) -> int:
        """The offset of the byte behind it."""
        return self.offset + self.file.size


class ContentIndex(Generic[AnyFile]):
    """Files by how they begin, to be found anywhere in an image.

    Files whose bytes are all equal are never found: they would be in all the padding.

    Args:
        files: The files; of equal ones the first is found.
        block_length: Bytes; no shorter file is found. At least 15.
        greedy: Of files that overlap take the one that ends first, as jigdo-file does by itself;
            else the one that begins first. If two do, the longer.
        numpy: Whether numpy does the sums; None for whether it is here. Both find the same.

    Raises:
        ValueError: The block length is below 15.

    Cost: the first block of each file is read, and of one that begins with a run the whole run.
    Memory for 80 bytes a file, and 200 more for each that once began and did not go on, or is
    one of more than 8 that begin with the same block.
    """

    def __init__(
        self,
        files: Iterable[AnyFile],
        block_length: int,
        *,
        greedy: bool,
        numpy: bool | None = None,
    ) -> None:
        self._files = tuple(files)
        self._greedy = greedy
        self._comparer = FileComparer(self._files)
        self._crowds: dict[Group, _Crowd[AnyFile]] = {}
        self._starts = FileStarts(self._read_starts(block_length), block_length, numpy=numpy)

    @property
    def unreadable(self) -> dict[str, str]:
        """Files that could not be read, or not as they had been listed: path and why."""
        return self._comparer.unreadable

    @property
    def given_up(self) -> dict[str, str]:
        """Files that began all too often and never went on: path and why."""
        return self._comparer.given_up

    def find(
        self,
        image: BinaryIO,
        begin: int,
        end: int,
        on_bytes: Callable[[int], object] = lambda _count: None,
    ) -> Iterator[Match[AnyFile]]:
        """The files in the bytes from ``begin`` up to ``end``: in order, compared, not overlapping.

        Args:
            image: A real file; its position stays where it is (it is read with ``os.pread``). If
                it ends before ``end``, nothing is found behind its end.
            begin: Offset of the first byte.
            end: Offset behind the last byte.
            on_bytes: Told how many bytes are done; at last ``end - begin`` in all.

        Raises:
            OSError: The image cannot be read.

        Cost: the image is read once, each file beside its place; ``rate()`` holds where no file
        is found. Comparisons in vain read at most about 64 times what the files and the image
        have together, however they repeat themselves.
        """
        region = Region(image, begin, end, on_bytes)
        self._comparer.search_begins(end - begin)
        pending: Match[AnyFile] | None = None  # one inside of it may end before
        for offset, groups in self._starts.candidates(region):
            if pending and offset >= pending.end:
                yield pending
                pending = None
            if offset < region.position:
                continue
            found = self._match(region, offset, groups, pending.end - 1 if pending else end)
            if not found:
                continue
            if pending:
                self._comparer.compared_in_vain(pending.file, pending.file.size)
            if self._greedy:
                pending = found
            else:
                region.position = found.end
                yield found
        if pending:
            yield pending

    def _read_starts(self, block_length: int) -> Iterator[FileStart]:
        for number, file in enumerate(self._files):
            if file.size < block_length:
                continue
            blocks = self._comparer.blocks(file, block_length)
            block = next(blocks, b"")
            if len(block) < block_length:
                continue
            run = run_length([block], block[:1])
            if run == block_length:
                run += run_length(blocks, block[:1])
            if run < file.size:
                yield FileStart(number, block, run)

    def _match(
        self, region: Region, offset: int, groups: set[Group], last_end: int
    ) -> Match[AnyFile] | None:
        """The best of the files at ``offset`` that end at ``last_end`` or before."""
        numbers = sorted(n for group in groups for n in self._numbers(region, offset, group))
        files = (self._files[number] for number in numbers)
        fitting = [file for file in files if offset + file.size <= last_end]
        # Sorting keeps the order of equal ones, backwards too.
        fitting.sort(key=lambda file: file.size, reverse=not self._greedy)
        for file in fitting:
            if self._comparer.equals(region, offset, file):
                return Match(offset, file)
        return None

    def _numbers(self, region: Region, offset: int, group: Group) -> Sequence[int]:
        """The files of ``group`` that may be at ``offset``: of many, those that go on alike."""
        if group not in self._crowds:
            numbers = self._starts.numbers(group)
            if len(numbers) <= _FEW:
                return numbers
            self._crowds[group] = _Crowd(self._files, numbers, self._comparer)
        return self._crowds[group].at(region, offset)


class _Crowd(Generic[AnyFile]):
    """Files that begin alike, too many to compare one after the other.

    Args:
        files: All files.
        numbers: Of those in the crowd, at least one.
        comparer: Reads the files, and is told of what was looked at in vain.
    """

    def __init__(
        self, files: Sequence[AnyFile], numbers: Sequence[int], comparer: FileComparer[AnyFile]
    ) -> None:
        self._comparer = comparer
        self._payers = [files[number] for number in numbers]
        self._by_length: dict[int, dict[bytes, list[int]]] = {}  # of what is hashed, rising
        for number in sorted(numbers, key=lambda number: files[number].size):
            block = next(comparer.blocks(files[number], _COMMON), b"")
            if len(block) < min(files[number].size, _COMMON):
                continue  # unreadable
            key = md5(block, usedforsecurity=False).digest()
            self._by_length.setdefault(len(block), {}).setdefault(key, []).append(number)

    def at(self, region: Region, offset: int) -> list[int]:
        """The numbers of the files whose first bytes stand at ``offset``."""
        while self._payers and self._payers[-1].path in self._comparer.given_up:
            self._payers.pop()
        if not self._payers:
            return []
        block = region.read(offset, max(self._by_length, default=0))
        found: list[int] = []
        whole, position = md5(usedforsecurity=False), 0
        for length, by_key in self._by_length.items():
            whole.update(block[position:length])
            position = length
            found += by_key.get(whole.digest(), ())
        if not found:
            self._comparer.compared_in_vain(self._payers[-1], len(block))
        return found


def rate(*, numpy: bool | None = None) -> float:
    """The bytes that this machine searches in a second where no file is found.

    Args:
        numpy: See ContentIndex.
    """
    noise = os.urandom(_TRIED)
    known = KnownSums([1], 127, numpy=numpy)
    begin = time.perf_counter()
    for offset in range(0, _TRIED, _CHUNK):
        known.find(noise[offset : offset + _CHUNK])
    return _TRIED / (time.perf_counter() - begin)
