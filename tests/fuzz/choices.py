"""Decisions made of bytes, so that a mutated input is another structured input."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T")


class Choices:
    """Takes decisions from the front of ``content``; when that is used up, all are the first."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that no decision has used yet."""
        return len(self._content) - self._at

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer at the end."""
        taken = self._content[self._at : self._at + count]
        self._at += len(taken)
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def number(self, low: int, high: int) -> int:
        """A number between both, which may be it too."""
        width = (high - low).bit_length() + 7 >> 3
        return low + int.from_bytes(self.take(width), "big") % (high - low + 1)

    def flag(self) -> bool:
        """Whether."""
        return bool(self.number(0, 1))

    def pick(self, among: Sequence[_T]) -> _T:
        """One of some."""
        return among[self.number(0, len(among) - 1)]

    def damaged(self, content: bytes, longest: int = 64) -> bytes:
        """``content`` with some stretches of it exchanged, and perhaps its end cut off."""
        changed = bytearray(content)
        while self.left and changed:
            at = self.number(0, len(changed) - 1)
            change = self.take(self.number(0, longest))
            changed[at : at + len(change)] = change
            if self.number(0, 31) == 1:
                del changed[at:]
        return bytes(changed)
