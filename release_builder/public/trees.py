"""Trees of files that are linked where that is possible, and copied where not."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.copying import copy_file, link_file

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


def clone_tree(source: Path | None, target: Path, without: AbstractSet[str]) -> None:
    """Make ``target`` a tree of the same files as ``source``; times and modes stay.

    Args:
        source: A folder; what is none counts as an empty one.
        target: Must not exist.
        without: Files and folders that are left out, relative to ``source``.
    """
    make_folders(target)
    if source is not None and source.is_dir():
        left_out = frozenset(source / name.rstrip("/") for name in without)
        _clone(source, target, left_out)


def _clone(source: Path, target: Path, left_out: AbstractSet[Path]) -> None:
    with os.scandir(source) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path, copy = Path(entry.path), target / entry.name
        if path in left_out:
            continue
        if entry.is_dir(follow_symlinks=False):
            copy.mkdir()
            _clone(path, copy, left_out)
        elif entry.is_symlink():
            copy.symlink_to(path.readlink())
        elif not link_file(path, copy):
            copy_file(path, copy)
    shutil.copystat(source, target)


def same_file(one: Path, two: Path) -> bool:
    """Whether both are regular files of the same size, time and bytes."""
    try:
        first, second = one.lstat(), two.lstat()
    except OSError:
        return False
    return (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns) and (
        filecmp.cmp(one, two, shallow=False)
    )


def make_folders(path: Path) -> None:
    """Make ``path`` and what is missing above it, for all to read whatever the umask."""
    if not path.is_dir():
        make_folders(path.parent)
        path.mkdir(exist_ok=True)
        path.chmod(0o755)
