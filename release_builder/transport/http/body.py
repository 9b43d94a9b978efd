"""A file that is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.transport.http import Answer, HttpError
from release_builder.transport.http.answers import TROUBLES, failure
from release_builder.transport.http.head import wrong_length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import BaseHTTPResponse

    from release_builder.transport.http.connections import Patience
    from release_builder.transport.http.head import Promise
    from release_builder.transport.http.rate_limit import RateLimit


class HttpBody:
    """The body of an answer; see Body.

    Args:
        response: Of which nothing but the head was read.
        promised: What the head says.
        expected: How long the whole file must be, where known.
        patience: How long its bytes are waited for.
        limit: How fast they may come.
    """

    def __init__(
        self,
        response: BaseHTTPResponse,
        promised: Promise,
        expected: int | None,
        *,
        patience: Patience,
        limit: RateLimit,
    ) -> None:
        self.start = promised.start
        self.length = promised.length
        self.modified = promised.modified
        self._response = response
        self._expected = expected
        self._compressed = promised.compressed
        self._patience = patience
        self._limit = limit

    def blocks(self) -> Iterator[bytes]:
        """See Body."""
        position = self.start
        while block := self._next(position):
            position += len(block)
            if self._expected is not None and position > self._expected:
                raise wrong_length("more", self._expected, compressed=self._compressed)
            self._limit.take(len(block), self._patience.ends_at)
            yield block
        if self.length is None:
            if self._expected is not None and position < self._expected:
                raise self._too_short(position, self._expected)
        elif position < self.length:
            raise self._broken(HttpError(Answer.CUT_OFF), position)

    def _next(self, position: int) -> bytes:
        count = self._limit.piece
        if self.length is not None:
            count = min(count, self.length - position)
        if count <= 0:
            return b""
        if self._patience.is_over():
            raise HttpError(Answer.NO_TIME)
        try:
            return self._response.read1(count, decode_content=False)
        except TROUBLES as error:
            raise self._broken(failure(error, connected=True), position) from error

    def _too_short(self, position: int, expected: int) -> HttpError:
        if self._response.chunked:  # its end was told, so this is all there is
            return wrong_length(f"{position:,}", expected, compressed=self._compressed)
        return self._broken(HttpError(Answer.CUT_OFF), position)

    def _broken(self, error: HttpError, position: int) -> HttpError:
        if self._patience.is_over():
            return HttpError(Answer.NO_TIME)
        total = self.length if self.length is not None else self._expected
        came = f"{position:,} bytes" if total is None else f"{position:,} of {total:,} bytes"
        return HttpError(error.answer, ", ".join(filter(None, (came, error.detail))))
