"""The digests of parts, computed beside the caller by a lane, in pieces that are worth its while."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from release_builder.digests import BLOCK, Digest, hasher
from release_builder.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from release_builder.digests import Hasher

_HANDED_OVER: Final = BLOCK // 2  # bytes; a lane costs more than it saves for a few


class PartDigests:
    """Hashes parts, one after another.

    Args:
        algorithm: Of the digests.
        on_digest: Gets the digest of each part that came to its end, in order, in the caller's
            thread, some parts later; never before ``end`` was over.
    """

    def __init__(self, algorithm: str, on_digest: Callable[[Digest], object]) -> None:
        self._algorithm = algorithm
        self._on_digest = on_digest
        self._part = hasher(algorithm)
        self._lane: Lane[list[bytes]] = Lane(on_result=self._hashed)
        self._waiting: list[tuple[Hasher, bytes | None]] = []  # None: the part's end
        self._waiting_size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._lane.__exit__(*error)

    def begin(self) -> None:
        """A part begins; of one that did not come to its end nothing will be heard."""
        self._part = hasher(self._algorithm)

    def update(self, block: bytes) -> None:
        """The next bytes of the part."""
        self._waiting.append((self._part, block))
        self._waiting_size += len(block)
        if self._waiting_size >= _HANDED_OVER:
            self._hand_over()

    def end(self) -> None:
        """The part is whole."""
        self._waiting.append((self._part, None))

    def finish(self) -> None:
        """Wait for the digests of all parts that have ended."""
        self._hand_over()
        self._lane.finish()

    def _hand_over(self) -> None:
        self._lane.submit(partial(_hash, self._waiting))
        self._waiting = []
        self._waiting_size = 0

    def _hashed(self, values: list[bytes]) -> None:
        for value in values:
            self._on_digest(Digest(self._algorithm, value))


def _hash(pieces: list[tuple[Hasher, bytes | None]]) -> list[bytes]:
    ended = []
    for part, block in pieces:
        if block is None:
            ended.append(part.digest())
        else:
            part.update(block)
    return ended
