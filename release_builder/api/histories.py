"""What runs leave in the history, and how releases stand by it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, ReleaseBuilderError, Status, printable
from release_builder.loader import InvalidDescriptorError, load
from release_builder.report import Finding, Outcome, ReleaseReport, Severity, finding_of
from release_builder.state.digest_cache import state_folder
from release_builder.state.history import (
    RecordedRun,
    RecordedStep,
    ReleaseState,
    open_history,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from release_builder.report import Report, StepResult

_READING: Final = frozenset({"verify", "lint", "retain"})  # steps that bring nothing new
_LONGEST: Final = 2000  # characters of a text
_YAML: Final = {".yaml", ".yml"}


@dataclass(frozen=True, slots=True)
class Standings:
    """How releases stand.

    Attributes:
        releases: In the order of descriptor, product and arch.
        findings: Why others are not among them, and what there is to say of the history itself.
        usable: Whether there is a history at all.
    """

    releases: tuple[ReleaseState, ...]
    findings: tuple[Finding, ...]
    usable: bool


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
            history.record(run)
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
    with open_history(state_folder(os.environ), read_only=True) as history:
        known = history.releases()
    findings = list(_warnings(history.notes))
    there = _descriptors(paths)
    if not paths:
        named = dict.fromkeys(state.descriptor for state in known)
        there = tuple(each for each in map(Path, named) if each.is_file())
        gone = [each for each in named if Path(each) not in there]
        findings += [Finding(Severity.NOTE, f"{printable(each)} is gone") for each in gone]
    states: list[ReleaseState] = []
    for path in there:
        own = [state for state in known if state.descriptor == key_of(str(path))]
        try:
            states += _of_descriptor(path, own)
        except ReleaseBuilderError as error:
            findings.append(_warning_of(error))
            states += own or [_never(path)]
    return Standings(tuple(states), tuple(findings), history.usable)


def recorded_runs(paths: Sequence[Path] = (), limit: int | None = None) -> Recorded:
    """The runs that are in the history.

    Args:
        paths: Descriptors, and folders of them; default: all.
        limit: So many at most.

    Raises:
        SurroundingsError: No folder for the state is known.
    """
    with open_history(state_folder(os.environ), read_only=True) as history:
        if not paths:
            runs = history.runs(limit=limit)
        else:
            names = dict.fromkeys(key_of(str(each)) for path in paths for each in _inside(path))
            of_all = (run for name in names for run in history.runs(name, limit))
            runs = tuple(sorted(of_all, key=lambda run: -run.id)[:limit])
    return Recorded(runs, _warnings(history.notes), history.usable)


def key_of(descriptor: str) -> str:
    """How the history calls the descriptor at this path, whose links stay as they are."""
    path = os.path.abspath(descriptor)  # noqa: PTH100 (resolve() would follow links)
    # As history_rows stores it: what is no UTF-8 in a name is escaped there.
    return path.encode("utf-8", "backslashreplace").decode()


def _of_descriptor(path: Path, known: Sequence[ReleaseState]) -> list[ReleaseState]:
    descriptor = load(path)
    by_release = {(state.product, state.arch): state for state in known}
    product = descriptor.profile.name
    unread_last = [state for state in known if not state.product]
    return unread_last + [
        by_release.get((product, arch)) or _never(path, product, arch) for arch in descriptor.arch
    ]


def _never(path: Path, product: str = "", arch: str = "") -> ReleaseState:
    return ReleaseState(
        descriptor=key_of(str(path)),
        product=product,
        arch=arch,
        version="",
        last_run=None,
        last_success=None,
        last_change=None,
        failing_since=None,
        failures=0,
        runs=0,
    )


def _descriptors(paths: Sequence[Path]) -> tuple[Path, ...]:
    found = dict.fromkeys(each for path in paths for each in _inside(path))
    for path in found:
        if not path.is_file():
            raise DescriptorError(
                f"there is no file {printable(str(path))}",
                hint="name a descriptor, or none for all",
            )
    return tuple(found)


def _inside(path: Path) -> tuple[Path, ...]:
    if not path.is_dir():
        return (path,)
    found = tuple(sorted(each for each in path.iterdir() if each.suffix in _YAML))
    if not found:
        raise DescriptorError(
            f"{printable(str(path))} has no descriptor in it", hint="they end in .yaml"
        )
    return found


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


def _warning_of(error: ReleaseBuilderError) -> Finding:
    if isinstance(error, InvalidDescriptorError):
        return Finding(Severity.WARNING, str(error.complaints[0]), "correct it: validate tells all")
    return replace(finding_of(error), severity=Severity.WARNING)
