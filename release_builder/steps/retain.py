"""Clear away what earlier runs left, as far as the descriptor's ``retain:`` does not keep it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.filesize import decimal

from release_builder.errors import printable
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps.old_images import (
    after_the_current,
    linked_files,
    lone_pairs,
    moved_images,
    older_images,
    remove,
    unfinished_images,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from release_builder.plan import Plan
    from release_builder.steps import Context
    from release_builder.steps.old_images import OldFile

_DAY: Final = 86_400.0  # seconds
_UNFINISHED_DAYS: Final = 7  # that an unfinished image of another version waits for its run
_MOVED: Final = 1  # image moved aside that stays


@dataclass(frozen=True, slots=True)
class _Going:
    """A file that goes, and why."""

    file: OldFile
    why: str


def run(context: Context) -> StepResult:
    """Remove what is no longer kept; in a dry run, only tell of it.

    Raises:
        OSError: A file cannot be looked at, or not be removed.
    """
    plan, dry = context.plan, context.plan.options.dry_run
    older, unknown = older_images(plan, context.cache)
    going = [*_kept_no_more(plan, older), *_left_over(plan)]
    if going:
        linked = linked_files(plan)
        going = [each for each in going if each.file.identity not in linked]
    gone = {each.file.path.name for each in going}
    going += (_Going(file, "its image is gone") for file in lone_pairs(plan, gone))
    if not dry:
        remove(each.file for each in going)
    freed = sum(each.file.size for each in going)
    removed, free = ("to_remove", "to_free") if dry else ("removed", "freed")
    return StepResult(
        "retain",
        Outcome.UNCHANGED if dry or not going else Outcome.DONE,
        _summary(len(going), freed, dry=dry),
        counts={f"files_{removed}": len(going), f"bytes_{free}": freed},
        findings=(*_told(going, dry=dry), *_not_ours(unknown)),
    )


def _kept_no_more(plan: Plan, older: Sequence[OldFile]) -> Iterator[_Going]:
    """Those of the images of other versions, the newest first, that are too many or too old."""
    images, days = plan.release.retain.images, plan.release.retain.days
    for place, file in enumerate(after_the_current(plan, older)):
        if place >= images:
            yield _Going(file, f"{images} newer than it {'stays' if images == 1 else 'stay'}")
        elif days is not None and _days_since(file.changed) > days:
            yield _Going(file, f"it is older than {days} days")


def _left_over(plan: Plan) -> Iterator[_Going]:
    for file in moved_images(plan)[_MOVED:]:
        yield _Going(file, "another one was moved aside since")
    for file in unfinished_images(plan):
        if _days_since(file.changed) > _UNFINISHED_DAYS:
            yield _Going(file, f"no run went on with it for {_UNFINISHED_DAYS} days")


def _days_since(moment: float) -> float:
    return (time.time() - moment) / _DAY


def _told(going: Sequence[_Going], *, dry: bool) -> Iterator[Finding]:
    for each in going:
        path = each.file.path
        name = printable(f"{path.parent.name}/{path.name}")
        goes = "would go" if dry else "is removed"
        what = f"{name} ({decimal(each.file.size)}) {goes}: {each.why}"
        yield Finding(Severity.NOTE, what, path=str(path))


def _not_ours(unknown: Sequence[Path]) -> Iterator[Finding]:
    for path in unknown:
        yield Finding(
            Severity.NOTE,
            f"{printable(path.name)} stays: no pair here shows that it was made here",
            hint="delete it by hand if nobody needs it",
            path=str(path),
        )


def _summary(files: int, freed: int, *, dry: bool) -> str:
    if not files:
        return "nothing to clear away"
    count = f"{files:,} {'file' if files == 1 else 'files'}"
    return f"{count} would go ({decimal(freed)})" if dry else f"{count} removed ({decimal(freed)})"
