"""Requests that follow one another on a connection before the answers have come (pipelining).

Source: RFC 9112, 9.3.2. Whatever a server does that one of the requests did not ask for ends the
connection, and with it all that was on its way: it has to be asked again.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Final, cast

from release_builder.transport.http.connections import StaleError
from release_builder.transport.http.shared_socket import RequestSocket, SharedReader, SharedStream

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

    from urllib3 import BaseHTTPResponse
    from urllib3.connection import HTTPConnection

    from release_builder.transport.http.connections import LendingPool, Patience

_PROMPT: Final = 5.0  # seconds without a byte: who is asked alone may take longer
_TURNS: Final = 3  # connections in a row that a server may end before an answer's turn came


class _Wire:
    """A connection, and who waits for an answer on it, in order."""

    def __init__(self, connection: HTTPConnection) -> None:
        self.connection = connection
        self.reader = SharedReader(SharedStream(connection.sock))
        self.queue: deque[RequestSocket] = deque()
        self.closing = False  # nothing more is sent on it
        self.told = False  # by the server, in the answer that is its last
        self.closed = False


class Line:
    """One connection to a server at a time, and what is under way on it.

    Args:
        shared: Whether a request may be sent while others are under way.

    Attributes:
        shared: Whether it may.
        users: How many requests are to go by it; for Lines.
        long: Whether the last of them is worth no waiting; for Lines.
        fit: Whether the answer that came by it shows that its server's connections can be shared.
    """

    def __init__(self, *, shared: bool = False) -> None:
        self.shared = shared
        self.users = 0
        self.long = False
        self.fit = False
        self._wire: _Wire | None = None
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def ask(
        self,
        pool: LendingPool,
        path: str,
        headers: Mapping[str, str],
        patience: Patience,
        longest: float,
    ) -> Iterator[BaseHTTPResponse]:
        """GET ``path``; the next answer is read once the block is left.

        A server that answers a request twice is taken to answer the next one so: other files'
        bytes come, and only who judges digests may ask by a line.

        Args:
            pool: Has connections to the server.
            path: With its query.
            headers: Of the request.
            patience: How long is waited.
            longest: Seconds that this answer is waited for, from its turn on, if that is sooner.

        Raises:
            OSError: The connection cannot be made, or broke.
            http.client.HTTPException: The answer is none.
            urllib3.exceptions.HTTPError: The connection cannot be made.
        """
        for _ in range(_TURNS):
            request, own = pool.new(patience.left(min(longest, _PROMPT))), RequestSocket()
            request.sock = cast("socket.socket", own)
            request.request("GET", path, headers=headers, preload_content=False)
            wire = self._send(pool, own, patience)
            whole = False
            try:
                if self._has_turn(wire, own, patience):
                    response = request.getresponse()
                    if not stays_open(response):
                        wire.closing = wire.told = True
                    yield response
                    whole = response.length_remaining == 0
                    return
            finally:
                self._leave(pool, wire, own, whole=whole)
            if not wire.told:
                break
        raise StaleError("closed before it was asked")

    def _send(self, pool: LendingPool, own: RequestSocket, patience: Patience) -> _Wire:
        with self._changed:
            while self._wire and self._wire.closing:
                self._wait(patience)
            wire = self._wire = self._wire or _Wire(pool.lend(patience))
            own.reader = wire.reader
            wire.queue.append(own)
            try:
                wire.reader.raw.send(own.request, patience.left(_PROMPT))
            except OSError:  # its answer will show that, at its turn
                wire.closing = True
            return wire

    def _has_turn(self, wire: _Wire, own: RequestSocket, patience: Patience) -> bool:
        """Wait until the answers ahead were read; not, if the connection ends before."""
        with self._changed:
            while not wire.closed and wire.queue[0] is not own:
                self._wait(patience)
            return not wire.closed

    def _wait(self, patience: Patience) -> None:
        """Until something changes: whoever is ahead has no more patience than this."""
        if patience.is_over():
            raise TimeoutError
        self._changed.wait(patience.left())

    def _leave(self, pool: LendingPool, wire: _Wire, own: RequestSocket, *, whole: bool) -> None:
        with self._changed:
            is_reader = wire.queue[0] is own
            wire.queue.remove(own)
            if wire.closed:
                return
            if not whole:  # where the next answer begins, nobody knows
                wire.closing, wire.told = True, False
            if is_reader:
                if wire.closing or not (wire.queue or wire.reader.is_quiet()):
                    wire.closed = True
                    wire.connection.close()
                elif not wire.queue:
                    pool.take_back(wire.connection)
                if wire.closed or not wire.queue:
                    self._wire = None
            self._changed.notify_all()


def stays_open(response: BaseHTTPResponse) -> bool:
    """Whether another answer may follow ``response`` on its connection."""
    told = response.length_remaining is not None
    closes = "close" in response.headers.get("Connection", "").lower()
    return response.version == 11 and told and not closes
