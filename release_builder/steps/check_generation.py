"""Whether a generation that is to be public again is still what was published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.errors import WrongBytesError, printable
from release_builder.files import open_regular, safe_join
from release_builder.jigdo.template import read_template
from release_builder.report import Finding, Severity
from release_builder.steps.content import is_right, own_parts
from release_builder.steps.find_pair import read_jigdo
from release_builder.steps.finish_public import recorded_damage
from release_builder.steps.record import NAME as RECORD
from release_builder.steps.record import read_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.pages.release_page import PublishedImage
    from release_builder.plan import Plan
    from release_builder.steps import Context
    from release_builder.steps.go_public import Public


def check_older(context: Context, public: Public) -> tuple[Finding, ...]:
    """Hold the generation that is next older than the public one against its record.

    Image, template and .jigdo have their sums there; the parts in its trees theirs in the template.

    Args:
        context: Its cache knows digests.
        public: The release.

    Returns:
        What could not be looked at.

    Raises:
        WrongBytesError: It is damaged.
    """
    found = public.shelf.generations(public.folder)
    shown = next((number for number, each in enumerate(found) if each.public), 0)
    if not shown:
        return ()
    older, root = found[shown - 1], public.publication.root
    name = f"{older.path}/{RECORD}"
    content = public.shelf.read(name)
    if content is None:
        raise _damaged(public, older.name, older.path, [RECORD])
    record = read_record(content, name)
    if root.host:
        what = f"generation {older.name} is on {root.host}: nobody looked whether it is damaged"
        return (Finding(Severity.NOTE, what),)
    here = Path(root.path) / older.path
    damage = list(recorded_damage(context, record, here))
    if not damage:  # else no template tells the parts
        for plan in context.plan.each:
            if image := record.image(plan.release.image):
                damage += _damaged_parts(context, plan, image, here)
    if damage:
        raise _damaged(public, older.name, older.path, damage)
    return ()


def _damaged_parts(
    context: Context, plan: Plan, image: PublishedImage, here: Path
) -> Iterator[str]:
    tree = here / plan.release.tree
    if not tree.is_dir():  # its pair alone was published, beside the tree's old place
        return
    _, said = read_jigdo(here / image.folder / image.jigdo)
    with open_regular(here / image.folder / image.template) as stream:
        parts = read_template(stream, printable(image.template)).description.parts
    context.monitor.begin("verify the tree", sum(part.length for part in parts))
    try:
        for name, part in own_parts(plan.release, parts, said.parts):
            path = safe_join(tree, name)
            if not path.is_file() or not is_right(context, path, part):
                yield f"{plan.release.tree.rstrip('/')}/{name}"
            context.monitor.advance(part.length)
    finally:
        context.monitor.end()


def _damaged(public: Public, generation: str, path: str, damage: list[str]) -> WrongBytesError:
    others = f" and {len(damage) - 1:,} others" if len(damage) > 1 else ""
    return WrongBytesError(
        f"generation {generation} of {public.folder} is damaged: {printable(damage[0])}{others};"
        " what is public stays",
        hint="publish what shall be public; or remove"
        f" {printable(f'{public.publication.root}/{path}')} and go one further back",
    )
