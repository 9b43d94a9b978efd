"""The file of an unfinished image: begun, gone on with, brought to disk."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from release_builder.errors import BusyError, SurroundingsError, printable
from release_builder.files import free_space, write_at
from release_builder.jigdo.entries import MatchedFile, TemplateError
from release_builder.jigdo.unfinished import format_unfinished, read_unfinished

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from release_builder.jigdo.entries import Description


@contextmanager
def begun(
    path: Path, description: Description, *, force: bool
) -> Iterator[tuple[BinaryIO, frozenset[int]]]:
    """The unfinished image at ``path``, made if missing; and what it says is in its place.

    Raises:
        BusyError: Another process writes it.
        SurroundingsError: It is that of another template; there is no room; it cannot be written.
    """
    # A link is refused; FIFOs and devices too, never waited for.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o644)
    except OSError as error:
        what = f"{printable(str(path))} cannot be written: {error.strerror}"
        raise SurroundingsError(
            what, hint="delete it if it is there, or name another file"
        ) from error
    with os.fdopen(descriptor, "r+b", buffering=0) as out:
        _lock(out, path)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SurroundingsError(f"{printable(str(path))} is no regular file")
        written: frozenset[int] = frozenset()
        if status.st_size:
            written = _written(out, path, description, force=force)
        need, free = description.image.length - status.st_blocks * 512, free_space(path.parent)
        if need > free:
            if not status.st_size:
                path.unlink()
            raise SurroundingsError(
                f"{printable(str(path.parent))}: the image needs {need:,} bytes more,"
                f" {free:,} are free",
                hint="free some room, or name another place for the image",
            )
        if not status.st_size:
            out.truncate(description.image.length)
            _mark(out, description, written)
        yield out, written


def _written(out: BinaryIO, path: Path, description: Description, *, force: bool) -> frozenset[int]:
    """The runs that the unfinished image says are in their place."""
    try:
        unfinished = read_unfinished(out, str(path))
        if unfinished.description == description:
            return unfinished.written
        trouble = f"{printable(str(path))} is the unfinished image of another template"
    except TemplateError as error:
        size, length = out.seek(0, os.SEEK_END), description.image.length
        if length <= size <= length + len(format_unfinished(description, ())):
            return frozenset()  # a run was stopped at its begin or end; the digests will tell
        trouble = error.what
    if not force:
        raise SurroundingsError(trouble, hint="delete it, or say --force")
    # What it has in common with this image is found by its digests.
    out.truncate(description.image.length)
    _mark(out, description, ())
    return frozenset()


def _mark(out: BinaryIO, description: Description, written: Collection[int]) -> None:
    """Say in the unfinished image which runs are in their place."""
    write_at(out.fileno(), format_unfinished(description, written), description.image.length)


def end(out: BinaryIO, description: Description, missing: Collection[MatchedFile]) -> None:
    """Bring to disk what is there, and say what it is."""
    if missing:
        os.fsync(out.fileno())
        _mark(out, description, found_runs(description, missing))
    else:
        out.truncate(description.image.length)
    os.fsync(out.fileno())


def found_runs(description: Description, missing: Collection[MatchedFile]) -> frozenset[int]:
    """Numbers of the runs, from 0, that are parts in their place."""
    digests = {part.digest for part in missing}
    return frozenset(
        number
        for number, run in enumerate(description.runs)
        if isinstance(run, MatchedFile) and run.digest not in digests
    )


def _lock(out: BinaryIO, path: Path) -> None:
    """See that we alone write the file, and that it still is what ``path`` names."""
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(out.fileno()), path.lstat()):
            return
    except OSError as error:
        raise BusyError(f"another process writes {printable(str(path))}") from error
    raise BusyError(f"another process wrote {printable(str(path))} this very moment")
