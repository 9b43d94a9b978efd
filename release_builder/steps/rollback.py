"""Go back to what was public before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps import releases_index
from release_builder.steps.check_generation import check_older
from release_builder.steps.finish_public import lead
from release_builder.steps.go_public import public_of

if TYPE_CHECKING:
    from release_builder.steps import Context
    from release_builder.steps.go_public import Public


def run(context: Context) -> StepResult:
    """Make the generation public again that is one older than the public one.

    Where there was but one, the release is public no longer: the first publish is undone too.

    Raises:
        DescriptorError: Nothing of ours is public.
        ReleaseBuilderError: As Shelf.rollback and check_older.
    """
    public = public_of(context.plan)
    with public.shelf.locked(public.folder):
        record = public.record()
        if record and record.count == 1 and len(public.shelf.generations(public.folder)) == 1:
            return _withdrawn(context, public)
        unseen = check_older(context, public)
        flip = public.shelf.rollback(public.folder)
        notes = (*flip.notes, *lead(public, context.plan.release.version), _list(public))
    return StepResult(
        "rollback",
        Outcome.DONE,
        f"{public.folder} is generation {flip.generation} again, no longer {flip.previous}",
        findings=(*unseen, *(Finding(Severity.NOTE, note) for note in notes if note)),
        facts={"generation": flip.generation, "previous": flip.previous or ""},
    )


def _withdrawn(context: Context, public: Public) -> StepResult:
    """The first publish is undone: the links lead where the newest release is that is left."""
    shelf, stage = public.shelf, context.plan.stage
    generation = shelf.withdraw(public.folder)
    releases_index.strike(shelf, public.folder, public.publication.title)
    major = context.plan.release.version.major
    best = releases_index.best_beside(shelf, public.folder, stage, major)
    for link in public.links:
        if best:
            shelf.lead(best.folder, [link])
        else:
            shelf.drop_link(link)
    led = f"; {', '.join(public.links)} {f'leads to {best.folder}' if best else 'is gone'}"
    return StepResult(
        "rollback",
        Outcome.DONE,
        f"{public.folder} is public no longer, as before its first publish"
        + (led if public.links else ""),
        facts={"generation": "", "previous": generation},
    )


def _list(public: Public) -> str:
    if record := public.record():
        return releases_index.enter(public.shelf, public.folder, record.page)
    return releases_index.strike(public.shelf, public.folder, public.publication.title)
