"""A web server on the loopback interface that is some way off, and may take no second request.

    with PipeliningServer(content, Swapping()) as server:
        ...  # ask for server.url + path, then look at server.most_at_once

A round trip after a request came it looks what came behind that on the same connection, as one
batch. How it answers batches is said by its manners: a good server answers them in order.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    # Of the answers of a batch, what is to be sent: seconds are a pause, None hangs up.
    Manners = Callable[[list[bytes]], list[bytes | float | None]]

ROUND_TRIP = 0.02  # seconds
_OPEN = {1, 4, 5}  # ESTABLISHED, FIN_WAIT1, FIN_WAIT2 of the kernel's tcp_states.h


class PipeliningServer:
    """A server that runs as long as its block.

    Args:
        content: The bytes of each path, with a slash in front; all else is 404.
        manners: How a batch of two or more is answered; None: well.
        last: How many requests of a connection are answered: it says so with the last of them,
            and hangs up; None for any number.
        tls: Makes it an https server.

    Attributes:
        url: Without a slash at the end.
        batches: How many requests there were in each batch.
        most_open: The most connections that clients had open at a time.
        paths: All that was answered or was in a batch, in order.
    """

    def __init__(
        self,
        content: Mapping[str, bytes],
        manners: Manners | None = None,
        *,
        last: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.content = dict(content)
        self.batches: list[int] = []
        self.paths: list[str] = []
        self.most_open = 0
        self._manners: Manners = manners or (lambda answers: [*answers])
        self._last = last
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=128)
        port = self._door.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def most_at_once(self) -> int:
        """The largest batch."""
        return max(self.batches)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._door.shutdown(socket.SHUT_RDWR)
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    socket.socket.shutdown(each, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._door.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._door.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls:
                    connection = self._tls.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                with self._lock:
                    self._open.add(connection)
                    self.most_open = max(self.most_open, sum(map(_is_open, self._open)))
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self._talk(connection)
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def _talk(self, connection: socket.socket) -> None:
        if isinstance(connection, ssl.SSLSocket):
            connection.do_handshake()
        came, answered = b"", 0
        while block := connection.recv(1 << 16):
            came += block
            time.sleep(ROUND_TRIP)
            connection.settimeout(0.001)
            with suppress(TimeoutError):
                came += connection.recv(1 << 16)
            connection.settimeout(None)
            *requests, came = came.split(b"\r\n\r\n")
            paths = [each.split()[1].decode() for each in requests]
            with self._lock:
                self.batches.append(len(paths))
                self.paths += paths
            answered += len(paths)
            over = self._last is not None and answered >= self._last
            if over and self._last:
                paths = paths[: len(paths) - (answered - self._last)]
            answers = [self._answer(each) for each in paths]
            if over:
                answers[-1] = self._answer(paths[-1], b"Connection: close\r\n")
            for sent in self._manners(answers) if len(answers) > 1 else answers:
                if sent is None:
                    return
                if isinstance(sent, float):
                    self._over.wait(sent)
                else:
                    connection.sendall(sent)
            if over:
                socket.socket.shutdown(connection, socket.SHUT_WR)  # without more of TLS
                while connection.recv(1 << 16):  # else what it does not read would reset it
                    pass
                return

    def _answer(self, path: str, more: bytes = b"") -> bytes:
        content = self.content.get(path)
        status = b"404 Not Found" if content is None else b"200 OK"
        body = content or b""
        return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, more, len(body), body)


def _is_open(connection: socket.socket) -> bool:
    """Whether its client has not closed it."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] in _OPEN
