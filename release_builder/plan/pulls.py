"""What a sync brings from the mirror, and in which order."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from release_builder.transport import Pull

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from release_builder.descriptor.release import Release

# What speaks of packages comes after them, so that it never speaks of what is not here yet.
_LAST: Final = (
    *("*.jigdo", "*.template", "*.asc", "*.sig", "*.gpg", "*.md5", "*.sha1", "*.sha256"),
    *("*[Ss][Uu][Mm]", "*[Ss][Uu][Mm][Ss]", "*[Ss][Uu][Mm].txt", "*[Ss][Uu][Mm][Ss].txt"),
)


def whole_pull(release: Release, tree: Path) -> Pull:
    """All that ``release`` needs, and the deletion of what the mirror no longer has."""
    sync = release.sync
    return Pull(
        into=tree,
        wanted=release.wanted,
        # Images lie beside the .jigdo, and are what we build; deeper in a tree, boot.iso is a part.
        unwanted=tuple(f"/{folder}*.iso" for folder in release.jigdo),
        excluded=sync.exclude,
        delete=sync.delete,
        max_delete=sync.max_delete,
        delay_updates=sync.delay_updates,
        partial=sync.partial,
        bwlimit=str(sync.bwlimit or ""),
        timeout=sync.timeout,
    )


def packages_pull(whole: Pull) -> Pull:
    """The first pass of ``whole``: what pairs and sums files speak of."""
    return replace(whole, excluded=(*whole.excluded, *_LAST), delete=False)


def jigdo_pull(release: Release, folder: Path) -> Pull:
    """Just the .jigdo files of ``release``, into ``folder``: to be read before all else comes."""
    wanted = tuple(f"{place}*.jigdo" for place in release.jigdo)
    return replace(whole_pull(release, folder), wanted=wanted, delete=False)


def repairing_pull(whole: Pull, paths: Iterable[str]) -> Pull:
    """The given files of the tree anew, even where size and time are as on the mirror.

    Args:
        whole: What a sync of the release brings.
        paths: Below the mirror's root.
    """
    return replace(whole, only=tuple(paths), delete=False)


def speaks_of_others(path: str) -> bool:
    """Whether the file at ``path`` belongs to the second pass: a pair or a sums file."""
    return any(fnmatchcase(path.rpartition("/")[2], pattern) for pattern in _LAST)
