"""A mirror: a real rsync daemon on a free port of the loopback interface."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import SurroundingsError, printable
from release_builder.pages import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HOST: Final = "127.0.0.1"
_GRACE: Final = 0.05  # seconds to end: rsync would take 0.4, and has nothing to put in order
_PATIENCE: Final = 10.0  # seconds until the daemon must answer


@contextlib.contextmanager
def rsync_daemon(mirror: Path) -> Iterator[str]:
    """Serve ``mirror`` read-only for as long as the block lasts.

    Yields:
        The module's URL, such as ``rsync://127.0.0.1:40123/smeserver/``.

    Raises:
        SurroundingsError: rsync is missing, or its daemon does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="release-builder-rsyncd.") as scratch:
        config, log = Path(scratch, "rsyncd.conf"), Path(scratch, "log")
        text = render("demo/rsyncd.conf.j2", mirror=mirror.resolve(), root=os.geteuid() == 0)
        config.write_text(text, "utf-8", "surrogateescape")
        with contextlib.ExitStack() as stack:
            with _reserved_port() as port:
                daemon = process.start(daemon_argv(config, port), log=log, grace=_GRACE)
                _wait(port, stack.enter_context(daemon), log)
            yield f"rsync://{_HOST}:{port}/smeserver/"


def daemon_argv(config: Path, port: int) -> list[str]:
    """The command that serves what ``config`` names, in the foreground."""
    return [
        *("rsync", "--daemon", "--no-detach"),
        *("--address", _HOST, "--port", str(port)),
        *("--config", str(config)),
    ]


@contextlib.contextmanager
def _reserved_port() -> Iterator[int]:
    """A port that nobody else is given meanwhile.

    It is bound but does not listen; rsync may bind it too, since both allow the reuse.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((_HOST, 0))
        yield holder.getsockname()[1]


def _wait(port: int, alive: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while alive() and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((_HOST, port), 1) as answer:
            if answer.recv(8) == b"@RSYNCD:":
                return
        time.sleep(0.02)
    said = printable(log.read_text("utf-8", "surrogateescape").strip())
    raise SurroundingsError(
        f"the rsync daemon on {_HOST}:{port} does not answer", hint=f"it said: {said or 'nothing'}"
    )
