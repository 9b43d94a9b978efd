"""Reports for people, and for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

import click

from release_builder.cli.failure import print_problem
from release_builder.errors import Status, printable
from release_builder.report import Outcome, Severity, document, versioned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.cli.options import Output
    from release_builder.report import Finding, ReleaseReport, Report, StepResult

_MARGIN: Final = 32  # columns that a step's name, outcome and time take
_SHOWN: Final = 20  # findings of a step, unless more are asked for
_COLOURS: Final = {
    Outcome.DONE: "green",
    Outcome.UNCHANGED: "green",
    Outcome.INCOMPLETE: "yellow",
    Outcome.FAILED: "red",
    Outcome.SKIPPED: None,
}
_KINDS: Final = {Severity.NOTE: "note", Severity.WARNING: "warning", Severity.BUSY: "busy"}
_LAST_WORDS: Final = {
    Status.DONE: "done",
    Status.INCOMPLETE: "incomplete: run again later",
    Status.WRONG: "wrong",
    Status.SURROUNDINGS: "stopped: this machine lacks something",
    Status.BUSY: "another run is at work there",
    Status.INTERRUPTED: "interrupted: the same command goes on from here",
}


def show_report(report: Report, output: Output) -> int:
    """Print ``report`` as the user wants it.

    Returns:
        The exit status.
    """
    try:
        if output.json:
            print_json(report)
        else:
            for release in report.releases:
                _show_release(release, output)
            _show_findings(report.findings, output)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough; what was done stays done
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return report.exit_status


def print_json(report: Report) -> None:
    """``report`` as the JSON document that data/output.schema.json describes."""
    _print(document(report))


def print_document(command: str, status: int, content: dict[str, Any]) -> None:
    """One versioned JSON document on stdout; bytes that are no UTF-8 stay escaped."""
    _print(versioned(command, status, content))


def _print(content: dict[str, Any]) -> None:
    click.echo(json.dumps(content, indent=2, default=str))


def _show_release(release: ReleaseReport, output: Output) -> None:
    if not output.quiet:
        name = " ".join(filter(None, (release.product, release.version, release.arch)))
        place = f"  in {printable(release.workdir)}" if release.workdir else ""
        click.echo(f"{click.style(name or printable(release.descriptor), bold=True)}{place}")
    for step in release.steps:
        if not output.quiet:
            click.echo(_step_line(step))
        _show_findings(step.findings, output)
    if not output.quiet:
        click.echo(_last_line(release))


def _step_line(step: StepResult) -> str:
    outcome = click.style(f"{step.outcome.value:<10}", fg=_COLOURS[step.outcome])
    lines = [each for line in step.summary.split("\n") for each in _folded(printable(line))]
    summary = ("\n" + " " * _MARGIN).join(lines)
    return f"  {step.step:<9} {outcome} {step.seconds:6.1f} s  {summary}".rstrip()


def _folded(line: str) -> list[str]:
    """``line`` in pieces that fit beside the step on a terminal; whole where nobody folds."""
    if not sys.stdout or not sys.stdout.isatty():
        return [line]
    width = max(shutil.get_terminal_size().columns - _MARGIN, 40)
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [line]


def _show_findings(findings: Sequence[Finding], output: Output) -> None:
    shown = findings if output.verbose else findings[:_SHOWN]
    previous = ""
    for finding in shown:
        if output.quiet and finding.severity is Severity.NOTE:
            continue
        # A hint that many findings share is said once.
        hint = finding.hint if finding.hint != previous else ""
        previous = finding.hint
        print_problem(_KINDS.get(finding.severity, "error"), finding.message, hint, indent="    ")
    if len(findings) > len(shown):
        more = len(findings) - len(shown)
        click.echo(f"    … and {more:,} more: -v or --json shows them all", err=True)


def _last_line(release: ReleaseReport) -> str:
    facts = {name: text for step in release.steps for name, text in step.facts.items()}
    status = release.exit_status
    seconds = sum(step.seconds for step in release.steps)
    idle = all(step.outcome in {Outcome.UNCHANGED, Outcome.SKIPPED} for step in release.steps)
    words = "nothing to do" if idle and not status else _LAST_WORDS[status]
    if status is Status.DONE and release.steps[-1].step == "verify" and not idle:
        words = "done and verified"
    image = f"  {printable(facts['image'])}\n" if "image" in facts and not status else ""
    return f"{image}  {words} ({seconds:.1f} s)"
