"""stdin, stdout and stderr as the shell left them: closed, full, or read by nobody."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING, NoReturn, TextIO

from release_builder.errors import SurroundingsError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def take_streams() -> None:
    """Make the best of the three, once, before anything is read, printed or opened.

    A closed stdin or stdout is an error only when it is used: a SurroundingsError. What stderr
    does not take is lost, and changes nothing else.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # no file of ours shall get its number: libraries may print to it
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or _closed("stdin", "name a file instead of -")
    sys.stdout = _named(sys.stdout) if sys.stdout else _closed("stdout", "send it to /dev/null")
    sys.stderr = io.TextIOWrapper(
        _Forgiving(2, "w", closefd=False),
        encoding=sys.stderr.encoding if sys.stderr else None,
        errors="backslashreplace",
        write_through=True,  # a buffer between would print again what Ctrl-C interrupted
    )


def let_go_of_stdout() -> None:
    """What stdout would not take must not be tried again when Python ends: that prints."""
    with contextlib.suppress(OSError, SurroundingsError):
        sys.stdout.flush()
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _named(stdout: TextIO) -> io.TextIOWrapper:
    """``stdout``, which says that it is what failed."""
    return io.TextIOWrapper(
        io.BufferedWriter(_Stdout(1, "w", closefd=False)),
        encoding=stdout.encoding,
        errors=stdout.errors,
        line_buffering=stdout.isatty(),
    )


def _closed(name: str, hint: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(_Closed(name, hint), write_through=True)


class _Closed(io.RawIOBase):
    """A stream that cannot be used."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__()
        self.name = name
        self._hint = hint

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, _buffer: object, /) -> NoReturn:
        self._refuse()

    def write(self, _data: ReadableBuffer, /) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise SurroundingsError(f"{self.name} is closed", hint=self._hint)


class _Stdout(io.FileIO):
    """Where results go; that its reader has left is nobody's failure."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            what = f"stdout takes nothing more: {error.strerror}"
            raise SurroundingsError(what, hint="send it to another place") from error


class _Forgiving(io.FileIO):
    """A file that seems to take whatever it is given."""

    def write(self, data: ReadableBuffer, /) -> int:
        left = memoryview(data)
        with contextlib.suppress(OSError):
            while taken := left and super().write(left):
                left = left[taken:]
        return memoryview(data).nbytes
