"""What is left to do once a release is public: links, old generations, the index."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from release_builder.descriptor.version import Stage, Version
from release_builder.errors import ReleaseBuilderError
from release_builder.report import Finding, Severity, finding_of
from release_builder.steps import releases_index
from release_builder.steps.content import SUMS, changed_parts
from release_builder.steps.image_file import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from release_builder.plan import Plan
    from release_builder.steps import Context
    from release_builder.steps.content import Content
    from release_builder.steps.go_public import Public
    from release_builder.steps.record import Record


def finish(public: Public, record: Record, version: Version) -> tuple[Finding, ...]:
    """Do it; what was done before is not done again.

    Args:
        public: Where the release is public.
        record: What is public.
        version: Of the release.

    Returns:
        What went wrong: the release is public all the same, and the next publish goes on here.
    """
    doing: tuple[Callable[[], tuple[str, ...]], ...] = (
        lambda: lead(public, version),
        lambda: _keep(public),
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


def _keep(public: Public) -> tuple[str, ...]:
    public.shelf.keep(public.folder, public.publication.keep)
    return ()


def same(before: Record, record: Record) -> bool:
    """Whether what is public says just what ``record`` does, but for the time."""
    page = replace(record.page, published=before.page.published)
    return (before.page, before.files) == (page, record.files)


def all_there(
    context: Context, record: Record, contents: Sequence[tuple[Plan, Content]], here: Path | None
) -> bool:
    """Whether the files that ``record`` tells of are what it says, and the trees have all parts.

    Args:
        context: Its cache knows digests.
        record: What should be public.
        contents: What it is made of, by the plan of each arch.
        here: The public folder; None where that is on another machine: then its record is believed.
    """
    if here is None:
        return True
    for folder, inside in record.files.items():
        for name, file in inside.items():
            path = here / folder / name
            if not path.is_file():
                return False
            found = measure(path, SUMS, context.cache)
            if (found.size, set(found.digests.values())) != (file.size, set(file.digests)):
                return False
    return all(
        _parts_are_there(context, here / plan.release.tree, content)
        for plan, content in contents
        if content.tree
    )


def _parts_are_there(context: Context, public_tree: Path, content: Content) -> bool:
    """Whether a public tree has the files of ours, and every part in it the right bytes."""
    tree = content.tree
    if tree is None:
        return True
    names = (path.relative_to(tree) for path in tree.rglob("*") if path.is_file())
    if any(_size(public_tree / name) != _size(tree / name) for name in names):
        return False
    return not any(changed_parts(context, public_tree, content))


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
