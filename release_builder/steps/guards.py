"""What is looked at before a sync touches anything."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    printable,
)
from release_builder.monitor import Monitor
from release_builder.plan.pulls import jigdo_pull
from release_builder.steps.find_pair import find_jigdo, read_jigdo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.descriptor.release import Release
    from release_builder.jigdo.location import JigdoFile
    from release_builder.plan import Plan
    from release_builder.transport import Transfer, Transport


def check_apart(plan: Plan) -> None:
    """Refuse a local mirror that is our own tree, or lies in it or around it.

    Raises:
        DescriptorError: It does.
    """
    mirror = plan.release.mirror.local_path
    if mirror is None:
        return
    mirror, tree = mirror.resolve(), plan.workdir.tree.resolve()
    if mirror.is_relative_to(tree) or tree.is_relative_to(mirror):
        raise DescriptorError(
            f"the mirror {mirror} and the tree {tree} lie in one another",
            hint="name another `workdir:`; to work on a tree that is here already, use --offline",
        )


def check_preview(plan: Plan, transport: Transport, preview: Transfer) -> None:
    """Refuse a sync that would do harm.

    Raises:
        IncompleteError: The mirror, or a folder of it, is empty, as an unmounted disk looks; or
            it has lost files that its own .jigdo names.
        DescriptorError: It has other things than the descriptor says, or too much would go.
    """
    release = plan.release
    if not preview.listed_size:
        names = transport.names()
        if not names:
            raise IncompleteError(
                f"{release.mirror.url} is empty; nothing is deleted here on its word",
                hint="is its disk not mounted? run again later",
            )
        raise DescriptorError(
            f"{release.mirror.url} has nothing in {', '.join(release.wanted)}; it has: "
            + ", ".join(names[:12]),
            hint="correct `arch:`, `mirror:`, `tree:` or `jigdo:` in the descriptor",
        )
    deleted = [path for path in preview.deleted if not path.endswith("/")]
    _check_still_there(plan, deleted)
    for folder in (release.tree, *release.jigdo):
        _check_not_emptied(plan, folder, deleted, preview)
    if len(deleted) > release.sync.max_delete:
        raise DescriptorError(
            f"{len(deleted):,} files are gone from {release.mirror.url}, more than the"
            f" {release.sync.max_delete:,} that may be deleted here; nothing was touched",
            hint="look at the mirror; if it is right, raise `max_delete:` below `sync:`",
        )
    _check_parts_stay(plan, transport, preview, deleted)


def _check_not_emptied(plan: Plan, folder: str, deleted: list[str], preview: Transfer) -> None:
    """A folder that loses most of its files and gets few is more likely unmounted than renewed."""
    here = sum(path.is_file() for path in (plan.workdir.tree / folder).rglob("*"))
    going = sum(path.startswith(folder) for path in deleted)
    coming = sum(moved.path.startswith(folder) for moved in preview.fetched)
    if going * 2 > here and coming * 2 < going:
        raise IncompleteError(
            f"{plan.release.mirror.url} has lost {going:,} of {here:,} files in {folder};"
            " nothing is deleted here",
            hint="run again later; if that is right, remove our copy:"
            f" {printable(str(plan.workdir.tree / folder))}",
        )


def _check_still_there(plan: Plan, deleted: list[str]) -> None:
    """The mirror may be back at another release, or be in the middle of an update."""
    name = f"{plan.release.image.removesuffix('.iso')}.jigdo"
    if gone := [
        path for path in deleted if path in {f"{each}{name}" for each in plan.release.jigdo}
    ]:
        raise IncompleteError(
            f"{plan.release.mirror.url} no longer has {gone[0]}; nothing was touched",
            hint="run again later; if the mirror has moved on, correct `version:` and `mirror:`",
        )


def _check_parts_stay(
    plan: Plan, transport: Transport, preview: Transfer, deleted: list[str]
) -> None:
    """The mirror's .jigdo knows best which files the mirror ought to have."""
    jigdo = _jigdo_to_be(plan, transport, preview) if deleted else None
    if not jigdo:
        return
    named = set(_named_files(plan.release, jigdo))
    if lost := [path for path in deleted if path in named]:
        raise IncompleteError(
            f"{plan.release.mirror.url} has lost {len(lost):,} of the files that its"
            f" {jigdo.name} names, such as {printable(lost[0])}; nothing was touched",
            hint="the mirror may be half-way through an update: run again later;"
            " to keep what it has lost for good, set `delete: false` below `sync:`",
        )


def _jigdo_to_be(plan: Plan, transport: Transport, preview: Transfer) -> JigdoFile | None:
    """The .jigdo that the tree will have after the sync; None where none can be read."""
    changes = any(moved.path.endswith(".jigdo") for moved in preview.fetched)
    with tempfile.TemporaryDirectory(prefix="release-builder-sync.") as folder:
        root = Path(folder) if changes else plan.workdir.tree
        if changes:
            transport.pull(jigdo_pull(plan.release, root), Monitor())
        try:
            return read_jigdo(find_jigdo(root, plan.release))[1]
        except ReleaseBuilderError:  # the step that needs it tells
            return None


def _named_files(release: Release, jigdo: JigdoFile) -> Iterator[str]:
    """Where [Parts] says that files are, below the mirror's root; a label may mean both roots."""
    for locations in jigdo.parts.values():
        for location in locations:
            path = location.partition(":")[2].lstrip("/")
            yield from (f"{release.tree}{path}", path)
