"""What the page of a release says that changed since the one before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.comparison import compare
from release_builder.comparison.places import Place, find_place, read_inventory
from release_builder.descriptor.version import Stage, Version
from release_builder.errors import ReleaseBuilderError
from release_builder.pages.release_page import ChangeKind, PackageChange
from release_builder.report import Finding, Severity
from release_builder.steps.releases_index import listed_releases

if TYPE_CHECKING:
    from release_builder.comparison import PackageChange as Change
    from release_builder.pages.index_page import ListedRelease
    from release_builder.pages.release_page import ReleasePage
    from release_builder.steps import Context
    from release_builder.steps.content import Content
    from release_builder.steps.go_public import Public
    from release_builder.steps.record import Record


def with_changes(
    context: Context, public: Public, content: Content, page: ReleasePage, now: Record | None
) -> tuple[ReleasePage, tuple[Finding, ...]]:
    """``page`` with the packages that changed, if the release before it is public here too.

    A final is compared with the final before it, a beta with whatever was public last. That it
    cannot be compared is no reason not to publish it: then a finding says why.

    Args:
        context: Of the release, on one arch.
        public: Where it will be.
        content: What it consists of.
        page: What is told besides.
        now: What is public of it now: tells what changed on other arches.
    """
    before = _before(context.plan.release.version, page.stage, listed_releases(public.shelf))
    root = public.publication.root
    if before is None or root.host or content.tree is None:
        return page, ()
    arch = context.plan.release.arch
    try:
        old = find_place(Path(root.path) / before.folder, arch, context.cache)
        new = Place(page.version, trees=(content.tree,))
        inventories = (
            read_inventory(
                place,
                changes=True,
                algorithm=old.algorithm or "md5",
                cache=context.cache,
                monitor=context.monitor,
            )
            for place in (old, new)
        )
        changes = tuple(_shown(change) for change in compare(*inventories).packages)
    except (ReleaseBuilderError, OSError) as error:
        why = f"the page does not say what changed since {before.version}: {error}"
        return page, (Finding(Severity.WARNING, why),)
    told = _of_others(now, before.version, {arch, "noarch"}, changes)
    merged = sorted((*told, *changes), key=lambda each: (each.name, each.arch))
    return replace(page, previous=before.version, changes=tuple(merged)), ()


def _of_others(
    now: Record | None, previous: str, own: set[str], changes: tuple[PackageChange, ...]
) -> tuple[PackageChange, ...]:
    """What changed on the arches that are not published this time."""
    if now is None or now.page.previous != previous:
        return ()
    told = {(each.name, each.arch) for each in changes}
    return tuple(
        each
        for each in now.page.changes
        if each.arch not in own and (each.name, each.arch) not in told
    )


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
