"""What a folder holds, to be compared."""

from __future__ import annotations

import hashlib
import stat
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


def names(
    folder: Path, ignored: Iterable[str] = (), alias: Callable[[str], str] = str
) -> dict[str, str]:
    """Everything below ``folder`` by its relative path: kind, mode, and digest or target.

    Args:
        folder: Where to look; links are not followed.
        ignored: Patterns of what does not count, nor what lies below it.
        alias: Gives paths and targets the names that they have here.
    """
    found: dict[str, str] = {}
    pending = [folder]
    while pending:
        for path in pending.pop().iterdir():
            name = str(path.relative_to(folder))
            if any(fnmatchcase(name, pattern) for pattern in ignored):
                continue
            mode, name = path.lstat().st_mode, _free_name(alias(name), found)
            if stat.S_ISLNK(mode):
                found[name] = f"-> {alias(str(path.readlink()))}"
            elif stat.S_ISDIR(mode):
                found[name] = f"folder {stat.S_IMODE(mode):o}"
                pending.append(path)
            else:
                found[name] = f"{stat.filemode(mode)} {_digest(path)}"
    return found


def readers_view(paths: Iterable[Path]) -> dict[str, str]:
    """What one who opens ``paths`` gets: the digest of each file at or below each."""
    found: dict[str, str] = {}
    for path in paths:
        opened = path.resolve()  # once: a link that is switched meanwhile changes nothing
        files = [opened] if opened.is_file() else opened.rglob("*") if opened.is_dir() else []
        found |= {
            str(path / file.relative_to(opened)): _digest(file) for file in files if file.is_file()
        }
    return found


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """A line for each name that differs."""
    return [
        f"{name}: {before.get(name, 'absent')} became {after.get(name, 'absent')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def _free_name(name: str, found: Mapping[str, str]) -> str:
    """Two that have one name are two all the same."""
    while name in found:
        name += "'"
    return name


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
