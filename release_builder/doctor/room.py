"""How much room a release takes where it is worked on."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.mirror import Kind
from release_builder.errors import ReleaseBuilderError
from release_builder.monitor import Monitor
from release_builder.plan.pulls import whole_pull
from release_builder.transport.local import open_mirror

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.plan import Plan
    from release_builder.transport import Transfer

_USUAL_IMAGE: Final = 700_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Room:
    """How many bytes are to be free.

    Attributes:
        wanted: For the next release too, and what is to stay free.
        needed: With less a refresh fails, whatever it clears away; 0 where that is not known.
    """

    wanted: int
    needed: int


def room_for(plan: Plan) -> Room:
    """The room that ``plan`` takes; a mirror of rsync or a folder is asked for its sizes."""
    release, workdir = plan.release, plan.workdir
    listed = _listed(plan)
    known = release.size or (listed.listed_size if listed else 0)
    image = known or _USUAL_IMAGE
    tree = 0 if workdir.tree.exists() or release.mirror.kind is Kind.HTTP else image
    fetch = tree if listed is None else max(0, listed.size - workdir.held_back())
    wanted = fetch + image + release.retain.free
    if not known:
        return Room(wanted, 0)
    name = workdir.image / release.image
    partial = name.with_name(f"{name.name}.partial")
    missing = 0 if name.is_file() else max(0, image - _taken(partial))
    # Nothing is kept free for a tree that does not change.
    needed = fetch + max(missing, release.retain.free if fetch else 0)
    clearable = sum(_taken(path) for path in _others(workdir.image, {name, partial}))
    return Room(wanted, max(0, needed - clearable))


def _listed(plan: Plan) -> Transfer | None:
    """What a sync would bring; None where nobody tells."""
    mirror = plan.release.mirror
    if plan.options.offline or mirror.kind is Kind.HTTP:
        return None
    # rsync wants the folder above its target to be there: an empty one stands in for it.
    with tempfile.TemporaryDirectory(prefix="release-builder-doctor.") as empty:
        tree = plan.workdir.tree if plan.workdir.tree.is_dir() else Path(empty)
        try:
            return open_mirror(mirror.source).preview(whole_pull(plan.release, tree), Monitor())
        except (ReleaseBuilderError, OSError):
            return None  # what ails the mirror is told where servers are


def _others(folder: Path, ours: set[Path]) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path not in ours)


def _taken(path: Path) -> int:
    """Bytes that removing ``path`` would free."""
    return path.lstat().st_blocks * 512 if path.is_file() else 0
