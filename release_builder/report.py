"""What came of a run. The exit status is a pure function of the report."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from release_builder.errors import (
    LACKS,
    IncompleteError,
    OutOfTimeError,
    ReleaseBuilderError,
    Status,
    StoppedError,
    surroundings,
)
from release_builder.spans import span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_builder.errors import Lack

SCHEMA_VERSION: Final = 1


class Severity(StrEnum):
    """How much a finding matters."""

    NOTE = "note"  # worth knowing
    WARNING = "warning"  # worth a look; the result stands
    INCOMPLETE = "incomplete"  # not finished; run again later
    WRONG = "wrong"  # the user's words or the bytes are wrong
    SURROUNDINGS = "surroundings"  # the machine lacks something
    BUSY = "busy"  # another run is at it
    INTERRUPTED = "interrupted"

    @property
    def status(self) -> Status:
        """The exit status that a finding of this severity asks for."""
        return _STATUS_OF.get(self, Status.DONE)


_STATUS_OF: Final = {
    Severity.INCOMPLETE: Status.INCOMPLETE,
    Severity.WRONG: Status.WRONG,
    Severity.SURROUNDINGS: Status.SURROUNDINGS,
    Severity.BUSY: Status.BUSY,
    Severity.INTERRUPTED: Status.INTERRUPTED,
}
SEVERITY_OF: Final = {status: severity for severity, status in _STATUS_OF.items()}

# Which status speaks for a run when several are due: what a person must look at comes first.
_PRECEDENCE: Final = (
    Status.INTERRUPTED,
    Status.WRONG,
    Status.SURROUNDINGS,
    Status.INCOMPLETE,
    Status.BUSY,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a user should know.

    Attributes:
        severity: How much it matters.
        message: What and where.
        hint: What to do about it.
        path: The file it is about, where there is one.
        news: Whether a run that nobody watches says it too, but only once.
    """

    severity: Severity
    message: str
    hint: str = ""
    path: str = ""
    news: bool = False


def finding_of(error: ReleaseBuilderError | Lack | KeyboardInterrupt) -> Finding:
    """What a user should know of ``error``.

    Raises:
        RuntimeError: ``error`` is one, and a bug.
    """
    if isinstance(error, OutOfTimeError):
        error = IncompleteError(
            f"the deadline of {span(error.seconds)} has passed",
            hint="the next run goes on from here; a longer --deadline gives it more time",
        )
    if isinstance(error, KeyboardInterrupt):
        error = StoppedError("interrupted", hint="the same command goes on from here")
    if isinstance(error, LACKS):
        error = surroundings(error)
    return Finding(SEVERITY_OF[error.status], error.what, error.hint)


class Outcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    UNCHANGED = "unchanged"  # inputs and outputs were as they should be: nothing was done
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    SKIPPED = "skipped"  # a step before it did not end well, or --offline


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step did for one release.

    Attributes:
        step: Its name, such as ``sync``.
        outcome: How it ended.
        summary: A line or two for a person.
        seconds: How long it took.
        counts: Named numbers, such as ``files_fetched`` or ``bytes_written``.
        findings: What should be known.
        facts: Named texts, such as the image's path and digest.
        suspects: Files of the tree, below its root, whose bytes are not what the pair says.
    """

    step: str
    outcome: Outcome
    summary: str = ""
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    suspects: tuple[str, ...] = ()


def failed_step(
    step: str, error: ReleaseBuilderError | Lack | KeyboardInterrupt, *findings: Finding
) -> StepResult:
    """The result of a step that ended with ``error``, after ``findings``.

    Raises:
        RuntimeError: ``error`` is one, and a bug.
    """
    finding = finding_of(error)
    incomplete = finding.severity is Severity.INCOMPLETE
    outcome = Outcome.INCOMPLETE if incomplete else Outcome.FAILED
    return StepResult(step, outcome, findings=(*findings, finding))


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """What the steps did for one release (one version on one arch)."""

    descriptor: str
    product: str
    version: str
    arch: str
    workdir: str
    steps: tuple[StepResult, ...]

    @property
    def exit_status(self) -> Status:
        """The status that this release alone would give."""
        return _status_of(finding for step in self.steps for finding in step.findings)


@dataclass(frozen=True, slots=True)
class Report:
    """What a command did.

    Attributes:
        command: The sub-command, such as ``build``.
        releases: A report for each release, in the order of the run.
        findings: What belongs to no release.
    """

    command: str
    releases: tuple[ReleaseReport, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def exit_status(self) -> Status:
        """The status for the shell; see design: wrong speaks louder than incomplete."""
        return _status_of(self.all_findings())

    def all_findings(self) -> tuple[Finding, ...]:
        """Every finding of the run, in order."""
        of_steps = (
            finding
            for release in self.releases
            for step in release.steps
            for finding in step.findings
        )
        return (*self.findings, *of_steps)


def document(report: Report) -> dict[str, Any]:
    """``report`` as the JSON document that data/output.schema.json describes."""
    return versioned(report.command, report.exit_status, dataclasses.asdict(report))


def versioned(command: str, status: int, content: dict[str, Any]) -> dict[str, Any]:
    """``content`` as a document of ``command``, for programs."""
    return {"version": SCHEMA_VERSION, **content, "command": command, "exit_status": status}


def _status_of(findings: Iterable[Finding]) -> Status:
    due = {finding.severity.status for finding in findings}
    return next((status for status in _PRECEDENCE if status in due), Status.DONE)
