"""What carrying out a plan would do, found out without touching anything."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.descriptor.mirror import Kind
from release_builder.errors import IncompleteError, printable
from release_builder.files import free_space, open_regular
from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.in_place import InPlace
from release_builder.jigdo.servers import rewrite_servers
from release_builder.monitor import Monitor
from release_builder.plan.pulls import jigdo_pull, whole_pull
from release_builder.report import Finding, Severity
from release_builder.steps.at_hand import is_at_hand, parts_at_hand
from release_builder.steps.earlier import refuse_older_version
from release_builder.steps.find_pair import find_jigdo, find_pair, read_jigdo
from release_builder.steps.guards import check_apart, check_preview
from release_builder.steps.release_servers import http_options
from release_builder.steps.rewrite import unknown_labels
from release_builder.transport.local import open_mirror

if TYPE_CHECKING:
    from release_builder.digests import Digest
    from release_builder.jigdo.entries import Description
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
        to_fetch: The parts that are not at hand; None where the whole tree is mirrored.
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
    to_fetch: tuple[MatchedFile, ...] | None
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
    refuse_older_version(plan)
    by_web = plan.release.mirror.kind is Kind.HTTP
    offline = plan.options.offline
    image = plan.workdir.image / plan.release.image
    transport = None if offline or by_web else open_mirror(plan.release.mirror.source)
    transfer = _ask(plan, transport) if transport else None
    with tempfile.TemporaryDirectory(prefix="release-builder-plan.") as folder:
        root = (
            _fetched(plan, Path(folder), cache)
            if by_web and not offline
            else _where_jigdo_is(plan, transport, transfer, Path(folder))
        )
        path = find_jigdo(root, plan.release)
        rewritten = _rewrite(plan, path)
        jigdo = printable(str(path.relative_to(root)))
        size, exact = _image_size(plan, root, transfer, cache)
        there = image.is_file() and (not exact or image.stat().st_size == size)
        to_fetch = _to_fetch(plan, root, cache, there=there) if by_web and not offline else None
    free = free_space(plan.workdir.root)
    found = Preview(
        plan=plan,
        fetch=transfer.fetched if transfer else None,
        to_fetch=to_fetch,
        delete=transfer.deleted if transfer else (),
        jigdo=jigdo,
        servers=() if _is_written(plan, path, rewritten) else rewritten.changes,
        image=image,
        image_there=there,
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
    transport.pull(jigdo_pull(plan.release, folder), Monitor())
    return folder


def _fetched(plan: Plan, folder: Path, cache: DigestCache) -> Path:
    """``folder``, with the pair that the web server has."""
    # urllib3 takes a tenth of a second; most mirrors are none of the web.
    from release_builder.steps.fetch import web_pair  # noqa: PLC0415
    from release_builder.transport.http.client import HttpClient  # noqa: PLC0415

    client = HttpClient(http_options(plan.release), os.environ)
    web_pair(plan.release, folder, client, cache)
    return folder


def _to_fetch(
    plan: Plan, root: Path, cache: DigestCache, *, there: bool
) -> tuple[MatchedFile, ...]:
    """The parts that are neither in the image nor at hand, as far as their begin tells."""
    if there:
        return ()
    pair = find_pair(root, plan.release, cache)
    with pair.open_template() as stream:
        template = pair.read_template(stream)
    sources = parts_at_hand(plan, pair, template, cache, Monitor()).sources
    partial = plan.workdir.image / f"{plan.release.image}.partial"
    held = _held(partial, template.description) if partial.is_file() else frozenset()
    return tuple(
        part
        for part in template.description.parts
        if part.digest not in held and not is_at_hand(part, sources)
    )


def _held(partial: Path, description: Description) -> frozenset[Digest]:
    """The parts that the unfinished image seems to have."""
    held, offset = set(), 0
    with open_regular(partial) as stream:
        for run in description.runs:
            if isinstance(run, MatchedFile):
                place = InPlace(stream, offset)
                if place.may_hold(run, description.image.sum_length):
                    held.add(run.digest)
            offset += run.length
    return frozenset(held)


def _rewrite(plan: Plan, path: Path) -> Rewrite:
    content, _ = read_jigdo(path)
    return rewrite_servers(content, plan.release.server_urls(plan.stage), printable(path.name))


def _is_written(plan: Plan, path: Path, rewritten: Rewrite) -> bool:
    there = plan.workdir.pair / path.name
    return there.is_file() and there.read_bytes() == rewritten.content


def _image_size(
    plan: Plan, root: Path, transfer: Transfer | None, cache: DigestCache
) -> tuple[int, bool]:
    if plan.release.size is not None:
        return plan.release.size, True
    if not (transfer and transfer.fetched):
        try:
            pair = find_pair(root, plan.release, cache)
        except IncompleteError:
            return 0, False
        with pair.open_template() as stream:
            return pair.read_template(stream).description.image.length, True
    return transfer.listed_size, False
