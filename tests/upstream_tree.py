"""A mirror of SME Server's layout with next to nothing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ALL = ("jigdo", "template", "sums")
FILES = {"jigdo": "{stem}.jigdo", "template": "{stem}.template", "sums": "md5sum.txt"}


def put(root: Path, folder: str, *what: str, arch: str = "x86_64", below: str = "iso") -> Path:
    """Put a release at ``folder``, which ends in its version.

    Args:
        root: The mirror's.
        folder: Such as ``testing/9.0beta3``.
        what: Which of FILES it has; none for all.
        arch: For which arch.
        below: Where its .jigdo lies.
    """
    place = root / folder / below / arch
    place.mkdir(parents=True, exist_ok=True)
    stem = f"smeserver-{folder.rpartition('/')[2]}-{arch}"
    for each in what or ALL:
        (place / FILES[each].format(stem=stem)).write_text("x")
    return root / folder


def link(root: Path, name: str, target: str) -> None:
    """Let ``name`` say ``target``, whatever it said before."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).unlink(missing_ok=True)
    (root / name).symlink_to(target)
