"""What runs leave in the history, and how releases stand by it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.api.known_releases import (
    descriptors_of,
    gone,
    inside,
    is_there,
    key_of,
    never,
    states_of,
)
from release_builder.api.vouching import accepted, ending_keys
from release_builder.errors import ReleaseBuilderError, Status, printable
from release_builder.loader import InvalidDescriptorError
from release_builder.report import (
    Finding,
    Outcome,
    ReleaseReport,
    Severity,
    finding_of,
)
from release_builder.state.digest_cache import state_folder
from release_builder.state.history import (
    History,
    RecordedRun,
    RecordedStep,
    ReleaseState,
    open_history,
    path_of,
)
from release_builder.state.history_folder import folder_to_read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from release_builder.descriptor.release import Release
    from release_builder.report import Report, StepResult
    from release_builder.state.history import RunUnderWay

__all__ = [
    "Recorded",
    "Standings",
    "begin",
    "by_arch",
    "key_of",
    "recorded",
    "recorded_runs",
    "remember",
    "standings",
    "under_way",
]

_READING: Final = frozenset({"verify", "lint", "retain"})  # steps that bring nothing new
_LONGEST: Final = 2000  # characters of a text


@dataclass(frozen=True, slots=True)
class Standings:
    """How releases stand.

    Attributes:
        releases: In the order of descriptor, product and arch.
        findings: Why others are not among them, and what there is to say of the history itself.
        usable: Whether there is a history at all.
        working: The descriptors that are worked on now.
    """

    releases: tuple[ReleaseState, ...]
    findings: tuple[Finding, ...]
    usable: bool
    working: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Recorded:
    """Runs of the history, the newest first, and what there is to say of the history itself."""

    runs: tuple[RecordedRun, ...]
    findings: tuple[Finding, ...]
    usable: bool


def recorded(command: str, report: ReleaseReport, started: datetime) -> RecordedRun:
    """What the history keeps of ``report``.

    Args:
        command: The sub-command.
        report: What came of one release.
        started: When its first step began, in UTC.
    """
    facts = {name: text for step in report.steps for name, text in step.facts.items()}
    image, status = facts.get("image", ""), report.exit_status
    problem = _deciding(report, status)
    return RecordedRun(
        command=command,
        descriptor=key_of(report.descriptor),
        product=report.product,
        version=report.version,
        arch=report.arch,
        started=started,
        seconds=sum(step.seconds for step in report.steps),
        status=status,
        image=image,
        image_size=_size(image),
        changed=any(_brings(step) for step in report.steps),
        steps=tuple(_recorded_step(step) for step in report.steps),
        problem=problem.message[:_LONGEST] if problem else "",
        hint=problem.hint[:_LONGEST] if problem else "",
    )


def begin(history: History, command: str, descriptor: Path, started: datetime) -> None:
    """Keep in ``history`` that ``command`` began to work on all releases of ``descriptor``.

    What is recorded of the first of them ends that. That an earlier run was killed becomes one of
    ``history.notes``.
    """
    history.begin(RecordedRun(command=command, descriptor=key_of(str(descriptor)), started=started))


@contextlib.contextmanager
def under_way(
    command: str, releases: Iterable[Release], started: datetime
) -> Iterator[list[Finding]]:
    """Keep that ``command`` works on ``releases`` while the block runs; ``remember`` ends that.

    Yields:
        Warnings, such as that an earlier run was killed; that nothing can be kept is told by
        ``remember``.
    """
    try:
        folder = state_folder(os.environ)
    except ReleaseBuilderError:
        yield []
        return
    with open_history(folder) as history:
        for release in releases:
            history.begin(
                RecordedRun(
                    command=command,
                    descriptor=key_of(str(release.descriptor)),
                    product=release.product,
                    version=str(release.version),
                    arch=release.arch,
                    started=started,
                )
            )
        yield list(_warnings(history.notes))


def remember(report: Report, started: datetime) -> tuple[Finding, ...]:
    """Keep what ``report`` tells of each release.

    Args:
        report: What came of a command. What was done for several arches at once counts for each.
        started: When it began, in UTC.

    Returns:
        Warnings; that a run cannot be kept is no reason to stop it.
    """
    try:
        folder = state_folder(os.environ)
    except ReleaseBuilderError as error:
        return (Finding(Severity.WARNING, f"{error.what}: this run is not recorded", error.hint),)
    with open_history(folder) as history:
        for release in by_arch(report.releases):
            run = recorded(report.command, release, started)
            history.record(run, accepted(release))
            started = run.ended
        history.prune()
    return _warnings(history.notes)


def by_arch(releases: Sequence[ReleaseReport]) -> tuple[ReleaseReport, ...]:
    """One report for each arch: steps for several count for each, behind its own."""
    found: dict[tuple[str, str, str], ReleaseReport] = {}
    for release in releases:
        for arch in release.arch.split(", "):
            key = (release.product, release.version, arch)
            # Arches that become public together may be of several descriptors: the first counts.
            before = found.get(key, replace(release, arch=arch, steps=()))
            found[key] = replace(before, steps=(*before.steps, *release.steps))
    return tuple(found.values())


def standings(paths: Sequence[Path] = ()) -> Standings:
    """How the releases of descriptors stand, those that never ran included.

    Args:
        paths: Descriptors, and folders of them; default: all that are in the history and still
            there.

    Raises:
        DescriptorError: One is not there, or a folder has none.
        SurroundingsError: No folder for the state is known.
    """
    with open_history(folder_to_read(os.environ), read_only=True) as history:
        known, working = history.releases(), history.under_way()
    findings = list(_warnings(history.notes))
    there = descriptors_of(paths)
    if not paths:
        named = [state.descriptor for state in known] + [each.run.descriptor for each in working]
        there = tuple(path for path in map(path_of, dict.fromkeys(named)) if is_there(path))
        findings += gone([state for state in known if path_of(state.descriptor) not in there])
    keys = {key_of(str(path)) for path in there}
    findings += (_working(each) for each in working if each.run.descriptor in keys)
    states: list[ReleaseState] = []
    for path in there:
        own = [state for state in known if state.descriptor == key_of(str(path))]
        try:
            states += states_of(path, own)
        except (ReleaseBuilderError, OSError) as error:
            findings.append(_warning_of(error))
            states += own or [never(path)]
        else:
            findings += ending_keys(path)
    at_work = frozenset(each.run.descriptor for each in working)
    return Standings(tuple(states), tuple(findings), history.usable, at_work)


def recorded_runs(paths: Sequence[Path] = (), limit: int | None = None) -> Recorded:
    """The runs that are in the history.

    Args:
        paths: Descriptors, and folders of them; default: all.
        limit: So many at most.

    Raises:
        SurroundingsError: No folder for the state is known.
    """
    with open_history(folder_to_read(os.environ), read_only=True) as history:
        if not paths:
            runs = history.runs(limit=limit)
        else:
            names = dict.fromkeys(key_of(str(each)) for path in paths for each in inside(path))
            of_all = (run for name in names for run in history.runs(name, limit))
            runs = tuple(sorted(of_all, key=lambda run: -run.id)[:limit])
    return Recorded(runs, _warnings(history.notes), history.usable)


def _working(under_way: RunUnderWay) -> Finding:
    run = under_way.run
    name = printable(" ".join(filter(None, (run.product, run.version, run.arch))) or run.descriptor)
    since = f"{run.started:%Y-%m-%d %H:%M} UTC"
    what = f"{run.command} of {name} is under way since {since}: {under_way.process}"
    return Finding(Severity.NOTE, what)


def _deciding(report: ReleaseReport, status: Status) -> Finding | None:
    findings = (finding for step in report.steps for finding in step.findings)
    return next((each for each in findings if status and each.severity.status == status), None)


def _brings(step: StepResult) -> bool:
    return step.outcome is Outcome.DONE and step.step not in _READING


def _recorded_step(step: StepResult) -> RecordedStep:
    problem = next((each.message for each in step.findings if each.severity.status), "")
    message = (problem or step.summary)[:_LONGEST]
    return RecordedStep(step.step, step.outcome, step.seconds, dict(step.counts), message)


def _size(image: str) -> int:
    try:
        return Path(image).stat().st_size if image else 0
    except OSError:
        return 0


def _warnings(notes: Sequence[str]) -> tuple[Finding, ...]:
    return tuple(Finding(Severity.WARNING, note) for note in notes)


def _warning_of(error: ReleaseBuilderError | OSError) -> Finding:
    if isinstance(error, InvalidDescriptorError):
        return Finding(Severity.WARNING, str(error.complaints[0]), "correct it: validate tells all")
    return replace(finding_of(error), severity=Severity.WARNING)
