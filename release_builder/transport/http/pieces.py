"""A file that comes in pieces: which URLs the bytes in its place came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.transport.http import Answer, HttpError

if TYPE_CHECKING:
    from release_builder.transport.http import Place

PROGRESS: Final = 256 << 10
"""Bytes that make a broken answer worth as much as none that failed.

Fewer do not: a server that gives a byte and hangs up would be asked for ever.
"""


class Pieces:
    """What is in the place of a file.

    Args:
        place: May hold bytes of an earlier run.

    Attributes:
        place: The place.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._answers = 1 if place.position else 0
        self._url: str | None = None  # that gave the last of them
        self._begun: str | None = None  # whose answer has given none yet
        self._credited = place.position
        self._whole = False
        if place.position > place.length:
            self.restart()

    @property
    def full(self) -> bool:
        """Whether all bytes are in place."""
        return self.place.position == self.place.length

    @property
    def bound_to(self) -> str | None:
        """The URL that should give the rest; None for any."""
        return self._url if self._whole and self.place.position else None

    @property
    def from_one(self) -> bool:
        """Whether one URL gave all that is in place, so that it answers for it."""
        return self._whole or self._answers == 1

    def last_from(self, url: str) -> bool:
        """Whether ``url`` gave the last bytes that are in place."""
        return self._url == url

    def restart(self) -> None:
        """What is in place is no good."""
        self.place.restart()
        self._answers, self._url, self._credited = 0, None, 0

    def restart_whole(self) -> None:
        """Nobody knows which piece is no good: from now on one URL gives all of them."""
        self.restart()
        self._whole = True

    def expect(self, url: str) -> None:
        """``url`` is asked next."""
        if self.bound_to not in {None, url}:
            self.restart()

    def begin(self, url: str, start: int) -> None:
        """An answer begins.

        Args:
            url: Where it comes from.
            start: Its first byte's place in the file.

        Raises:
            HttpError: WRONG_LENGTH: it is another piece than the one that was asked for.
        """
        if start not in {0, self.place.position}:
            raise HttpError(
                Answer.WRONG_LENGTH, f"begins at byte {start:,}, not {self.place.position:,}"
            )
        if start != self.place.position:
            # No credit: it might give the same bytes again and again.
            self.place.restart()
            self._answers, self._url = 0, None
        self._begun = url

    def write(self, block: bytes) -> None:
        """The next bytes.

        Raises:
            HttpError: WRONG_LENGTH: they are too many; none of them is in place.
            OSError: The place cannot take them.
        """
        if len(block) > self.place.length - self.place.position:
            raise HttpError(Answer.WRONG_LENGTH, f"more than {self.place.length:,} bytes")
        self.place.write(block)
        if self._begun:
            self._answers, self._url, self._begun = self._answers + 1, self._begun, None

    def progressed(self) -> bool:
        """Whether enough came since this was last so; for a file at most length / PROGRESS times."""
        if self.place.position - self._credited < PROGRESS:
            return False
        self._credited = self.place.position
        return True
