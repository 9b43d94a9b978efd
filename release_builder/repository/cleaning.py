"""What a mirror no longer needs goes, after a time of grace for those who are fetching it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from release_builder.errors import WrongBytesError, printable
from release_builder.files import sync_folder
from release_builder.repository.adoption import leftovers
from release_builder.repository.contents import read_contents
from release_builder.repository.generations import (
    generations,
    heal,
    remove_generation,
    seconds_of,
)
from release_builder.repository.mirror import place_of, served_files, served_generation
from release_builder.repository.orphans import find_orphans, note_orphans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.repository.mirror import Mirror

GRACE: Final = 7 * 86_400  # seconds; a laptop may resume a download days later


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What ``clean`` did, or would do.

    Attributes:
        removed: Plain names of images and deltas, names of generations and of old work files.
        waiting: Those that are of no use but in their time of grace.
        freed: Bytes that had no other name.
    """

    removed: tuple[str, ...]
    waiting: tuple[str, ...]
    freed: int


def clean(mirror: Mirror, now: int, *, grace: int = GRACE, dry: bool = False) -> Cleaned:
    """Remove images and deltas that no meta file tells of, and generations of old.

    Only names of images and deltas go: what else lies in a mirror is its owner's.

    Args:
        mirror: The mirror; whoever calls it holds ``mirror.lock``.
        now: Seconds since 1970.
        grace: Seconds for which what is of no use stays, from when a run first noticed.
        dry: Whether only to tell.

    Raises:
        WrongBytesError: The mirror does not tell what it serves.
        OSError: A file cannot be removed.
    """
    if not dry:
        heal(mirror)
    if not read_contents(mirror.path).metas:
        raise WrongBytesError(
            f"{printable(str(mirror.path))} has no meta files, so all in it would go",
            hint="is it a repository? images update makes them",
        )
    orphans = find_orphans(mirror, now)
    going = [name for name, since in orphans.items() if now - since >= grace]
    outlived = list(_outlived(mirror, now - grace))
    paths = [place_of(mirror.path, name) for name in going]
    staying = {name for name, _ in served_files(mirror.path)} - set(going)
    paths += leftovers(mirror.path, staying)
    freed = sum(path.stat().st_size for path in paths if path.stat().st_nlink == 1)
    if not dry:
        _remove(paths)
        for name in outlived:
            remove_generation(mirror, name)
        note_orphans(mirror, now)
    return Cleaned(
        removed=(*(path.name for path in paths), *outlived),
        waiting=tuple(name for name in orphans if name not in going),
        freed=freed,
    )


def _outlived(mirror: Mirror, before: int) -> Iterator[str]:
    """Generations that were followed by another one before that moment."""
    current = served_generation(mirror.path)
    for name, following in pairwise(generations(mirror)):
        if name != current and seconds_of(following) <= before:
            yield name


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink()
    for folder in {path.parent for path in paths}:
        sync_folder(folder)
