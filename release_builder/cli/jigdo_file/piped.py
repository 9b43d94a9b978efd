"""Inputs that may come from stdin or through a pipe."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.digests import BLOCK
from release_builder.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator


_PATIENCE: Final = 2.0  # seconds for a writer that was begun beside us
_ENDING: Final = ("/dev/fd/", "/dev/stdin", "/dev/null", "/dev/tty")
_SHELLS: Final = Path("/dev/fd")  # where the pipes of <(…) are


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """The file ``name``, open: ``-`` is stdin, and a pipe (as <(…) makes one) or terminal will do.

    Raises:
        OSError: It cannot be read.
    """
    if name == "-":
        yield sys.stdin.buffer
        return
    path = Path(name)
    if path.is_fifo():
        with _piped(path) as copy, copy.open("rb") as stream:
            yield stream
    else:
        with _file(path) as stream:
            yield stream


@contextmanager
def seekable(name: str) -> Iterator[Path]:
    """A file with the bytes of ``name``: of stdin (``-``) or a pipe a copy, for a while.

    Raises:
        OSError: It cannot be read, or there is no room for the copy.
    """
    path = Path(name)
    if name == "-":
        with _copied(sys.stdin.buffer) as copy:
            yield copy
    elif path.is_fifo():
        with _piped(path) as copy:
            yield copy
    else:
        yield path


def _file(path: Path) -> BinaryIO:
    # Not each device: a link to /dev/zero has no end.
    return path.open("rb") if str(path).startswith(_ENDING) else open_regular(path)


@contextmanager
def _piped(path: Path) -> Iterator[Path]:
    """A file of what comes through a named pipe.

    Raises:
        OSError: Nobody writes into it, and to wait for somebody might never end.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with io.FileIO(descriptor) as pipe:
        patience = time.monotonic() + _PATIENCE
        # None: of a writer that has not begun; nothing: there is no writer.
        while (first := pipe.read(BLOCK)) == b"" and path.parent != _SHELLS:
            if time.monotonic() > patience:
                raise OSError(0, "a named pipe that nobody writes into", str(path))
            time.sleep(0.02)
        os.set_blocking(descriptor, True)
        with _copied(pipe, first or b"") as copy:
            yield copy


@contextmanager
def _copied(source: BinaryIO, first: bytes = b"") -> Iterator[Path]:
    """A file of ``first`` and of what is left of ``source``."""
    with tempfile.NamedTemporaryFile(prefix="piped-") as copy:
        copy.write(first)
        shutil.copyfileobj(source, copy, BLOCK)
        copy.flush()
        yield Path(copy.name)
