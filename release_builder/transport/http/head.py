"""What the head of an answer promises: the file, a piece of it, or something else."""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from release_builder.transport.http import Answer, HttpError
from release_builder.transport.http.answers import TROUBLES, refusal, title

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_PAGES: Final = {"text/html", "application/xhtml+xml"}
_PAGE_NAMES: Final = ("/", ".html", ".htm", ".xhtml")
_ODDMENTS: Final = 1 << 16  # bytes of an answer that is no file; more are not read
_DRAINING: Final = 1.0  # seconds: a new connection would be there by then
_COUNT: Final = r"(\d{1,18})"


class OtherPieceError(Exception):
    """The server cannot give the piece that was asked for; the whole file it may."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What follows the head.

    Attributes:
        start: Where in the file the body begins.
        length: Bytes of the whole file; None if not told.
        modified: Seconds since 1970; None if not told.
        compressed: Whether the body is said to be so. That alone is no fault: some servers say
            it of a .gz file, which they give as it lies there.
    """

    start: int
    length: int | None
    modified: float | None
    compressed: bool = False


def promise(response: BaseHTTPResponse, path: str, start: int, expected: int | None) -> Promise:
    """What ``response`` promises, if it is the file that was asked for.

    Args:
        response: Of which nothing but the head was read.
        path: That was asked for, without query: pages have names that tell so.
        start: The first byte that was asked for.
        expected: How long the whole file must be, where known.

    Raises:
        HttpError: It is another file, a web page, or a refusal.
        OtherPieceError: Only a piece that does not begin at ``start`` is wrong.
    """
    if response.status == 416 and start:
        raise _no_piece(response, expected)
    if response.status not in {200, 206}:
        drain(response)
        raise refusal(response.status, response.reason, response.headers.get("Retry-After"))
    first, length = _place(response, start)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_page = kind in _PAGES and not path.lower().endswith(_PAGE_NAMES)
    if is_page and (length is None or length != expected):
        raise HttpError(Answer.WEB_PAGE, title(drain(response)))
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    compressed = coding not in {"", "identity"}
    if expected is not None and length not in {None, expected}:
        raise wrong_length(f"{length:,}", expected, compressed=compressed)
    return Promise(first, length, _seconds(response.headers.get("Last-Modified")), compressed)


def wrong_length(there: str, expected: int, *, compressed: bool = False) -> HttpError:
    """The refusal of a file that has ``there`` bytes and not those ``expected``.

    Args:
        there: Such as ``1,024``.
        expected: How long the whole file must be.
        compressed: Whether the server says that its bytes are.
    """
    why = "; compressed, though not asked for" if compressed else ""
    return HttpError(Answer.WRONG_LENGTH, f"{there} in the place of {expected:,} bytes{why}")


def drain(response: BaseHTTPResponse) -> bytes:
    """Read what need not be read, so that the connection can be kept; not much nor for long."""
    begin, until = b"", time.monotonic() + _DRAINING
    with contextlib.suppress(*TROUBLES):
        while len(begin) < _ODDMENTS and time.monotonic() < until:
            block = response.read1(_ODDMENTS - len(begin), decode_content=False)
            if not block:
                break
            begin += block
    return begin


def _place(response: BaseHTTPResponse, start: int) -> tuple[int, int | None]:
    """Where in the file the body begins, and how long the file is if that is told."""
    told = response.length_remaining
    if response.status == 200:
        return 0, told
    # bytes 100-199/4096, or /* (RFC 9110, 14.4)
    header = response.headers.get("Content-Range", "").strip()
    given = re.fullmatch(rf"bytes +{_COUNT}-{_COUNT}/(?:{_COUNT}|\*)", header, re.ASCII)
    if not given or int(given[1]) != start:
        if start:
            raise OtherPieceError
        raise HttpError(Answer.SERVER_ERROR, "a piece of the file, though all was asked for")
    if given[3]:
        return start, int(given[3])
    return start, None if told is None else start + told


def _no_piece(response: BaseHTTPResponse, expected: int | None) -> Exception:
    """What 416 means: the file there ends before the piece; an answer without length may lie."""
    header = response.headers.get("Content-Range", "").strip()
    total = re.fullmatch(rf"bytes +\*/{_COUNT}", header, re.ASCII)
    if total and expected is not None and int(total[1]) != expected:
        return wrong_length(f"{int(total[1]):,}", expected)
    return OtherPieceError()


def _seconds(date: str | None) -> float | None:
    if not date:
        return None
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
