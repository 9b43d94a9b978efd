"""How a command that could not even begin says so."""

from __future__ import annotations

import click

from release_builder.errors import ReleaseBuilderError, Status, surroundings
from release_builder.loader import InvalidDescriptorError
from release_builder.report import SEVERITY_OF, Finding, Report


def report_failure(error: ReleaseBuilderError | OSError) -> Status:
    """Print what happened and what to do to stderr; the status says who is at fault."""
    if isinstance(error, InvalidDescriptorError):
        for complaint in error.complaints:
            click.echo(str(complaint), err=True)
        return error.status
    if isinstance(error, OSError):
        error = surroundings(error)
    print_problem("error", error.what, error.hint)
    return error.status


def as_report(command: str, error: ReleaseBuilderError | OSError) -> Report:
    """The report of a command that ended with ``error``."""
    if isinstance(error, OSError):
        error = surroundings(error)
    severity = SEVERITY_OF[error.status]
    if isinstance(error, InvalidDescriptorError):
        return Report(
            command, findings=tuple(Finding(severity, str(each)) for each in error.complaints)
        )
    return Report(command, findings=(Finding(severity, error.what, error.hint),))


def print_problem(kind: str, what: str, hint: str = "", *, indent: str = "") -> None:
    """One problem on stderr: ``kind: what``, and below it what to do."""
    colour = {"error": "red", "warning": "yellow"}.get(kind)
    head = click.style(f"{kind}:", fg=colour, bold=True)
    margin = indent + " " * (len(kind) + 2)
    first, *rest = what.splitlines() or [""]
    click.echo(f"{indent}{head} {first}", err=True)
    for line in (*rest, *hint.splitlines()):
        click.echo(f"{margin}{line}", err=True)
