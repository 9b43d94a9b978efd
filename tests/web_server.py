"""A web server as mirrors have one: nginx, on a free port of the loopback interface.

Nothing of the machine's own nginx is read or touched: its settings, pid, logs and temporary files
are in a folder that goes when the server does. nginx 1.14 or newer; its documentation is at
https://nginx.org/en/docs/.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import SurroundingsError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_HOST: Final = "127.0.0.1"
_PATIENCE: Final = 60.0  # seconds until nginx must answer, at the start and later
_GRACE: Final = 2.0  # seconds to end: SIGTERM tells it not to wait for downloads
_LOG: Final = (
    "'{"
    '"method": "$request_method", "path": "$request_uri", "status": "$status", '
    '"sent": "$body_bytes_sent", "range": "$http_range"'
    "}'"
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was answered, or given up by the client.

    Attributes:
        method: Such as ``GET``; empty if the request was none.
        path: What followed the host, as it was sent: percent-encoded, with its query.
        status: Of the answer; 499 if the client left before there was one.
        sent: Bytes of the body that were sent.
        range: The header ``Range``, such as ``bytes=100-``; None if there was none.
    """

    method: str
    path: str
    status: int
    sent: int
    range: str | None


@dataclass(frozen=True, slots=True)
class Tls:
    """What makes it https.

    Attributes:
        certificate: PEM: the server's own first, then those in between.
        key: PEM, without a passphrase.
    """

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class WebServer:
    """A server that runs.

    Attributes:
        url: Of the folder that it serves, with a slash at its end.
        port: On 127.0.0.1.
    """

    url: str
    port: int
    _door: int
    _log: Path | None

    def requests(self) -> list[Request]:
        """What it has been asked, in the order in which the answers ended.

        All that a client has received to the end, or has given up, is in the list.

        Raises:
            ValueError: It was started without a log.
            OSError: It has ended.
        """
        if not self._log:
            raise ValueError("this server keeps no log")
        _answers(self._door)  # one worker does one thing at a time: the log is written by now
        text = self._log.read_text("utf-8", "surrogateescape")
        return [_request(json.loads(line)) for line in text.split("\n") if line]


@contextlib.contextmanager
def serve(
    root: Path,
    *,
    index: bool = False,
    tls: Tls | None = None,
    rate: int | None = None,
    users: Mapping[str, str] | None = None,
    more: str = "",
    log: bool = True,
) -> Iterator[WebServer]:
    """Serve ``root`` for as long as the block lasts.

    Args:
        root: A folder; links in it are followed, even out of it.
        index: Whether a folder is answered with a list of what is in it, in place of 403.
        tls: For https in place of http.
        rate: Bytes a second of each answer.
        users: Names and passwords of those who may read; None for anybody.
        more: Further nginx directives of the ``server`` block, such as
            ``location /old/ { return 301 /new/; }``.
        log: Whether ``requests`` is wanted.

    Raises:
        FileNotFoundError: There is no ``root``.
        SurroundingsError: nginx is missing, or does not start; then with its own words.
    """
    with tempfile.TemporaryDirectory(prefix="release-builder-nginx.") as name:
        scratch = Path(name)
        # Through links: a path may hold characters that mean something to nginx.
        (scratch / "root").symlink_to(root.resolve(strict=True))
        if tls:
            (scratch / "certificate").symlink_to(tls.certificate.resolve())
            (scratch / "key").symlink_to(tls.key.resolve())
        if users is not None:
            lines = [f"{user}:{{PLAIN}}{password}\n" for user, password in users.items()]
            (scratch / "users").write_text("".join(lines), "utf-8")
        server = [
            f"autoindex {'on' if index else 'off'};",
            f"limit_rate {rate or 0};",
            "ssl_certificate certificate; ssl_certificate_key key;" if tls else "",
            'auth_basic "readers"; auth_basic_user_file users;' if users is not None else "",
            more,
        ]
        with contextlib.ExitStack() as stack:
            with _reserved_port() as port, _reserved_port() as door:
                listen = f"{_HOST}:{port}{' ssl' if tls else ''}"
                settings = _settings(listen, "\n        ".join(server), door, log=log)
                (scratch / "nginx.conf").write_text(settings, "utf-8")
                said = scratch / "said"
                daemon = process.start(_argv(scratch), log=said, grace=_GRACE)
                _wait(stack.enter_context(daemon), door, said)
            url = f"http{'s' if tls else ''}://{_HOST}:{port}/"
            yield WebServer(url, port, door, scratch / "requests" if log else None)


def _argv(scratch: Path) -> list[str]:
    # Debian has it where only root looks for programs.
    places = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    program = shutil.which("nginx", path=places) or process.find("nginx")
    return [program, "-p", f"{scratch}/", "-c", f"{scratch}/nginx.conf"]


def _settings(listen: str, server: str, door: int, *, log: bool) -> str:
    # Root's worker would become a user who may not read what root has in its temporary folder.
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""\
{user}
daemon off;
worker_processes 1;
pid pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    types {{ text/html html; text/plain txt; }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    log_format requests escape=json {_LOG};
    access_log {"requests requests" if log else "off"};
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    server {{
        listen {listen};
        root root;
        {server}
    }}
    server {{ # for ourselves
        listen {_HOST}:{door};
        access_log off;
        return 204;
    }}
}}
"""


@contextlib.contextmanager
def _reserved_port() -> Iterator[int]:
    """A port that nobody else is given meanwhile.

    It is bound but does not listen; nginx may bind it too, since both allow the reuse.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((_HOST, 0))
        yield holder.getsockname()[1]


def _wait(alive: Callable[[], bool], door: int, said: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while alive() and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if _answers(door):
                return
        time.sleep(0.01)
    words = printable(said.read_text("utf-8", "surrogateescape").strip().replace("\n", " / "))
    raise SurroundingsError("nginx does not start", hint=f"it said: {words or 'nothing'}")


def _answers(door: int) -> bool:
    with socket.create_connection((_HOST, door), _PATIENCE) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return b" 204 " in client.recv(1024)


def _request(fields: dict[str, str]) -> Request:
    return Request(
        fields["method"],
        fields["path"],
        int(fields["status"]),
        int(fields["sent"]),
        fields["range"] or None,
    )
