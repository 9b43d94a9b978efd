"""Any bytes as the answer of a web server, read as a part is: head, then body."""

from __future__ import annotations

import http.client
import io
from typing import TYPE_CHECKING

from fuzz.decency import check_line
from urllib3 import HTTPResponse

from release_builder.transport.http import HttpError
from release_builder.transport.http.answers import TROUBLES, failure, title
from release_builder.transport.http.head import OtherPieceError, promise

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH = 10  # of the file that is wanted
_START = 4
_LONGEST_WAIT = 3600  # seconds


class _Wire:
    """What http.client takes for a socket."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._content)


def seeds() -> Iterator[bytes]:
    """Answers of all kinds."""
    ok, piece = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 206 Partial Content\r\n"
    yield (
        ok + b"Content-Length: 10\r\nLast-Modified: Tue, 15 Nov 1994 12:45:26 GMT\r\n\r\n0123456789"
    )
    yield ok + b"Transfer-Encoding: chunked\r\n\r\nA;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n"
    yield piece + b"Content-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n456789"
    yield b"HTTP/1.0 416 No\r\nContent-Range: bytes */9\r\n\r\n"
    yield ok + b"Content-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n<title>no &lt;b</title>"
    yield b"HTTP/1.1 503 Busy \x1b[2J\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n\r\n"
    yield b"HTTP/1.1 100 Continue\r\n\r\n" + ok + b"A: b\r\n c: d\r\n\r\n"


def one_input(content: bytes) -> None:
    """A promise that could be, and no more bytes than it says; or a trouble that has a name."""
    for start in (0, _START):
        for expected in (_LENGTH, None):
            try:
                _ask(content, start, expected)
            except OtherPieceError:
                assert start
            except HttpError as error:
                _check(error)
            except TROUBLES as error:
                check_line(failure(error).detail)
    check_line(title(content))


def _check(error: HttpError) -> None:
    check_line(error.detail)
    assert 0 <= error.after <= _LONGEST_WAIT


def _ask(content: bytes, start: int, expected: int | None) -> None:
    plain = http.client.HTTPResponse(_Wire(content), method="GET")  # type: ignore[arg-type]
    plain.begin()
    response = HTTPResponse(
        body=plain,
        headers=dict(plain.headers.items()),
        status=plain.status,
        version=plain.version,
        reason=plain.reason,
        preload_content=False,
        decode_content=False,
        original_response=plain,
        request_method="GET",
    )
    promised = promise(response, "/a.iso", start, expected)
    assert promised.start in {0, start}
    assert expected is None or promised.length in {None, expected}
    came = 0
    while block := response.read1(1 << 12, decode_content=False):
        came += len(block)
    assert came <= len(content)
