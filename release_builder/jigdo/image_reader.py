"""An image that is read and hashed in one go."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.digests import BLOCK, Digest, hasher
from release_builder.errors import IncompleteError
from release_builder.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from release_builder.digests import Hasher

_HANDED_OVER: Final = BLOCK // 2  # bytes; a lane costs more than it saves for a few


class ImageReader:
    """Reads an image in any stretches; each byte is hashed once, when it is first read.

    Args:
        image: Seekable. No byte may be skipped when it is read for the first time.
        algorithm: Of the image's digest.
        on_bytes: Told how many bytes were read for the first time.

    Attributes:
        size: Bytes of the image.
    """

    def __init__(self, image: BinaryIO, algorithm: str, on_bytes: Callable[[int], object]) -> None:
        self.size = image.seek(0, os.SEEK_END)
        self._image = image
        self._on_bytes = on_bytes
        self._algorithm = algorithm
        self._hasher = hasher(algorithm)
        self._lane: Lane[None] = Lane()
        self._waiting: list[bytes] = []  # to be handed to the lane
        self._waiting_size = 0
        self._position = self.size
        self._read_to = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._lane.__exit__(*error)

    def blocks(self, begin: int, end: int) -> Iterator[bytes]:
        """The bytes from ``begin`` up to ``end``, in blocks of at most 1 MiB.

        Raises:
            IncompleteError: The image ends before.
            OSError: It cannot be read.
        """
        while begin < end:
            block = self._read(begin, min(BLOCK, end - begin))
            if not block:
                raise IncompleteError(
                    f"the image became shorter while it was read: nothing at byte {begin:,}",
                    hint="run it again when nothing else writes the image",
                )
            self._position = begin + len(block)
            if self._position > self._read_to:
                self._hash(block[max(self._read_to - begin, 0) :])
            yield block
            begin += len(block)

    def digest(self) -> Digest:
        """The digest of all that was read, which should be the whole image."""
        self._hand_over()
        self._lane.finish()
        return Digest(self._algorithm, self._hasher.digest())

    def _read(self, begin: int, count: int) -> bytes:
        try:
            if self._position != begin:
                self._image.seek(begin)
            return self._image.read(count)
        except OSError as error:  # else the output that is being written would be blamed
            error.filename = error.filename or getattr(self._image, "name", "the image")
            raise

    def _hash(self, fresh: bytes) -> None:
        self._read_to += len(fresh)
        self._waiting.append(fresh)
        self._waiting_size += len(fresh)
        if self._waiting_size >= _HANDED_OVER:
            self._hand_over()
        self._on_bytes(len(fresh))

    def _hand_over(self) -> None:
        self._lane.submit(partial(_update, self._hasher, self._waiting))
        self._waiting = []
        self._waiting_size = 0


def _update(digest: Hasher, blocks: list[bytes]) -> None:
    for block in blocks:
        digest.update(block)
