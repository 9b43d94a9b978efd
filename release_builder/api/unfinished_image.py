"""The file of an unfinished image: begun, gone on with, brought to disk."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.digests import digest_stream
from release_builder.errors import (
    IncompleteError,
    SurroundingsError,
    WrongBytesError,
    printable,
    surroundings,
)
from release_builder.files import free_space, read_at, sync_folder, write_at
from release_builder.jigdo.entries import MatchedFile, TemplateError
from release_builder.jigdo.rsync_sum import template_sums
from release_builder.jigdo.unfinished import format_unfinished, read_unfinished
from release_builder.locks import open_locked

if TYPE_CHECKING:
    import io
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import Description


_LOOKED_AT: Final = 1024  # bytes, where no sum says how many
_LEAVE: Final = "leave it alone, and run the same command again"


class ForeignImageError(SurroundingsError):
    """What stands under the name of the unfinished image is not ours to go on with."""


@contextmanager
def begun(
    path: Path, description: Description, *, force: bool
) -> Iterator[tuple[BinaryIO, frozenset[int]]]:
    """The unfinished image at ``path``, made if missing; and what it says is in its place.

    If it was made, and the block ends because bytes are wrong, it is removed again.

    Raises:
        BusyError: Another process writes it.
        ForeignImageError: It is that of another template, or something else.
        SurroundingsError: There is no room; it cannot be written.
    """
    is_new = not os.path.lexists(path)
    try:
        with _opened(path) as out:
            status = os.fstat(out.fileno())
            written: frozenset[int] = frozenset()
            if status.st_size:
                written = _written(out, path, description, force=force)
            try:
                check_room(path.parent, description.image.length - status.st_blocks * 512)
            except SurroundingsError:
                if not status.st_size:
                    path.unlink()
                raise
            if not status.st_size:
                out.truncate(description.image.length)
                _mark(out, description, written)
            yield out, written
    except OSError as error:
        if is_new and path.exists() and not path.stat().st_size:
            path.unlink()
        error.filename = error.filename or str(path)
        raise surroundings(error) from error
    except WrongBytesError:
        if is_new:
            path.unlink(missing_ok=True)
        raise


def _opened(path: Path) -> io.FileIO:
    try:
        return open_locked(path)
    except OSError as error:
        why, hint = error.strerror, "delete it if it is there, or name another file"
        if not path.parent.is_dir():
            why, hint = (
                f"there is no folder {printable(str(path.parent))}",
                "make it, or name another",
            )
        what = f"{printable(str(path))} cannot be written: {why}"
        raise SurroundingsError(what, hint=hint) from error


def check_room(folder: Path, need: int) -> None:
    """See that ``need`` bytes can be written in ``folder``.

    Raises:
        SurroundingsError: They cannot.
    """
    free = free_space(folder)
    if need > free:
        raise SurroundingsError(
            f"{printable(str(folder))}: the image needs {need:,} bytes more, {free:,} are free",
            hint="free some room, or name another place for the image",
        )


def _written(out: BinaryIO, path: Path, description: Description, *, force: bool) -> frozenset[int]:
    """The runs that the unfinished image says are in their place."""
    try:
        unfinished = read_unfinished(out, str(path))
        if unfinished.description == description:
            return unfinished.written
        trouble = f"{printable(str(path))} is the unfinished image of another template"
    except TemplateError as error:
        size, length = out.seek(0, os.SEEK_END), description.image.length
        # A run that was stopped at its begin or end leaves this; the digests will tell.
        if length <= size <= length + len(format_unfinished(description, ())) and _is_ours(
            out, description
        ):
            return frozenset()
        trouble = error.what
    if not force:
        raise ForeignImageError(trouble, hint="delete it, or say --force")
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


def put_in_place(out: BinaryIO, path: Path, image: Path, right: Digest) -> None:
    """Give the finished image ``out``, which is at ``path``, its name.

    Its digest was taken from what was written. Only one with holes, for we leave none, is read.

    Raises:
        IncompleteError: Somebody has removed it: what is at ``path`` is nothing, or another's; or
            has cut it, and left holes.
    """
    if not _is_at(out, path):
        raise IncompleteError(
            f"{printable(str(path))} was removed while it was written", hint=_LEAVE
        )
    if _has_holes(out) and _digest(out, right.algorithm) != right:
        raise IncompleteError(f"{printable(str(path))} was cut while it was written", hint=_LEAVE)
    path.replace(image)
    sync_folder(image.parent)


def _has_holes(out: BinaryIO) -> bool:
    status = os.fstat(out.fileno())
    return status.st_blocks * 512 < status.st_size


def _digest(out: BinaryIO, algorithm: str) -> Digest:
    out.seek(0)
    return digest_stream(out, [algorithm])[algorithm]


def _is_at(out: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(out.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def found_runs(description: Description, missing: Collection[MatchedFile]) -> frozenset[int]:
    """Numbers of the runs, from 0, that are parts in their place."""
    digests = {part.digest for part in missing}
    return frozenset(
        number
        for number, run in enumerate(description.runs)
        if isinstance(run, MatchedFile) and run.digest not in digests
    )


def _is_ours(out: BinaryIO, description: Description) -> bool:
    """Whether any part seems to be in its place, or its place to be empty."""
    offset = 0
    block_length = description.image.sum_length or _LOOKED_AT
    for run in description.runs:
        if isinstance(run, MatchedFile):
            first = read_at(out.fileno(), min(block_length, run.length), offset)
            if not any(first) or run.rsync_sum in template_sums(first, block_length):
                return True
        offset += run.length
    return False
