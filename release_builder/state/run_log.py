"""What every run did, line by line: in a file that is rotated, and in short in the syslog."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYSTEM_FOLDER: Final = Path("/var/log/release-builder")
_NAME: Final = "refresh.log"
_SIZE: Final = 4 << 20  # bytes, and as many files of it
_KEPT: Final = 4
_SYSLOG: Final = "/dev/log"


class RunLog:
    """Takes the lines of a run.

    Attributes:
        path: The file; None where none can be written.
        problem: Why it cannot; empty if it can.
    """

    def __init__(self, path: Path | None, problem: str, logger: logging.Logger) -> None:
        self.path = path
        self.problem = problem
        self._logger = logger

    def line(self, text: str) -> None:
        """A line for the file."""
        self._logger.debug("%s", printable(text))

    def headline(self, text: str, *, failed: bool = False) -> None:
        """A line for the file and the syslog."""
        self._logger.log(logging.ERROR if failed else logging.INFO, "%s", printable(text))


def log_file(state: Path) -> Path:
    """Where the log is: with the system's others for root, else in the state folder."""
    is_system = state == Path("/var/lib/release-builder")
    return (_SYSTEM_FOLDER if is_system else state) / _NAME


@contextlib.contextmanager
def open_log(path: Path, syslog: str = _SYSLOG) -> Iterator[RunLog]:
    """The log in ``path``, closed at the end of the block.

    Args:
        path: The file; its folder is made where missing.
        syslog: The socket of the syslog's daemon.

    That a log cannot be written hinders nobody: ``problem`` tells why.
    """
    logger = logging.Logger("release-builder", logging.DEBUG)  # of nobody else, with no parents
    problem = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        to_file = logging.handlers.RotatingFileHandler(
            path, maxBytes=_SIZE, backupCount=_KEPT, encoding="utf-8", errors="backslashreplace"
        )
    except OSError as error:
        problem = f"{printable(str(path))}: {error.strerror or error}"
    else:
        form = "%(asctime)s [%(process)d] %(message)s"
        to_file.setFormatter(logging.Formatter(form, "%Y-%m-%dT%H:%M:%S%z"))
        to_file.handleError = _be_silent  # type: ignore[method-assign] # it would print a traceback
        logger.addHandler(to_file)
    with contextlib.suppress(OSError):  # no syslog, then
        logger.addHandler(_syslog(syslog))
    try:
        yield RunLog(None if problem else path, problem, logger)
    finally:
        for handler in logger.handlers:
            with contextlib.suppress(OSError):  # a full disk again
                handler.close()


def _syslog(where: str) -> logging.Handler:
    handler = logging.handlers.SysLogHandler(
        where, logging.handlers.SysLogHandler.LOG_CRON, socket.SOCK_DGRAM
    )
    handler.ident = f"release-builder[{os.getpid()}]: "
    handler.append_nul = False
    handler.setLevel(logging.INFO)
    handler.handleError = _be_silent  # type: ignore[method-assign]
    return handler


def _be_silent(record: logging.LogRecord) -> None:
    """A disk that is full must not make a run fail that can go on without its log."""
    del record
    error = sys.exc_info()[1]
    if error is not None and not isinstance(error, OSError):
        raise error
