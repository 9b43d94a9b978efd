"""Inputs that may come from stdin or through a pipe."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from release_builder.digests import BLOCK
from release_builder.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    piped = path.is_fifo() or path.is_char_device()
    with path.open("rb") if piped else open_regular(path) as stream:
        yield stream


@contextmanager
def seekable(name: str) -> Iterator[Path]:
    """A file with the bytes of ``name``: of stdin (``-``) or a pipe a copy, for a while.

    Raises:
        OSError: It cannot be read, or there is no room for the copy.
    """
    if name != "-" and not Path(name).is_fifo():
        yield Path(name)
        return
    with tempfile.NamedTemporaryFile(prefix="piped-") as copy:
        with opened(name) as stream:
            shutil.copyfileobj(stream, copy, BLOCK)
        copy.flush()
        yield Path(copy.name)
