"""Connections that give up in time, however the bytes trickle in."""

from __future__ import annotations

import http.client
import io
import time
from http.client import HTTPException, RemoteDisconnected
from typing import TYPE_CHECKING, Final, cast

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPSConnection

from release_builder.transport.http.backoff import bounded
from release_builder.transport.http.dialling import DialledConnection
from release_builder.transport.http.head_reader import HeadReader
from release_builder.transport.http.shared_socket import SharedReader, SharedStream

if TYPE_CHECKING:
    import socket
    from typing import Any

    from urllib3 import HTTPResponse
    from urllib3.connection import HTTPConnection

    from release_builder.transport.http.reach import Reach


CONNECT_TIMEOUT: Final = 10.0
"""Seconds for a connection to be made."""


class StaleError(RemoteDisconnected):
    """A connection that was kept open turned out to be closed by the server: nobody's fault."""


class Patience:
    """How long is waited.

    Args:
        timeout: Seconds for one thing to come: the head of an answer, or the next bytes.
        ends_at: When all waiting ends, by the monotonic clock; None for never.
    """

    def __init__(self, timeout: float, ends_at: float | None) -> None:
        self._timeout = bounded(timeout)
        self.ends_at = ends_at

    def waits_until(self, longest: float = float("inf")) -> float:
        """When something must have come for which the waiting starts now, ``longest`` at most."""
        latest = time.monotonic() + min(self._timeout, longest)
        return latest if self.ends_at is None else min(latest, self.ends_at)

    def left(self, longest: float = float("inf")) -> float:
        """Seconds that may be waited now: ``longest``, the timeout, or less at the end of all.

        Never none: the end may just have come since somebody looked.
        """
        return bounded(min(longest, self.waits_until() - time.monotonic()))

    def is_over(self) -> bool:
        """Whether the end of all waiting has come."""
        return self.ends_at is not None and time.monotonic() >= self.ends_at


class _PatientStream(io.RawIOBase):
    """What comes from a socket, until a moment that does not move with each byte."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket, until: float) -> None:
        self._stream = stream
        self._sock = sock
        self.until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:  # noqa: ANN401 (the base's word)
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _PatientResponse(http.client.HTTPResponse):
    """An answer whose head is short and comes within the timeout, each block within another."""

    patience: Patience

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 (the base's)
        super().__init__(sock, *arguments, **options)
        self._longest = sock.gettimeout() or float("inf")  # as urllib3 was told for this request
        until = self.patience.waits_until(self._longest)
        self._patient: _PatientStream | SharedStream
        self._reader: HeadReader
        if isinstance(self.fp, SharedReader):
            self._reader, self._patient = self.fp, self.fp.raw
            self._patient.until = until
        else:
            self._patient = _PatientStream(self.fp.detach(), sock, until)
            self.fp = self._reader = HeadReader(self._patient)
        self._reader.begin_head()  # here: a proxy's answer to CONNECT is read without begin()

    def begin(self) -> None:
        super().begin()
        self._reader.end_head()
        lengths = ",".join(self.headers.get_all("Content-Length", ())).split(",")
        if len({length.strip() for length in lengths}) > 1:  # urllib3 would not close the socket
            raise HTTPException("more than one length")

    def read1(self, n: int = -1) -> bytes:
        self._patient.until = self.patience.waits_until(self._longest)
        return super().read1(n)


class _KeptConnection(DialledConnection):
    """A connection that can tell a server that hangs up from one that did so long ago.

    Attributes:
        answered: Whether it was of use already.
    """

    answered = False

    def connect(self) -> None:
        self.answered = False
        super().connect()

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as its base does
        try:
            response = super().getresponse()
        except (ConnectionResetError, BrokenPipeError) as error:  # RemoteDisconnected is one
            if self.answered:
                raise StaleError("closed before it was asked") from error
            raise
        self.answered = True
        return response


class LendingPool(HTTPConnectionPool):
    """A pool whose connections are to be had, for several requests at a time."""

    def lend(self, patience: Patience) -> HTTPConnection:
        """An open connection: one that was kept, or a new one.

        Raises:
            OSError: It cannot be made.
            urllib3.exceptions.HTTPError: Neither.
        """
        connection = cast("HTTPConnection", self._get_conn())
        if connection.is_closed:
            connection.timeout = patience.left(CONNECT_TIMEOUT)
            connection.connect()
        return connection

    def take_back(self, connection: HTTPConnection) -> None:
        """Keep a connection on which nothing is under way, after an answer."""
        cast("_KeptConnection", connection).answered = True
        self._put_conn(connection)

    def new(self, timeout: float) -> HTTPConnection:
        """One that is not open, for whoever has a socket for it."""
        connection = cast("HTTPConnection", self._new_conn())
        connection.timeout = timeout
        return connection


def pool_classes(patience: Patience, reach: Reach) -> dict[str, type[HTTPConnectionPool]]:
    """For a PoolManager: the pools, by scheme, whose connections have ``patience``, and ``reach``."""

    class Response(_PatientResponse):
        pass

    class Connection(_KeptConnection):
        response_class = Response

    class TlsConnection(_KeptConnection, HTTPSConnection):
        response_class = Response

    class Pool(LendingPool):
        ConnectionCls = Connection

    class TlsPool(LendingPool, HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    Response.patience = patience
    Connection.reach = TlsConnection.reach = reach
    return {"http": Pool, "https": TlsPool}
