"""Go back to what was public before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps import releases_index
from release_builder.steps.go_public import public_of

if TYPE_CHECKING:
    from release_builder.steps import Context


def run(context: Context) -> StepResult:
    """Make the generation public again that is one older than the public one.

    Raises:
        DescriptorError: There is none.
        ReleaseBuilderError: As Shelf.rollback.
    """
    public = public_of(context.plan)
    with public.shelf.locked(public.folder):
        flip = public.shelf.rollback(public.folder, public.links)
        if record := public.record():
            releases_index.enter(public.shelf, public.folder, record.page)
    return StepResult(
        "rollback",
        Outcome.DONE,
        f"{public.folder} is generation {flip.generation} again, no longer {flip.previous}",
        findings=tuple(Finding(Severity.NOTE, note) for note in flip.notes),
        facts={"generation": flip.generation, "previous": flip.previous or ""},
    )
