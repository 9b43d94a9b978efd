"""An image that is written and hashed in one go."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.digests import BLOCK, Digest, hasher
from release_builder.files import read_at, write_at
from release_builder.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from release_builder.digests import Hasher

_HANDED_OVER: Final = BLOCK // 2  # bytes; a lane costs more than it saves for a few


class ImageWriter:
    """Writes the bytes of an image in their places and hashes them in order, beside.

    Args:
        out: A file that can be read and written at any place.
        length: Bytes of the image.
        algorithms: Of the digests that are wanted.
    """

    def __init__(self, out: BinaryIO, length: int, algorithms: Sequence[str]) -> None:
        self._file = out.fileno()
        self._length = length
        self._hashers = {algorithm: hasher(algorithm) for algorithm in algorithms}
        self._hashed_to: int | None = 0  # None: something wrong was hashed
        self._beyond: dict[int, int] = {}  # begin → end of what stands farther on
        self._beyond_from = self._beyond_to = -1  # the last of those
        self._to_hash: list[bytes] = []
        self._to_write: list[tuple[int, bytes]] = []
        self._waiting = 0  # bytes in both
        self._threads = ExitStack()
        self._writing: Lane[None] = self._threads.enter_context(Lane())
        self._hashing: list[Lane[None]] = [
            self._threads.enter_context(Lane()) for _ in self._hashers
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._threads.close()

    def write(self, offset: int, block: bytes) -> None:
        """``block`` belongs at ``offset``."""
        self._to_write.append((offset, block))
        self._waiting += len(block)
        self.has(offset, block)

    def has(self, offset: int, block: bytes) -> None:
        """``block`` stands at ``offset`` already."""
        if offset == self._hashed_to:
            self._to_hash.append(block)
            self._waiting += len(block)
            self._hashed_to += len(block)
            self._catch_up()
        else:
            self.stands(offset, len(block))
        if self._waiting >= _HANDED_OVER:
            self._hand_over()

    def stands(self, offset: int, length: int) -> None:
        """``length`` right bytes stand at ``offset``; they are read back when it is their turn."""
        if offset == self._beyond_to and self._beyond_from in self._beyond:
            offset, length = self._beyond_from, length + offset - self._beyond_from
        self._beyond[offset] = offset + length
        self._beyond_from, self._beyond_to = offset, offset + length
        self._catch_up()

    def filled(self, offset: int, length: int) -> None:
        """Somebody else has written ``length`` right bytes at ``offset``."""
        _to_disk(self._file, offset, offset + length)
        self.stands(offset, length)

    def _catch_up(self) -> None:
        """Hash what stands where hashing has arrived."""
        while self._hashed_to is not None and self._hashed_to in self._beyond:
            end = self._beyond.pop(self._hashed_to)
            self._hand_over()
            self._writing.finish()
            for lane, each in zip(self._hashing, self._hashers.values(), strict=True):
                lane.submit(partial(_update_from, each, self._file, self._hashed_to, end))
            self._hashed_to = end

    def was_wrong(self) -> None:
        """Some bytes were none of the image: others will take their place, written by anyone."""
        self._hashed_to = None
        self._hand_over()
        self._writing.finish()

    def flush(self) -> None:
        """Wait until all is written.

        Raises:
            OSError: Something could not be.
        """
        self._hand_over()
        for lane in (self._writing, *self._hashing):
            lane.finish()

    def digests(self) -> dict[str, Digest]:
        """The digests of the image, which is whole now; it is read unless all came in order."""
        self.flush()
        if self._hashed_to != self._length:
            self._hashers = {algorithm: hasher(algorithm) for algorithm in self._hashers}
            self._hashed_to = 0
            self._beyond.clear()
            self.stands(0, self._length)
            self.flush()
        return {name: Digest(name, each.digest()) for name, each in self._hashers.items()}

    def _hand_over(self) -> None:
        if self._to_write:
            self._writing.submit(partial(_write, self._file, self._to_write))
        if self._to_hash:
            for lane, each in zip(self._hashing, self._hashers.values(), strict=True):
                lane.submit(partial(_update, each, self._to_hash))
        self._to_write, self._to_hash, self._waiting = [], [], 0


def _write(file: int, blocks: list[tuple[int, bytes]]) -> None:
    for offset, block in blocks:
        write_at(file, block, offset)
    ends = [offset + len(block) for offset, block in blocks]
    _to_disk(file, min(offset for offset, _ in blocks), max(ends))


def _to_disk(file: int, begin: int, end: int) -> None:
    """Let the disk begin with what was written; else it idles now and keeps all waiting later."""
    os.posix_fadvise(file, begin, end - begin, os.POSIX_FADV_DONTNEED)


def _update(digest: Hasher, blocks: list[bytes]) -> None:
    for block in blocks:
        digest.update(block)


def _update_from(digest: Hasher, file: int, offset: int, end: int) -> None:
    while offset < end:
        block = read_at(file, min(BLOCK, end - offset), offset)
        if not block:  # shorter than it was: the digest will be wrong
            return
        digest.update(block)
        offset += len(block)
