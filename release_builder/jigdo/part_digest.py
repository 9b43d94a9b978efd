"""The digest of one part, computed by a lane if that pays."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from release_builder.digests import Digest, hasher

if TYPE_CHECKING:
    from release_builder.lanes import Lane

_SMALL: Final = 1 << 16  # bytes: hashed sooner than handed to a lane


class PartDigest:
    """The digest of bytes that come in order.

    Args:
        lane: A lane of one thread.
        algorithm: Of the digest.
        length: How many bytes will come.
    """

    def __init__(self, lane: Lane[bytes | None], algorithm: str, length: int) -> None:
        self._algorithm = algorithm
        self._hasher = hasher(algorithm)
        self._lane = lane if length > _SMALL else None

    def update(self, block: bytes) -> None:
        """The next bytes."""
        if self._lane:
            self._lane.submit(partial(self._hasher.update, block))
        else:
            self._hasher.update(block)

    def finish(self) -> Digest | None:
        """The digest; None if it will be the lane's next result that is not None."""
        if self._lane:
            self._lane.submit(self._hasher.digest)
            return None
        return Digest(self._algorithm, self._hasher.digest())
