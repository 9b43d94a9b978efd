"""Whether a file stands at a place of an image, however often that is asked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Generic, Protocol, TypeVar

from release_builder.digests import BLOCK
from release_builder.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_builder.jigdo.file_starts import Region

_FIRST_READ: Final = 1 << 16  # bytes; most files that differ do so early
_REMEMBERED: Final = 32  # bytes where a file differed: enough to see it differ again
_PATIENCE: Final = 16  # times as many bytes as there are


class File(Protocol):
    """A file that may be in an image."""

    @property
    def path(self) -> str:
        """Where to open it."""

    @property
    def size(self) -> int:
        """Bytes."""


AnyFile = TypeVar("AnyFile", bound=File)


class FileComparer(Generic[AnyFile]):
    """Compares files with places of an image.

    An image that repeats itself has many places where a file seems to begin. What a file had where
    it last differed is looked at first, and who differs elsewhere each time is given up at last.

    Args:
        files: All that may be asked for.

    Attributes:
        unreadable: Files that could not be read, or not as they had been listed: path and why.
        given_up: Files that began all too often and never went on: path and why.
    """

    def __init__(self, files: Sequence[AnyFile]) -> None:
        self.unreadable: dict[str, str] = {}
        self.given_up: dict[str, str] = {}
        self._size = sum(file.size for file in files)
        self._searched = 0  # bytes, as the next
        self._in_vain = 0
        self._failures: dict[str, _Failures] = {}

    def search_begins(self, size: int) -> None:
        """``size`` more bytes of an image are going to be searched."""
        self._searched += size

    def equals(self, region: Region, offset: int, file: AnyFile) -> bool:
        """Whether ``file`` stands at ``offset``; no for one that is unreadable or given up.

        Raises:
            OSError: The image cannot be read.
        """
        if file.path in self.unreadable or file.path in self.given_up:
            return False
        failures = self._failures.get(file.path)
        if failures and not failures.agree(region, offset):
            return False
        position = 0
        for block in self.blocks(file):
            other = region.read(offset + position, len(block))
            if block != other:
                self.compared_in_vain(file, position + len(block))
                self._failures[file.path].differed(position, block, other)
                return False
            position += len(block)
        return position == file.size

    def compared_in_vain(self, file: AnyFile, count: int) -> None:
        """``count`` bytes of ``file`` were compared for nothing; perhaps once too often."""
        failures = self._failures.setdefault(file.path, _Failures())
        failures.bytes_read += count
        self._in_vain += count
        # Who is wrong a few times shall not pay for who is wrong all the time.
        all_is_used = self._in_vain > _PATIENCE * (self._size + self._searched)
        if all_is_used and failures.bytes_read > _PATIENCE * file.size:
            self.given_up[file.path] = (
                f"the image repeats how it begins too often:"
                f" {failures.bytes_read:,} bytes were compared in vain"
            )

    def blocks(self, file: AnyFile, first: int = _FIRST_READ) -> Iterator[bytes]:
        """The bytes of ``file``, up to where it can be read.

        Args:
            file: None at all come from one that is not as it was listed.
            first: Bytes in the first block; further ones have 1 MiB.
        """
        try:
            with _open_as_listed(file) as stream:
                count = first
                while block := stream.read(count):
                    yield block
                    count = BLOCK
        except OSError as error:
            self.unreadable[file.path] = error.strerror or str(error)


@dataclass(slots=True)
class _Failures:
    """What was seen when a file was not where it seemed to begin.

    Attributes:
        position: In the file, where it last differed.
        content: Its bytes there.
        bytes_read: In all comparisons.
    """

    position: int = 0
    content: bytes = b""
    bytes_read: int = 0

    def differed(self, position: int, block: bytes, other: bytes) -> None:
        """The image has ``other`` where the file has ``block``."""
        place = _first_difference(block, other)
        self.position = position + place
        self.content = block[place : place + _REMEMBERED]

    def agree(self, region: Region, offset: int) -> bool:
        """Whether the image has at ``offset`` what it lacked elsewhere."""
        return region.read(offset + self.position, len(self.content)) == self.content


def _open_as_listed(file: File) -> BinaryIO:
    """Open ``file``.

    Raises:
        OSError: It cannot be opened, or its size is not the one that was listed.
    """
    stream = open_regular(file.path)
    size = os.fstat(stream.fileno()).st_size
    if size != file.size:
        stream.close()
        raise OSError(0, f"it has {size:,} bytes now, not {file.size:,}")
    return stream


def _first_difference(one: bytes, other: bytes) -> int:
    """The first index where they differ, or the length of the shorter."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
