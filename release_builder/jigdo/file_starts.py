"""Where in an image the files of a list may begin, at whatever offset.

Only every eighth byte of the image is looked at. A window there that is 7 bytes shorter than a
block lies in the first block of the file around it, in one of eight shifts; the sums of these
eight windows of each file are known beforehand. A window of equal bytes says nothing: it is in all
the padding. There the end of the run tells where a file may begin, since its own run must end too.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias

from release_builder.digests import BLOCK
from release_builder.files import read_at
from release_builder.jigdo.rolling import WORD, KnownSums, window_sum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_CHUNK: Final = 1 << 16  # bytes; more would be summed in vain when a file is found in it
_FIRST_READ: Final = 1 << 12  # bytes; most runs are the padding of a sector

# Files that begin alike: two places among FileStarts' numbers, or -1 and one number.
Group: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FileStart:
    """How a file begins.

    Attributes:
        number: Of the file in its list.
        block: Its first block.
        run: The number of equal bytes that it begins with, at least 1; less than its size.
    """

    number: int
    block: bytes
    run: int


class Region:
    """A stretch of an image that is searched.

    Args:
        image: A real file; its position stays where it is, for all reads are ``os.pread``.
        begin: Offset of the first byte.
        end: Offset behind the last byte; the image may end before it.
        on_bytes: Told how many bytes are done.

    Attributes:
        position: The first offset where a file may still begin; raised by who finds one.
        end: As given.
    """

    def __init__(
        self, image: BinaryIO, begin: int, end: int, on_bytes: Callable[[int], object]
    ) -> None:
        self.position = begin
        self.end = end
        self._descriptor = image.fileno()
        self._on_bytes = on_bytes
        self._reported = begin

    def read(self, offset: int, count: int) -> bytes:
        """``count`` bytes from ``offset`` on, or as many as there are."""
        return read_at(self._descriptor, max(min(count, self.end - offset), 0), offset)

    def run_end(self, offset: int, value: bytes) -> int:
        """Where the run of the byte ``value`` ends that ``offset`` is in."""
        return offset + run_length(self._blocks(offset), value)

    def done_to(self, offset: int) -> None:
        """Report what lies before ``offset``."""
        if offset > self._reported:
            self._on_bytes(offset - self._reported)
            self._reported = offset

    def _blocks(self, offset: int) -> Iterator[bytes]:
        count = _FIRST_READ
        while block := self.read(offset, count):
            yield block
            offset += len(block)
            count = min(2 * count, BLOCK)


class FileStarts:
    """Files by how they begin.

    Args:
        starts: Of the files, numbers rising; consumed at once.
        block_length: Bytes of each first block, at least 15.
        numpy: See KnownSums.

    Raises:
        ValueError: The block length is below 15.

    Memory: about 80 bytes a file.
    """

    def __init__(
        self, starts: Iterable[FileStart], block_length: int, *, numpy: bool | None = None
    ) -> None:
        words = (block_length - WORD + 1) // WORD
        if words < 1:
            raise ValueError(f"a block of {block_length} bytes is too short to be found")
        self._block_length = block_length
        self._width = words * WORD
        self._runs: dict[bytes, list[tuple[int, int]]] = {}  # byte: run and number of each file
        self._flat: set[bytes] = set()  # bytes of which a whole window consists
        sums, heads, numbers = array("Q"), array("q"), array("I")
        for start in starts:
            sums.extend(self._window_sums(start))
            # Else the block of equal bytes is that of all such files: their runs tell more.
            if start.run < block_length:
                heads.append(hash(start.block))
                numbers.append(start.number)
        order = sorted(range(len(heads)), key=heads.__getitem__)
        self._heads = array("q", (heads[each] for each in order))  # rising
        self._numbers = array("I", (numbers[each] for each in order))
        self._sums = KnownSums(sums, words, numpy=numpy)

    def candidates(self, region: Region) -> Iterator[tuple[int, set[Group]]]:
        """Offsets in ``region``, rising, with the groups of files that may begin there.

        None before ``region.position`` is new, and what it passes meanwhile is not read.
        """
        waiting: list[tuple[int, Group]] = []  # a heap
        at = flat_to = region.position
        while self._sums and (chunk := region.read(at, _CHUNK + self._block_length)):
            for place in self._places(chunk[: _CHUNK + self._width - WORD]):
                offset = at + place
                if offset < max(region.position, flat_to):
                    continue
                window = chunk[place : place + self._width]
                if _is_flat(window):
                    run_end = region.run_end(offset, window[:1])
                    flat_to = run_end - self._width + 1
                    for run, number in self._runs.get(window[:1], ()):
                        if run_end - run > offset - WORD:
                            heappush(waiting, (run_end - run, (-1, number)))
                for shift in range(min(WORD, offset - region.position + 1)):
                    first = place - shift
                    block = (
                        chunk[first : first + self._block_length]
                        if first >= 0
                        else region.read(at + first, self._block_length)
                    )
                    group = self._with_block(block)
                    if group:
                        heappush(waiting, (at + first, group))
                # What is found from here on begins later than these.
                yield from _ready(waiting, offset)
            yield from _ready(waiting, at + _CHUNK - WORD)
            at = max(at + _CHUNK, region.position, flat_to)
            region.done_to(min(at, region.end))
        region.done_to(region.end)

    def _window_sums(self, start: FileStart) -> Iterator[int]:
        """The sums of the windows at each shift; those of equal bytes are noted."""
        value = start.block[:1]
        if start.run >= self._width:
            self._runs.setdefault(value, []).append((start.run, start.number))
        for shift in range(WORD):
            window = start.block[shift : shift + self._width]
            if _is_flat(window):
                self._flat.add(window[:1])
            yield window_sum(window)

    def _places(self, chunk: bytes) -> list[int]:
        """The places in ``chunk`` that are worth a look."""
        if not _is_flat(chunk):
            return self._sums.find(chunk)
        # One place is enough to find the end of a run.
        return [0] if chunk[:1] in self._flat else []

    def numbers(self, group: Group) -> Sequence[int]:
        """Those of the files in ``group``, rising."""
        first, last = group
        return (last,) if first < 0 else self._numbers[first:last]

    def _with_block(self, block: bytes) -> Group | None:
        """The files whose first block is ``block``, as far as its hash tells."""
        head = hash(block)
        first = bisect_left(self._heads, head)
        if first == len(self._heads) or self._heads[first] != head:
            return None
        return first, bisect_right(self._heads, head, first)


def run_length(blocks: Iterable[bytes], value: bytes) -> int:
    """How many bytes equal to ``value`` the blocks begin with."""
    length = 0
    for block in blocks:
        if block != value * len(block):  # quicker than counting them, for almost all of a long run
            return length + len(block) - len(block.lstrip(value))
        length += len(block)
    return length


def _is_flat(data: bytes) -> bool:
    """Whether all bytes are equal."""
    return data == data[:1] * len(data)


def _ready(waiting: list[tuple[int, Group]], last: int) -> Iterator[tuple[int, set[Group]]]:
    """Take what is at offsets up to ``last`` from the heap, by offset."""
    while waiting and waiting[0][0] <= last:
        offset = waiting[0][0]
        groups = set()
        while waiting and waiting[0][0] == offset:
            groups.add(heappop(waiting)[1])
        yield offset, groups
