"""A web server on the loopback interface that misbehaves on purpose.

    with BadServer({"/iso/a.rpm": b"..."}, {"/iso/a.rpm": Trouble(cut_after=3)}) as server:
        ...  # ask for server.url + "/iso/a.rpm", then look at server.requests

What a path has is said by ``content``; how its requests go wrong by ``troubles``: one Trouble is
for every request of the path, a list is for the first requests, one each, and what comes after
them goes well. ``everywhere`` is for the paths that have no trouble of their own. Contents and
troubles are plain dicts that a test may change while the server runs. The server is a proxy too:
asked for a whole URL it looks at its path only, and CONNECT opens a tunnel.
"""

from __future__ import annotations

import gzip
import itertools
import socket
import struct
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from typing import Self

FOR_EVER = 3600.0  # seconds; the end of the server also ends it


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong with a request; all fields together, the defaults are a good server's.

    Attributes:
        status: In the place of 200 and 206; the body is then a short page unless ``body`` is set.
        headers: Sent besides and instead of the usual ones, such as ``("Retry-After", "3")``;
            an empty value keeps the header back.
        body: In the place of the content: wrong bytes, a web page.
        redirect: Answer 302 with this Location; together with ``status`` another 3xx.
        delay: Seconds of silence before the first byte of the answer.
        hang_up: Close the connection without any answer.
        cut_after: Close the connection after so many bytes of the body.
        reset: Where a connection is closed, do it by a reset.
        stall_after: Be silent for ever after so many bytes of the body.
        piece: Bytes of the body that are sent at once.
        pause: Seconds between two such pieces.
        length_lie: Added to the true Content-Length.
        close: Close the connection after the answer, though it promised to be kept.
        ignore_range: Send the whole file whatever piece was asked for.
        range_shift: Added to the start that Content-Range tells.
        total_lie: Added to the length that Content-Range tells.
        chunked: Send the body in chunks, without a Content-Length.
        gzip: Send the body compressed, though nobody asked for that.
        raw: Bytes in the place of the whole answer, its head too; then the connection is closed.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    redirect: str = ""
    delay: float = 0.0
    hang_up: bool = False
    cut_after: int | None = None
    reset: bool = False
    stall_after: int | None = None
    piece: int = 1 << 16
    pause: float = 0.0
    length_lie: int = 0
    close: bool = False
    ignore_range: bool = False
    range_shift: int = 0
    total_lie: int = 0
    chunked: bool = False
    gzip: bool = False
    raw: bytes | None = None


GOOD = Trouble()
PORTAL = Trouble(  # what a captive portal answers to everything
    body=b"<html><head><title>Please log in</title></head><body>Wi-Fi</body></html>",
    headers=(("Content-Type", "text/html; charset=utf-8"),),
    ignore_range=True,
)


def hops(path: str, count: int, end: str) -> dict[str, Trouble]:
    """Troubles by which ``path`` leads to ``end`` over ``count`` redirects."""
    steps = [path, *(f"{path}.hop{number}" for number in range(1, count)), end]
    return {step: Trouble(redirect=after) for step, after in itertools.pairwise(steps)}


@dataclass(slots=True)
class Request:
    """A request that came.

    Attributes:
        method: Such as ``GET``.
        path: As it was sent, with its escapes and its query.
        headers: The names in lower case.
        sent: Bytes of the body that were sent until now.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    sent: int = 0


class BadServer:
    """A server that runs as long as its block; it ends at once, whatever it is doing.

    Args:
        content: The bytes of each path, unquoted, with a slash in front.
        troubles: What goes wrong, by path.
        everywhere: What goes wrong with all other paths, those without content too.
        tls: Makes it an https server.
        host: The name in ``url``; ``localhost`` is another host to a client.

    Attributes:
        url: Without a slash at the end; ends with a path only if the test adds one.
        requests: All that came, in order.
        connections: How many connections were opened.
        busiest: The most requests that were under way at one time.
    """

    def __init__(
        self,
        content: Mapping[str, bytes] | None = None,
        troubles: Mapping[str, Trouble | Sequence[Trouble]] | None = None,
        *,
        everywhere: Trouble = GOOD,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.content = dict(content or {})
        self.troubles = dict(troubles or {})
        self.everywhere = everywhere
        self.requests: list[Request] = []
        self.connections = 0
        self.busiest = 0
        self._server = _Server(self, tls)
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self._server.server_address[1]
        return port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.end()

    def asked(self, path: str) -> list[Request]:
        """The requests that came for ``path``."""
        return [request for request in self.requests if request.path == path]


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, owner: BadServer, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.under_way = 0
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._faults: list[BaseException] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls:  # the handler's first read shakes hands: not here, where all would wait
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self.lock:
            self._open.add(connection)
            self.owner.connections += 1
        return connection, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 (the base's word)
        with self.lock:
            self._open.discard(request)
        request.close()  # by its last user, the handler's streams, which are closed by now

    def end(self) -> None:
        """Break off all that is under way, and wait until it is over."""
        self.over.set()
        with self.lock:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        self.server_close()
        if self._faults:
            raise self._faults[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep what is a fault of this file for the end of the test."""
        fault = sys.exception()
        if fault and not isinstance(fault, OSError):  # the client left, or the server ends
            self._faults.append(fault)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_CONNECT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        owner, server = self.server.owner, self.server
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers)
        with server.lock:
            trouble = self._trouble()
            owner.requests.append(request)
            server.under_way += 1
            owner.busiest = max(owner.busiest, server.under_way)
        try:
            self._misbehave(request, trouble)
        finally:
            with server.lock:
                server.under_way -= 1

    def _where(self) -> str:
        """The path that is asked for; to a proxy, a whole URL is."""
        return unquote_to_bytes(urlsplit(self.path).path).decode("utf-8", "surrogateescape")

    def _trouble(self) -> Trouble:
        owner, path = self.server.owner, self._where()
        trouble = owner.troubles.get(path, owner.everywhere)
        if isinstance(trouble, Trouble):
            return trouble
        number = sum(request.path == self.path for request in owner.requests)
        return trouble[number] if number < len(trouble) else GOOD

    def _misbehave(self, request: Request, trouble: Trouble) -> None:
        if trouble.delay:
            self.server.over.wait(trouble.delay)
        if trouble.hang_up or trouble.raw is not None:
            self._send(request, trouble, trouble.raw or b"")
            self._close(trouble)
        elif self.command == "CONNECT" and not trouble.status:
            self._tunnel()
        else:
            self._send_all(request, trouble)

    def _send_all(self, request: Request, trouble: Trouble) -> None:
        status, headers, body = self._good_answer(trouble)
        if trouble.gzip:
            body = gzip.compress(body, mtime=0)
            headers["Content-Encoding"] = "gzip"
        if trouble.chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(body) + trouble.length_lie)
        headers |= dict(trouble.headers)
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send(request, trouble, body)
        if trouble.close:
            self._close(trouble)

    def _tunnel(self) -> None:
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as far:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pump, args=(far, self.connection))
            back.start()
            _pump(self.connection, far)
            back.join()
        self.close_connection = True

    def _good_answer(self, trouble: Trouble) -> tuple[int, dict[str, str], bytes]:
        if trouble.redirect:
            return trouble.status or 302, {"Location": trouble.redirect}, b"elsewhere"
        content = trouble.body
        if content is None:
            content = self.server.owner.content.get(self._where())
        if trouble.status or content is None:
            status = trouble.status or 404
            return status, {"Content-Type": "text/html"}, trouble.body or b"<h1>no</h1>"
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        asked = self.headers.get("Range", "")
        if not asked or trouble.ignore_range:
            return 200, headers, content
        first, last = asked.removeprefix("bytes=").split("-")
        start, stop = int(first), min(int(last or len(content)) + 1, len(content))
        total = len(content) + trouble.total_lie
        if start >= len(content):
            return 416, {"Content-Range": f"bytes */{total}"}, b""
        shift = trouble.range_shift
        headers["Content-Range"] = f"bytes {start + shift}-{stop - 1 + shift}/{total}"
        return 206, headers, content[start:stop]

    def _send(self, request: Request, trouble: Trouble, body: bytes) -> None:
        ends = [end for end in (trouble.cut_after, trouble.stall_after) if end is not None]
        end = min(ends, default=len(body))
        while request.sent < min(end, len(body)):
            piece = body[request.sent : min(end, request.sent + trouble.piece)]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if trouble.chunked else piece)
            request.sent += len(piece)
            if trouble.pause and self.server.over.wait(trouble.pause):
                break
        if trouble.stall_after is not None and end == trouble.stall_after:
            self.server.over.wait(FOR_EVER)
        if trouble.cut_after is not None:
            self._close(trouble)
        elif trouble.chunked:
            self.wfile.write(b"0\r\n\r\n")
        if trouble.length_lie > 0:  # what is promised does not come: only the end tells
            self._close(trouble)

    def _close(self, trouble: Trouble) -> None:
        self.close_connection = True
        if trouble.reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
