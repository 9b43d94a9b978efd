"""What carrying out a plan would do, found out without touching anything."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.errors import IncompleteError, printable
from release_builder.files import free_space
from release_builder.jigdo.servers import rewrite_servers
from release_builder.monitor import Monitor
from release_builder.plan.pulls import whole_pull
from release_builder.report import Finding, Severity
from release_builder.steps.guards import check_apart, check_preview
from release_builder.steps.pair import find_jigdo, find_pair, read_jigdo
from release_builder.steps.rewrite import unknown_labels
from release_builder.transport.mirrors import open_mirror

if TYPE_CHECKING:
    from release_builder.jigdo.servers import Change, Rewrite
    from release_builder.jigdo.sources import DigestCache
    from release_builder.plan import Plan
    from release_builder.transport import Moved, Transfer, Transport


@dataclass(frozen=True, slots=True)
class Preview:
    """What a plan amounts to.

    Attributes:
        plan: The plan.
        fetch: Files that would come from the mirror; None when it is not asked (offline).
        delete: Paths of the tree that would go.
        jigdo: The .jigdo's path below the mirror's root.
        servers: The [Servers] lines that would change.
        image: The image's path.
        image_there: Whether it may be there already; ``assemble`` looks whether it is right.
        image_size: Bytes of the image.
        image_size_is_exact: Or only guessed, from the files that go into it.
        free: Bytes that are free in the workdir.
        findings: What should be known beforehand.
    """

    plan: Plan
    fetch: tuple[Moved, ...] | None
    delete: tuple[str, ...]
    jigdo: str
    servers: tuple[Change, ...]
    image: Path
    image_there: bool
    image_size: int
    image_size_is_exact: bool
    free: int
    findings: tuple[Finding, ...]

    @property
    def bytes_to_fetch(self) -> int:
        """Bytes of the files that would come."""
        return sum(moved.length for moved in self.fetch or ())

    @property
    def bytes_to_write(self) -> int:
        """Bytes that the whole run would add to the workdir, beyond what a killed one left."""
        workdir = self.plan.workdir
        partial = workdir.image / f"{self.image.name}.partial"
        left = partial.stat().st_blocks * 512 if partial.is_file() else 0
        image = 0 if self.image_there else max(0, self.image_size - left)
        return max(0, self.bytes_to_fetch - workdir.held_back()) + image


def preview(plan: Plan, cache: DigestCache) -> Preview:
    """Find out what ``plan`` would do.

    Args:
        plan: The plan.
        cache: Digests known from before.

    Raises:
        ReleaseBuilderError: As the steps themselves; a mirror that cannot say what it has is an
            error here, never "nothing to do".
    """
    transport = None if plan.options.offline else open_mirror(plan.release.mirror.source)
    transfer = _ask(plan, transport) if transport else None
    with tempfile.TemporaryDirectory(prefix="release-builder-plan.") as folder:
        root = _where_jigdo_is(plan, transport, transfer, Path(folder))
        path = find_jigdo(root, plan.release)
        rewritten = _rewrite(plan, path)
        jigdo = printable(str(path.relative_to(root)))
    image = plan.workdir.image / plan.release.image
    size, exact = _image_size(plan, transfer, cache)
    free = free_space(plan.workdir.root)
    found = Preview(
        plan=plan,
        fetch=transfer.fetched if transfer else None,
        delete=transfer.deleted if transfer else (),
        jigdo=jigdo,
        servers=() if _is_written(plan, path, rewritten) else rewritten.changes,
        image=image,
        image_there=image.is_file() and (not exact or image.stat().st_size == size),
        image_size=size,
        image_size_is_exact=exact,
        free=free,
        findings=unknown_labels(rewritten, jigdo, plan.release.servers),
    )
    if found.bytes_to_write <= free:
        return found
    short = Finding(
        Severity.SURROUNDINGS,
        f"{plan.workdir.root}: {found.bytes_to_write:,} bytes would be written,"
        f" {free:,} bytes are free",
        hint="free some room, or name another folder with --workdir",
    )
    return replace(found, findings=(*found.findings, short))


def _ask(plan: Plan, transport: Transport) -> Transfer:
    check_apart(plan)
    # rsync wants the folder above the target to be there, even for a dry run: where the workdir
    # is still to be made, a folder that is empty stands in for it.
    with tempfile.TemporaryDirectory(prefix="release-builder-plan.") as empty:
        tree = plan.workdir.tree if plan.workdir.tree.is_dir() else Path(empty)
        transfer = transport.preview(whole_pull(plan.release, tree), Monitor())
    check_preview(plan, transport, transfer)
    return transfer


def _where_jigdo_is(
    plan: Plan, transport: Transport | None, transfer: Transfer | None, folder: Path
) -> Path:
    """The tree, or ``folder`` with the .jigdo in it if that is still to be fetched."""
    to_come = transfer and any(moved.path.endswith(".jigdo") for moved in transfer.fetched)
    if not transport or not to_come:
        return plan.workdir.tree
    wanted = tuple(f"{place}*.jigdo" for place in plan.release.jigdo)
    only_jigdo = replace(whole_pull(plan.release, folder), wanted=wanted, delete=False)
    transport.pull(only_jigdo, Monitor())
    return folder


def _rewrite(plan: Plan, path: Path) -> Rewrite:
    content, _ = read_jigdo(path)
    return rewrite_servers(content, plan.release.server_urls(plan.stage), printable(path.name))


def _is_written(plan: Plan, path: Path, rewritten: Rewrite) -> bool:
    there = plan.workdir.pair / path.name
    return there.is_file() and there.read_bytes() == rewritten.content


def _image_size(plan: Plan, transfer: Transfer | None, cache: DigestCache) -> tuple[int, bool]:
    if plan.release.size is not None:
        return plan.release.size, True
    if not (transfer and transfer.fetched):
        try:
            pair = find_pair(plan.workdir.tree, plan.release, cache)
        except IncompleteError:
            return 0, False
        with pair.open_template() as stream:
            return pair.read_template(stream).description.image.length, True
    return transfer.listed_size, False
