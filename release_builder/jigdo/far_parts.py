"""Parts that are fetched from afar: several at a time, each straight to its place in the image."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO, Protocol

from release_builder.digests import BLOCK, hasher
from release_builder.files import read_at, write_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from release_builder.jigdo.entries import MatchedFile


class FarSource(Protocol):
    """Whoever can fetch parts, such as web servers."""

    @property
    def connections(self) -> int:
        """How many parts are fetched at a time; may grow while they are."""

    def fetch(self, part: MatchedFile, place: Place, /) -> bool:
        """Bring ``part`` to ``place``; called by several threads.

        Returns:
            Whether it is there, and right. If not, the source knows why.

        Raises:
            OSError: The image cannot be written.
        """

    def stop(self) -> None:
        """End all that is under way, soon."""


class Place:
    """Where a part goes in the image; written from its begin on.

    Args:
        out: The image.
        offset: Of the part in it.
        part: What is wanted.
        on_bytes: Told how many bytes came, or with a negative number that they were no good.

    Attributes:
        part: What is wanted.
        offset: Of the part in the image.
        length: Bytes of the part.
        position: Bytes of it that are in place.
    """

    def __init__(
        self, out: BinaryIO, offset: int, part: MatchedFile, on_bytes: Callable[[int], object]
    ) -> None:
        self.offset = offset
        self.length = part.length
        self.position = 0
        self._out = out
        self.part = part
        self._on_bytes = on_bytes
        self._hasher = hasher(part.digest.algorithm)
        self._closed = False
        self._writing = threading.Lock()

    def hold(self, length: int) -> None:
        """The first ``length`` bytes stand there from an earlier run, as it seems."""
        while self.position < length:
            count = min(BLOCK, length - self.position)
            block = read_at(self._out.fileno(), count, self.offset + self.position)
            if not block:  # it became shorter: the rest is fetched
                return
            self._take(block)

    def write(self, block: bytes) -> None:
        """The next bytes of the part.

        Raises:
            OSError: They cannot be written.
        """
        with self._writing:  # who closed the image may have another file under its number
            if self._closed:
                raise OSError(0, "the image is closed")
            write_at(self._out.fileno(), block, self.offset + self.position)
        self._take(block)

    def restart(self) -> None:
        """What came is no good: the next block is the first."""
        self._on_bytes(-self.position)
        self.position = 0
        self._hasher = hasher(self.part.digest.algorithm)

    def is_right(self) -> bool:
        """Whether the part is whole and has its digest."""
        return self.position == self.length and self._hasher.digest() == self.part.digest.value

    def close(self) -> None:
        """Nothing more is written."""
        with self._writing:
            self._closed = True

    def _take(self, block: bytes) -> None:
        self._hasher.update(block)
        self.position += len(block)
        self._on_bytes(len(block))


class FarParts:
    """Has parts fetched by the threads of a source, and hands over what came of them.

    Args:
        source: Who fetches.
        out: The image.
        on_bytes: Told, by any thread, of bytes that came.
    """

    def __init__(self, source: FarSource, out: BinaryIO, on_bytes: Callable[[int], object]) -> None:
        self._source = source
        self._out = out
        self._on_bytes = on_bytes
        self._wanted: SimpleQueue[tuple[MatchedFile, Place, int] | None] = SimpleQueue()
        self._ended: SimpleQueue[tuple[Place, bool | BaseException]] = SimpleQueue()
        self._places: set[Place] = set()
        self._threads = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._places:
            self._source.stop()
        for place in self._places:
            place.close()
        for _ in range(self._threads):
            self._wanted.put(None)

    def want(self, part: MatchedFile, offset: int, held: int) -> None:
        """Have ``part`` fetched to ``offset``, where its first ``held`` bytes seem to stand."""
        place = Place(self._out, offset, part, self._on_bytes)
        self._places.add(place)
        self._wanted.put((part, place, held))
        self._hire()

    def _hire(self) -> None:
        """One thread more, as long as there is work for it."""
        if self._threads < min(self._source.connections, len(self._places)):
            self._threads += 1
            # A daemon, for one that waits for a server must not hold up the end of the process.
            threading.Thread(target=self._work, daemon=True).start()

    def results(self) -> Iterator[tuple[MatchedFile, bool]]:
        """Each part that was wanted, and whether it came; as soon as that is known.

        Raises:
            OSError: The image cannot be written.
        """
        while self._places:
            place, result = self._ended.get()
            self._places.discard(place)
            self._hire()
            if isinstance(result, BaseException):
                raise result
            if not result:
                self._on_bytes(place.length - place.position)
            yield place.part, result

    def _work(self) -> None:
        while wanted := self._wanted.get():
            part, place, held = wanted
            result: bool | BaseException
            try:
                place.hold(held)
                result = self._source.fetch(part, place)
            except BaseException as error:
                result = error
            self._ended.put((place, result))
