"""A small file on its way, in as many pieces as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.digests import Digest, hasher
from release_builder.errors import WrongBytesError
from release_builder.files import read_at
from release_builder.transport.http.pieces import PROGRESS

if TYPE_CHECKING:
    from typing import BinaryIO

_LATER: Final = "run it again later, or name another server"
_LOOK: Final = "open the address in a browser to see what the server does"


class ArrivingFile:
    """What came of a file.

    Args:
        out: Where it goes: an open file, empty, that can be read too.
        name: For messages; printable.
        limit: Bytes that it may have at most.
        digests: That it must have, all of them.

    Attributes:
        length: Bytes that came.
    """

    def __init__(self, out: BinaryIO, name: str, limit: int, digests: tuple[Digest, ...]) -> None:
        self.length = 0
        self._out = out
        self._name = name
        self._limit = limit
        self._digests = digests
        self._hashers = {each.algorithm: hasher(each.algorithm) for each in digests}
        self._credited = 0

    @property
    def next(self) -> int:
        """The byte to ask for: without a digest nobody would know of pieces that do not fit."""
        return self.length if self._digests else 0

    def begin(self, start: int) -> None:
        """An answer begins at byte ``start``: where we are, or at 0."""
        if start != self.length:
            self.restart()

    def restart(self) -> None:
        """What came is no good."""
        self._out.seek(0)
        self._out.truncate()
        self.length = 0
        self._hashers = {algorithm: hasher(algorithm) for algorithm in self._hashers}

    def write(self, block: bytes) -> None:
        """The next bytes.

        Raises:
            WrongBytesError: The file is too long.
            OSError: They cannot be written.
        """
        self.length += len(block)
        if self.length > self._limit:
            raise WrongBytesError(
                f"{self._name} is longer than {self._limit:,} bytes: that cannot be right",
                hint=_LOOK,
            )
        self._out.write(block)
        for each in self._hashers.values():
            each.update(block)

    def progressed(self) -> bool:
        """Whether enough came that need not come again, since this was last so."""
        if self.next - self._credited < PROGRESS:
            return False
        self._credited = self.length
        return True

    def check(self) -> None:
        """See that it has its digests.

        Raises:
            WrongBytesError: It has not.
        """
        for digest in self._digests:
            there = Digest(digest.algorithm, self._hashers[digest.algorithm].digest())
            if there != digest:
                raise WrongBytesError(
                    f"{self._name} is {there}, and should be {digest}", hint=_LATER
                )

    def content(self) -> bytes:
        """All that came."""
        self._out.flush()
        return read_at(self._out.fileno(), self.length, 0)
