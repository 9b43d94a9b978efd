"""What came of a refresh, and whether a person must hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import Status, printable

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from release_builder.report import Finding, ReleaseReport, Report
    from release_builder.state.history import ReleaseState

_BY_ITSELF: Final = {
    Status.INCOMPLETE: "goes on from here at the next run",
    Status.WRONG: "tries again at the next run; image and pair of before stay as they are",
    Status.SURROUNDINGS: "tries again at the next run; image and pair of before stay as they are",
    Status.BUSY: "the run that is at it was told to go over it once more",
    Status.INTERRUPTED: "goes on from here at the next run",
}

_HEADLINE: Final = {
    Status.INCOMPLETE: "not refreshed for too long",
    Status.WRONG: "could not be refreshed",
    Status.SURROUNDINGS: "could not be refreshed: this machine lacks something",
    Status.BUSY: "another run has been at it for too long",
    Status.INTERRUPTED: "the refresh was stopped",
}


_CORRECT: Final = "correct it; `release-builder validate` with its name tells when it is right"


@dataclass(frozen=True, slots=True)
class Problem:
    """A release that a person should look at.

    Attributes:
        release: What came of it.
        before: How it stood before; None if it never ran.
    """

    release: ReleaseReport
    before: ReleaseState | None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What came of a run.

    Attributes:
        report: Of all releases.
        problems: Those that a person should look at now.
        news: What is worth a line, once.
        log: The file that has it all; None where none could be written.
    """

    report: Report
    problems: tuple[Problem, ...]
    news: tuple[str, ...]
    log: Path | None


def is_quiet(
    release: ReleaseReport, before: ReleaseState | None, now: datetime, max_age: float
) -> bool:
    """Whether nobody needs to hear of ``release``: all is well, or may soon be by itself.

    Args:
        release: What came of it.
        before: How it stood before; None if it never ran.
        now: In UTC.
        max_age: Seconds that the last success may be old.
    """
    status = release.exit_status
    age = before.age(now) if before else None
    if status is Status.BUSY:
        return age is None or age <= max_age  # the first run of all may take its time
    if status is Status.INCOMPLETE:
        return age is not None and age <= max_age
    return status is Status.DONE


def decisive(release: ReleaseReport) -> tuple[str, Finding] | None:
    """The step and the finding that decided the exit status of ``release``."""
    return next(
        (
            (step.step, finding)
            for step in release.steps
            for finding in step.findings
            if finding.severity.status is release.exit_status is not Status.DONE
        ),
        None,
    )


def refresh_words(problem: Problem, log: Path | None) -> str:
    """``problem`` for a mail from cron: what, where, since when, and whose turn it is."""
    release, before = problem.release, problem.before
    found = decisive(release)
    name = " ".join(filter(None, (release.product, release.version, release.arch)))
    rows = [("descriptor", printable(release.descriptor))]
    if found:
        step, finding = found
        rows += [("step", step), ("problem", finding.message)]
    rows.append(("by itself", _BY_ITSELF[release.exit_status]))
    unread = release.exit_status is Status.WRONG and not release.product
    if hint := (found[1].hint if found else "") or (_CORRECT if unread else ""):
        rows.append(("you", hint))
    rows.append(("last good", _last_good(before)))
    if log is not None:
        rows.append(("log", printable(str(log))))
    margin = " " * 14
    lines = [f"{name or printable(release.descriptor)}: {_HEADLINE[release.exit_status]}"]
    for label, text in rows:
        first, *rest = text.splitlines() or [""]
        lines.append(f"  {label:<11} {printable(first)}")
        lines += (f"{margin}{printable(line)}" for line in rest)
    return "\n".join(lines)


def _last_good(before: ReleaseState | None) -> str:
    if before is None or before.last_success is None:
        return "never"
    runs = before.failures + 1
    since = f", {runs} runs ago" if runs > 1 else ""
    return f"{before.last_success:%Y-%m-%d %H:%M} UTC{since}"
