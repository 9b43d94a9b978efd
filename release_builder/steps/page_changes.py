"""What the page of a release says that changed since the one before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from release_builder.comparison import compare
from release_builder.comparison.places import Place, find_place, read_inventory
from release_builder.descriptor.version import Stage, Version
from release_builder.errors import ReleaseBuilderError
from release_builder.pages.release_page import ChangeKind, PackageChange
from release_builder.report import Finding, Severity
from release_builder.steps.releases_index import listed_releases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.comparison import PackageChange as Change
    from release_builder.pages.index_page import ListedRelease
    from release_builder.pages.release_page import ReleasePage
    from release_builder.plan import Plan
    from release_builder.steps import Context
    from release_builder.steps.content import Content
    from release_builder.steps.go_public import Public
    from release_builder.steps.record import Record


def with_changes(
    context: Context,
    public: Public,
    contents: Sequence[tuple[Plan, Content]],
    page: ReleasePage,
    now: Record | None,
) -> tuple[ReleasePage, tuple[Finding, ...]]:
    """``page`` with the packages that changed, if the release before it is public here too.

    A final is compared with the final before it, a beta with whatever was public last. That it
    cannot be compared is no reason not to publish it: then a finding says why.

    Args:
        context: Its cache knows digests.
        public: Where it will be.
        contents: What it consists of, by the plan of each arch.
        page: What is told besides.
        now: What is public of it now: tells what changed on other arches.
    """
    before = _before(Version.parse(page.version), page.stage, listed_releases(public.shelf))
    here = public.shelf.local(before.folder) if before else None
    if before is None or here is None:
        return page, ()
    changes: dict[tuple[str, str], PackageChange] = {}
    try:
        for plan, content in contents:
            if content.tree:
                found = _compared(context, here, plan.release.arch, content.tree)
                changes |= {(each.name, each.arch): each for each in found}
    except (ReleaseBuilderError, OSError) as error:
        why = f"the page does not say what changed since {before.version}: {error}"
        return page, (Finding(Severity.WARNING, why),)
    arches = {plan.release.arch for plan, _ in contents}
    if now and now.page.previous == before.version:  # of the arches that are not published now
        for each in now.page.changes:
            if each.arch not in {*arches, "noarch"}:
                changes.setdefault((each.name, each.arch), each)
    merged = tuple(changes[key] for key in sorted(changes))
    return replace(page, previous=before.version, changes=merged), ()


def _compared(context: Context, here: Path, arch: str, tree: Path) -> list[PackageChange]:
    old = find_place(here, arch, context.cache)
    inventories = (
        read_inventory(
            place,
            changes=True,
            algorithm=old.algorithm or "md5",
            cache=context.cache,
            monitor=context.monitor,
        )
        for place in (old, Place(str(tree), trees=(tree,)))
    )
    return [_shown(change) for change in compare(*inventories).packages]


def _before(
    version: Version, stage: str, releases: tuple[ListedRelease, ...]
) -> ListedRelease | None:
    older = [
        each
        for each in releases
        if Version.parse(each.version) < version and stage in {Stage.BETA, each.stage}
    ]
    return max(older, key=lambda each: Version.parse(each.version), default=None)


def _shown(change: Change) -> PackageChange:
    return PackageChange(
        kind=ChangeKind(change.kind),
        name=change.name,
        arch=change.arch,
        old=change.old_version,
        new=change.new_version,
        size_change=change.size_change or 0,
        notes=change.notes,
        bugs=change.bugs,
    )
