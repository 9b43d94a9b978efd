"""What the doctor found, for people and for programs."""

from __future__ import annotations

import shutil
import sys
import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import click

from release_builder.cli.failure import print_problem
from release_builder.doctor.checkup import Mark
from release_builder.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_builder.api.doctors import Fitting
    from release_builder.cli.options import Output
    from release_builder.doctor.checkup import Check, Examination, Readiness

_COLOURS: Final = {Mark.OK: "green", Mark.NOTE: None, Mark.WARNING: "yellow", Mark.MISSING: "red"}
_MARGIN: Final = 12  # columns that the mark takes


def show_examination(found: Examination, output: Output) -> None:
    """Print what was found: by topic, then which command is ready.

    With --quiet what is in order is left out.
    """
    if not output.quiet:
        click.echo(f"this machine: {found.system}")
    shown = [
        each
        for each in found.checks
        if not output.quiet or each.mark in {Mark.WARNING, Mark.MISSING}
    ]
    for topic, checks in groupby(shown, key=lambda each: each.topic):
        if not output.quiet:
            click.echo(f"\n{click.style(topic, bold=True)}")
        for check in checks:
            _show_check(check, required=bool(set(check.needed_by) & set(found.wanted)))
    if not output.quiet:
        click.echo(f"\n{click.style('commands', bold=True)}")
        for command in found.commands:
            click.echo(_command_line(command, wanted=command.command in found.wanted))


def _show_check(check: Check, *, required: bool) -> None:
    colour = _COLOURS[check.mark]
    if check.mark is Mark.MISSING and not required:
        colour = "yellow"
    mark = click.style(f"{check.mark.value:<8}", fg=colour)
    for number, line in enumerate(_folded(f"{check.name}: {check.says}")):
        click.echo(f"  {mark}  {line}" if not number else f"{'':{_MARGIN}}{line}")
    for number, line in enumerate(_folded(check.mend, 3) if check.mend else ()):
        click.echo(f"{'':{_MARGIN}}{'   ' if number else '-> '}{line}")


def _folded(text: str, further: int = 0) -> list[str]:
    """The lines of ``text``, in pieces that fit on a terminal; whole where nobody folds."""
    lines = [printable(line.strip()) for line in text.splitlines()]
    if not sys.stdout or not sys.stdout.isatty():
        return lines
    width = max(shutil.get_terminal_size().columns - _MARGIN - further, 40)
    return [
        piece
        for line in lines
        for piece in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
    ]


def _command_line(command: Readiness, *, wanted: bool) -> str:
    if not command.lacks:
        return f"  {command.command:<14}  {click.style('ready', fg='green')}"
    lacks = click.style(
        f"needs {printable(', '.join(command.lacks))}", fg="red" if wanted else "yellow"
    )
    return f"  {command.command:<14}  {lacks}"


def examination_document(found: Examination) -> dict[str, Any]:
    """As data/doctor.schema.json has it."""
    return {
        "system": found.system,
        "wanted": list(found.wanted),
        "checks": [
            {
                "topic": each.topic,
                "name": each.name,
                "mark": each.mark.value,
                "says": each.says,
                "mend": each.mend,
                "needed_by": list(each.needed_by),
            }
            for each in found.checks
        ],
        "commands": [
            {"command": each.command, "ready": not each.lacks, "lacks": list(each.lacks)}
            for each in found.commands
        ],
    }


def show_fittings(fittings: Sequence[Fitting], el: str, output: Output) -> None:
    """Print which RPMs fit; why others do not goes to stderr."""
    for each in fittings:
        name = printable(each.file.name)
        if each.fits and not output.quiet:
            click.echo(f"{name}: fits {el}")
        for kind, what, hint in _problems(each, el):
            if kind == "error" or not output.quiet:
                print_problem(kind, what, hint)


def _problems(fitting: Fitting, el: str) -> Iterator[tuple[str, str, str]]:
    name = printable(fitting.file.name)
    if fitting.problem:
        yield "error", fitting.problem.what, fitting.problem.hint
    for misfit in fitting.misfits:
        what = f"{name}: does not fit {el}: {misfit}" if misfit.refused else f"{name}: {misfit}"
        yield "error" if misfit.refused else "note", what, misfit.hint


def fitting_document(fittings: Sequence[Fitting], el: str) -> dict[str, Any]:
    """As data/doctor.schema.json has it."""
    return {
        "for": el,
        "packages": [
            {
                "file": str(each.file),
                "fits": each.fits,
                "problem": each.problem.what if each.problem else "",
                "misfits": [
                    {
                        "what": misfit.what,
                        "why": misfit.why,
                        "mend": misfit.hint,
                        "refused": misfit.refused,
                    }
                    for misfit in each.misfits
                ],
            }
            for each in fittings
        ],
    }
