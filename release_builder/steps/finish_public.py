"""What is left to do once a release is public: links, old generations, the index."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from release_builder.descriptor.version import Stage, Version
from release_builder.errors import ReleaseBuilderError
from release_builder.files import safe_join
from release_builder.report import Finding, Severity, finding_of
from release_builder.steps import releases_index
from release_builder.steps.content import SUMS, is_right, own_parts
from release_builder.steps.image_file import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from release_builder.plan import Plan
    from release_builder.steps import Context
    from release_builder.steps.content import Content
    from release_builder.steps.go_public import Public
    from release_builder.steps.record import Record


def finish(
    public: Public, record: Record, version: Version, damaged: str = ""
) -> tuple[Finding, ...]:
    """Do it; what was done before is not done again.

    Args:
        public: Where the release is public.
        record: What is public.
        version: Of the release.
        damaged: A generation to which nobody shall go back.

    Returns:
        What went wrong: the release is public all the same, and the next publish goes on here.
    """
    doing: tuple[Callable[[], tuple[str, ...]], ...] = (
        lambda: lead(public, version),
        lambda: _keep(public, damaged),
        lambda: tuple(
            filter(None, [releases_index.enter(public.shelf, public.folder, record.page)])
        ),
    )
    return tuple(finding for do in doing for finding in _findings(public, do))


def _findings(public: Public, do: Callable[[], tuple[str, ...]]) -> Iterator[Finding]:
    try:
        for note in do():
            yield Finding(Severity.NOTE, note)
    except (ReleaseBuilderError, OSError) as error:
        finding = finding_of(error)
        what = f"{public.folder} is public, but not all is done: {finding.message}"
        yield replace(finding, message=what, hint=finding.hint or "publish it once more")


def leading(public: Public, version: Version) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The links that should lead to the release, unless a newer one is public; and why not.

    Raises:
        WrongBytesError: The index of releases is none of ours.
    """
    if not public.links:
        return (), ()
    stage = Stage(version.stage)
    other = releases_index.best_beside(public.shelf, public.folder, stage, version.major)
    if other and Version.parse(other.version) > version:
        return (), (f"{', '.join(public.links)}: left as it is, since {other.folder} is newer",)
    return public.links, ()


def overtaken(public: Public, plan: Plan, links: Sequence[str]) -> tuple[Finding, ...]:
    """Which release can be rebuilt no longer once ``links`` lead away from it."""
    version = plan.release.version
    other = releases_index.best_beside(
        public.shelf, public.folder, Stage(version.stage), version.major
    )
    urls = plan.release.server_urls(plan.stage).values()
    return tuple(
        Finding(
            Severity.WARNING,
            f"{link} leads to {public.folder} now and no longer to {other.folder}, whose .jigdo"
            f" names {link}/ too: its image can be rebuilt from other mirrors only",
            hint="its final URL below `servers:` should name {version}, not {major}",
        )
        for link in links
        if other and any(f"/{link}/" in url for url in urls)
    )


def lead(public: Public, version: Version) -> tuple[str, ...]:
    """Let the links lead to the release, unless a newer one is public.

    Returns:
        What the user should know.

    Raises:
        ReleaseBuilderError: A link cannot be made.
    """
    links, notes = leading(public, version)
    return (*notes, *(public.shelf.lead(public.folder, links) if links else ()))


def _keep(public: Public, damaged: str) -> tuple[str, ...]:
    public.shelf.keep(public.folder, public.publication.keep, damaged)
    return ()


def same(before: Record, record: Record) -> bool:
    """Whether what is public says just what ``record`` does, but for the time."""
    page = replace(record.page, published=before.page.published)
    return (before.page, before.files) == (page, record.files)


def public_damage(
    context: Context, record: Record, contents: Sequence[tuple[Plan, Content]], here: Path | None
) -> Iterator[str]:
    """The public files that are not what ``record`` says, and parts that are not the image's.

    Args:
        context: Its cache knows digests.
        record: What should be public.
        contents: What it is made of, by the plan of each arch.
        here: The public folder; None where that is on another machine: then its record is believed.
    """
    if here is None:
        return
    yield from recorded_damage(context, record, here)
    for plan, content in contents:
        for name, part in own_parts(plan.release, content.parts, content.locations):
            if content.tree and safe_join(content.tree, name).is_file():
                path = safe_join(here / plan.release.tree, name)
                if not path.is_file() or not is_right(context, path, part):
                    yield posixpath.join(plan.release.tree, name)


def recorded_damage(context: Context, record: Record, folder: Path) -> Iterator[str]:
    """The files below ``folder`` that are not what ``record`` says of them."""
    for inner, inside in record.files.items():
        for name, file in inside.items():
            path = folder / inner / name
            if _size(path) != file.size:  # it may have no end
                yield inner + name
                continue
            found = measure(path, SUMS, context.cache, monitor=context.monitor)
            if set(found.digests.values()) != set(file.digests):
                yield inner + name


def same_trees(contents: Sequence[tuple[Plan, Content]], here: Path | None) -> bool:
    """Whether the public trees in ``here`` have all files of ours, by their sizes."""
    return here is None or not any(
        _size(here / plan.release.tree / path.relative_to(content.tree)) != path.stat().st_size
        for plan, content in contents
        if content.tree
        for path in content.tree.rglob("*")
        if path.is_file()
    )


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
