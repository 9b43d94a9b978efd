"""A socket on which some threads send requests while another one reads the answers."""

from __future__ import annotations

import io
import ssl
import threading
import time
from typing import TYPE_CHECKING, Final

from urllib3.util import wait_for_read

from release_builder.transport.http.head_reader import HeadReader

if TYPE_CHECKING:
    import socket
    from typing import Any

_NOTHING_YET: Final = (BlockingIOError, ssl.SSLWantReadError)


class SharedStream(io.RawIOBase):
    """What comes from a socket, until a moment that is set for each answer.

    Args:
        sock: Connected; nobody else reads from it.

    Attributes:
        until: When the next bytes must be there, by the monotonic clock.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._in_use = threading.Lock()  # OpenSSL's connections are not for two at a time
        self.until = 0.0
        sock.settimeout(0)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 (the base's word)
        """Wait for bytes, but not in the way of who sends.

        Raises:
            TimeoutError: None came until then.
            OSError: The connection broke.
        """
        while True:
            with self._in_use:
                try:
                    return self._sock.recv_into(buffer)
                except _NOTHING_YET:
                    pass
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            wait_for_read(self._sock, left)

    def send(self, request: bytes, seconds: float) -> None:
        """Send all of ``request``, as small as requests are.

        Raises:
            OSError: It was not sent, or not whole.
        """
        with self._in_use:
            self._sock.settimeout(seconds)
            try:
                self._sock.sendall(request)
            finally:
                self._sock.settimeout(0)


class SharedReader(HeadReader):
    """The one buffer for all answers of a socket: it may hold the begin of the next."""

    raw: SharedStream

    def close(self) -> None:
        """Nothing: who has read an answer closes what it was read from."""

    def is_quiet(self) -> bool:
        """Whether the connection is open, and no byte has come that nobody read."""
        self.raw.until = 0.0
        try:
            self.peek(1)
        except TimeoutError:
            return True
        except OSError:
            pass
        return False


class RequestSocket:
    """What a request has for its socket; of ``socket.socket``, that which http.client uses.

    Attributes:
        request: Its bytes, which somebody else sends.
        reader: Of the shared socket; its answer is read from there, when its turn has come.
    """

    reader: SharedReader

    def __init__(self) -> None:
        self.request = b""
        self._timeout: float | None = None

    def sendall(self, request: bytes) -> None:
        """Keep the request."""
        self.request += request

    def makefile(self, _mode: str) -> SharedReader:
        """Where the answer is read from."""
        return self.reader

    def settimeout(self, seconds: float | None) -> None:
        """How long is waited, for this answer alone."""
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        """How long is waited."""
        return self._timeout

    def close(self) -> None:
        """Nothing: the socket is not this request's own."""
