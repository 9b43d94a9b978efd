"""What a sync brings from the mirror, and in which order."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from release_builder.transport import Pull

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from release_builder.descriptor.release import Release

# What speaks of packages comes after them, so that it never speaks of what is not here yet.
_LAST: Final = (
    *("*.jigdo", "*.template", "*.asc", "*.md5", "*.sha1", "*.sha256"),
    *("*[Ss][Uu][Mm]", "*[Ss][Uu][Mm][Ss]", "*[Ss][Uu][Mm].txt", "*[Ss][Uu][Mm][Ss].txt"),
)


def whole_pull(release: Release, tree: Path) -> Pull:
    """All that ``release`` needs, and the deletion of what the mirror no longer has."""
    sync = release.sync
    return Pull(
        into=tree,
        wanted=release.fetch,
        unwanted=tuple(_images(release)),
        excluded=sync.exclude,
        delete=sync.delete,
        max_delete=sync.max_delete,
        delay_updates=sync.delay_updates,
        partial=sync.partial,
        bwlimit=str(sync.bwlimit or ""),
        timeout=sync.timeout,
    )


def _images(release: Release) -> Iterator[str]:
    """Where images lie: they are what we build. Deeper in a tree, boot.iso is a part like others."""
    for folder in release.jigdo:
        yield f"/{folder}{'*' if release.tree.startswith(folder) else '**'}.iso"


def packages_pull(whole: Pull) -> Pull:
    """The first pass of ``whole``: what pairs and sums files speak of."""
    return replace(whole, excluded=(*whole.excluded, *_LAST), delete=False)


def repairing_pull(whole: Pull, paths: Iterable[str]) -> Pull:
    """The given files of the tree anew, even where size and time are as on the mirror.

    Args:
        whole: What a sync of the release brings.
        paths: Below the mirror's root.
    """
    exact = tuple(_literal(path) for path in paths)
    return replace(whole, wanted=exact, unwanted=(), delete=False, compare_content=True)


def speaks_of_others(path: str) -> bool:
    """Whether the file at ``path`` belongs to the second pass: a pair or a sums file."""
    return any(fnmatchcase(path.rpartition("/")[2], pattern) for pattern in _LAST)


def _literal(path: str) -> str:
    r"""``path`` as a pattern that means just itself; rsync reads ``\\`` so only beside wildcards."""
    return re.sub(r"([*?\[\\])", r"\\\1", path) if re.search(r"[*?\[]", path) else path
