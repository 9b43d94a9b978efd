"""How a command that could not even begin says so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from release_builder.errors import ReleaseBuilderError, Status, printable
from release_builder.report import Finding, Report, Severity, finding_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.errors import Lack
    from release_builder.loader import Complaint


def report_failure(error: ReleaseBuilderError | Lack | KeyboardInterrupt) -> Status:
    """Print what happened and what to do to stderr; the status says who is at fault.

    Raises:
        RuntimeError: ``error`` is one, and a bug.
    """
    if complaints := _complaints(error):
        for complaint in complaints:
            click.echo(str(complaint), err=True)
        return Status.WRONG
    finding = finding_of(error)
    print_problem("error", finding.message, finding.hint)
    return finding.severity.status


def as_report(command: str, error: ReleaseBuilderError | Lack) -> Report:
    """The report of a command that ended with ``error``.

    Raises:
        RuntimeError: ``error`` is one, and a bug.
    """
    if complaints := _complaints(error):
        findings = (Finding(Severity.WRONG, str(complaint)) for complaint in complaints)
        return Report(command, findings=tuple(findings))
    return Report(command, findings=(finding_of(error),))


def _complaints(error: BaseException) -> Sequence[Complaint]:
    # Not at the top: the loader's libraries take half of the time that --version takes. Who did
    # not need them raised nothing of theirs, and may lack what their reading takes.
    if "release_builder.loader" not in sys.modules:
        return ()
    from release_builder.loader import InvalidDescriptorError  # noqa: PLC0415

    return error.complaints if isinstance(error, InvalidDescriptorError) else ()


def print_problem(kind: str, what: str, hint: str = "", *, indent: str = "") -> None:
    """One problem on stderr: ``kind: what``, and below it what to do."""
    colour = {"error": "red", "warning": "yellow"}.get(kind)
    head = click.style(f"{kind}:", fg=colour, bold=True)
    margin = indent + " " * (len(kind) + 2)
    first, *rest = what.split("\n")
    click.echo(f"{indent}{head} {printable(first)}", err=True)
    for line in (*rest, *hint.splitlines()):
        click.echo(f"{margin}{printable(line)}", err=True)
