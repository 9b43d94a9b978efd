"""A web server of local folders, on the loopback interface, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, BinaryIO, Final
from urllib.parse import unquote_to_bytes

from release_builder.errors import WrongBytesError
from release_builder.files import open_regular, safe_join

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any, Self

_HOST: Final = "127.0.0.1"
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_POLL: Final = 0.05  # seconds until it notices that it should end
_NO_FILE: Final = (0, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO)  # 0: by open_regular


class ThrowawayServer:
    """Serves the regular files below some folders, and nothing else; it lists no folder.

    Anybody on this machine can read them meanwhile. Ranges of one piece are known.

    Args:
        folders: By the begin of a path, such as ``/0/``, with slashes at both ends; the longest
            that fits counts.

    Attributes:
        url: Without a slash at the end.
        troubles: Why files that are there could not be read, as they were asked for.

    Raises:
        OSError: No port is free.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._server = _Server(folders)
        self.url = f"http://{_HOST}:{self._server.server_address[1]}"
        self.troubles = self._server.troubles
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.end()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that their end is waited for
    request_queue_size = 128

    def __init__(self, folders: Mapping[str, Path]) -> None:
        super().__init__((_HOST, 0), _Handler)
        self._folders = sorted(folders.items(), key=lambda each: len(each[0]), reverse=True)
        self.troubles: list[OSError] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def file(self, path: str) -> BinaryIO:
        """The file at ``path``, which has no escapes.

        Raises:
            FileNotFoundError: There is no such folder, or file.
            WrongBytesError: It leads out of its folder.
            OSError: It is no regular file, or cannot be read.
        """
        for begin, folder in self._folders:
            if path.startswith(begin):
                return open_regular(safe_join(folder, path[len(begin) :]))
        raise FileNotFoundError(path)

    def end(self) -> None:
        """Break off all that is under way, and wait until it is over."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client did it first
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 (the base's word)
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (the base's words)
        if not isinstance(sys.exception(), OSError):  # else the client left
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two packets

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer, but for the body."""
        self._answer()

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def _answer(self) -> None:
        path = unquote_to_bytes(self.path.partition("?")[0]).decode("utf-8", "surrogateescape")
        try:
            file = self.server.file(path)
        except WrongBytesError:
            self._head(HTTPStatus.FORBIDDEN, 0)
        except (FileNotFoundError, NotADirectoryError):
            self._head(HTTPStatus.NOT_FOUND, 0)
        except OSError as error:
            if error.errno not in _NO_FILE:
                self.server.troubles.append(error)
            self._head(HTTPStatus.FORBIDDEN, 0)
        else:
            with file:
                self._send(file)

    def _send(self, file: BinaryIO) -> None:
        length = os.fstat(file.fileno()).st_size
        piece = self._piece(length)
        if piece is None:
            self._head(HTTPStatus.OK, length)
            piece = range(length)
        elif not piece:
            told = f"bytes */{length}"
            self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, told)
        else:
            told = f"bytes {piece.start}-{piece.stop - 1}/{length}"
            self._head(HTTPStatus.PARTIAL_CONTENT, len(piece), told)
        if self.command != "HEAD" and piece:
            sent = self.connection.sendfile(file, piece.start, len(piece))
            self.close_connection |= sent < len(piece)  # it was cut meanwhile

    def _piece(self, length: int) -> range | None:
        """The bytes that are asked for: none if they lie behind the end; None for all.

        A header that asks for several pieces, or makes no sense, may be ignored (RFC 9110, 14.2).
        """
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        if not found or "If-Range" in self.headers or not any(found.groups()):
            return None
        if not found[1]:
            return range(max(0, length - int(found[2])), length)
        first = int(found[1])
        last = int(found[2]) if found[2] else max(first, length)
        return range(first, min(last + 1, length)) if first <= last else None

    def _head(self, status: HTTPStatus, length: int, told: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(length))
        self.send_header("Accept-Ranges", "bytes")
        if told:
            self.send_header("Content-Range", told)
        self.end_headers()
