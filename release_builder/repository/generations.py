"""A mirror that is a link to one of several trees of hard links: all of it changes in one go."""

from __future__ import annotations

import calendar
import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable
from release_builder.files import sync_folder
from release_builder.repository.mirror import (
    AWAY,
    HIDDEN_WORK,
    WORK_AWAY,
    is_generation,
    served_generation,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from release_builder.repository.mirror import Mirror

_NEXT: Final = "next"  # is being made
_LAST: Final = "last"  # was public until a moment ago, where two names cannot change places
_GONE: Final = "gone"  # is being removed
_MOMENT: Final = "%Y%m%dT%H%M%SZ"


def begin(mirror: Mirror, exchange: Callable[[Path, Path], bool]) -> None:
    """Bring the work state of a plain mirror to where it can stay once there are generations.

    Whoever calls it holds ``mirror.lock``, which moves along.

    Args:
        mirror: The mirror.
        exchange: Lets two names change places; False where this system cannot.

    Raises:
        DescriptorError: The mirror is a mount point, which cannot become a link.
        OSError: The file system refuses.
    """
    if os.path.ismount(mirror.path):
        raise DescriptorError(
            f"{printable(str(mirror.path))} is a mount point, which cannot become a link",
            hint="name a folder in it as MIRROR_DIR",
        )
    hidden, moved = mirror.path / HIDDEN_WORK, mirror.moved_work
    mirror.store.mkdir(parents=True, exist_ok=True)
    if mirror.work == moved:
        return
    hidden.mkdir(parents=True, exist_ok=True)
    away = mirror.store / WORK_AWAY
    away.unlink(missing_ok=True)
    away.symlink_to(f"../{mirror.store.name}/{moved.name}")
    # At no time may another run find no lock, and make a new one.
    is_exchanged = exchange(away, hidden)
    if not is_exchanged:
        hidden.rename(moved)
    with contextlib.suppress(FileNotFoundError):  # another run was about to begin, and did it
        away.rename(moved if is_exchanged else hidden)
    sync_folder(mirror.store)


def heal(mirror: Mirror) -> None:
    """Put right what a run left that was cut off; whoever calls it holds ``mirror.lock``."""
    shutil.rmtree(mirror.staging, ignore_errors=True)
    if not mirror.store.is_dir():
        return
    for name in (_NEXT, _GONE):
        shutil.rmtree(mirror.store / name, ignore_errors=True)
    for name in (AWAY, _LAST):
        path = mirror.store / name
        if path.is_symlink():
            path.unlink()
        elif path.is_dir() and not os.path.lexists(mirror.path):
            path.rename(mirror.path)
        elif path.is_dir():
            _keep(mirror, path)
    current = served_generation(mirror.path)
    for name in generations(mirror) if mirror.path.is_dir() else ():
        if current is None or name > current:  # it never was public
            remove_generation(mirror, name)


def generations(mirror: Mirror) -> list[str]:
    """The names of all generations, oldest first."""
    if not mirror.store.is_dir():
        return []
    return sorted(path.name for path in mirror.store.iterdir() if is_generation(path.name))


def seconds_of(generation: str) -> int:
    """The moment of a generation, in seconds since 1970."""
    return calendar.timegm(time.strptime(generation, _MOMENT))


def clone(mirror: Mirror, renaming: Callable[[Path], AbstractContextManager[object]]) -> Path:
    """A tree of the same files as the mirror's, hard links all, which is to be the next.

    Args:
        mirror: The mirror.
        renaming: Hears which file gets another name in its block.
    """
    tree = mirror.store / _NEXT
    shutil.rmtree(tree, ignore_errors=True)
    if mirror.path.is_dir():
        _clone(mirror.path, tree, renaming)
    else:
        tree.mkdir(parents=True)
    tree.chmod(0o755)
    return tree


def expose(mirror: Mirror, tree: Path, exchange: Callable[[Path, Path], bool]) -> str:
    """Let the public name lead to a tree, which is a generation from now on.

    Returns:
        Its name.
    """
    _sync_folders(tree)
    stored = generations(mirror)
    seconds = max(int(time.time()), *(seconds_of(name) + 1 for name in stored), 0)
    name = time.strftime(_MOMENT, time.gmtime(seconds))
    tree.rename(mirror.store / name)
    sync_folder(mirror.store)
    away = mirror.store / AWAY
    away.symlink_to(f"{mirror.store.name}/{name}")
    if mirror.path.is_symlink() or not mirror.path.exists():
        away.rename(mirror.path)
    elif exchange(away, mirror.path):
        _keep(mirror, away)
    else:
        last = mirror.store / _LAST
        mirror.path.rename(last)
        away.rename(mirror.path)
        _keep(mirror, last)
    sync_folder(mirror.path.parent)
    return name


def remove_generation(mirror: Mirror, name: str) -> None:
    """Remove a generation: half of one never has its name."""
    gone = mirror.store / _GONE
    shutil.rmtree(gone, ignore_errors=True)
    (mirror.store / name).rename(gone)
    shutil.rmtree(gone)


def _keep(mirror: Mirror, folder: Path) -> None:
    """Make what was a plain mirror the oldest generation: some client may still read it."""
    (folder / HIDDEN_WORK).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
        return
    oldest = min((seconds_of(name) for name in generations(mirror)), default=int(time.time()))
    seconds = min(int(folder.stat().st_mtime), oldest - 1)
    folder.rename(mirror.store / time.strftime(_MOMENT, time.gmtime(seconds)))


def _clone(
    source: Path, target: Path, renaming: Callable[[Path], AbstractContextManager[object]]
) -> None:
    target.mkdir(parents=True)
    for entry in os.scandir(source):
        if entry.name == HIDDEN_WORK:
            continue
        copy = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            _clone(source / entry.name, copy, renaming)
        else:
            is_file = entry.is_file(follow_symlinks=False)
            with renaming(source / entry.name) if is_file else contextlib.nullcontext():
                os.link(entry.path, copy, follow_symlinks=False)
    shutil.copystat(source, target)


def _sync_folders(tree: Path) -> None:
    for place, _folders, _files in os.walk(tree):
        sync_folder(Path(place))
