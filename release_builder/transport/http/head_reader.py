"""Reads answers whose heads have only so many bytes.

http.client bounds a line and the number of lines: 100 of 65,536 bytes each, several times that in
memory, on every connection.
"""

from __future__ import annotations

import io
from http.client import HTTPException
from typing import Final

LONGEST_HEAD: Final = 1 << 16
"""Bytes of a status line and all headers, those of 1xx answers before it included."""


class LongHeadError(HTTPException):
    """The head of an answer has more bytes than it may."""

    def __init__(self) -> None:
        super().__init__(f"more than {LONGEST_HEAD:,} bytes of headers")


class HeadReader(io.BufferedReader):
    """The buffer that answers are read from; http.client reads their heads by ``readline``."""

    _left: int | None = None  # bytes that the head may still have; None after it

    def begin_head(self) -> None:
        """What is read next is the head of an answer."""
        self._left = LONGEST_HEAD

    def end_head(self) -> None:
        """The head was read."""
        self._left = None

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line, or ``size`` bytes of it.

        Raises:
            LongHeadError: It is of a head, which has too many bytes with it.
        """
        if self._left is None:
            return super().readline(size)
        most = self._left + 1
        line = super().readline(most if size is None or size < 0 else min(size, most))
        self._left -= len(line)
        if self._left < 0:
            raise LongHeadError
        return line
