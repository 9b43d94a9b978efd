"""Files that get their names in the served tree."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from release_builder.copying import copy_file, fit, is_fit, link_file
from release_builder.errors import IncompleteError, printable
from release_builder.files import sync_file
from release_builder.repository.journal import gone

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from release_builder.repository.sums import Sums


def lay(  # noqa: PLR0913 (what it needs to know and to do)
    source: Path,
    target: Path,
    staging: Path,
    sums: Sums,
    sums_of: Callable[[Path], Sums],
    *,
    renaming: Callable[[Path], AbstractContextManager[object]] = contextlib.nullcontext,
) -> None:
    """Give the bytes of ``source`` the name ``target``; they are on disk then.

    Args:
        source: A regular file, or a link to one. One that not all may read, or that all may
            write, is copied.
        target: What stands there is replaced in one go.
        staging: A folder on the file system of ``target``, for us alone.
        sums: What the bytes must be.
        sums_of: Tells what they are; it need not read again what has not changed.
        renaming: Hears which file gets another name in its block, and nothing else.

    Raises:
        IncompleteError: They are others, or are written now, or gone; ``target`` is as it was.
        OSError: It cannot be done.
    """
    beside = staging / target.name
    beside.unlink(missing_ok=True)
    try:
        mode = source.stat().st_mode
        with renaming(source):
            is_linked = is_fit(mode) and link_file(source.resolve(), beside)
        if is_linked:
            sync_file(beside)
        else:
            copy_file(source, beside, fit(mode))
        if sums_of(beside) != sums:
            raise IncompleteError(
                f"{printable(str(source))} changed while it was published",
                hint="run it again once nobody writes there",
            )
        with renaming(beside):
            beside.replace(target)
    except FileNotFoundError as error:
        if source.exists():
            raise
        raise gone(source) from error
    finally:
        # What has been another name of the same file all the time stays where it was.
        beside.unlink(missing_ok=True)
