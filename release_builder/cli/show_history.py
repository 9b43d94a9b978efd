"""The history, and how releases stand: for people, for programs, for Nagios."""

from __future__ import annotations

import re
from dataclasses import asdict
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import click
from rich.filesize import decimal

from release_builder.api.release_names import ReleaseKey, names_of, release_key, told_apart
from release_builder.cli.failure import print_problem
from release_builder.errors import ReleaseBuilderError, Status, printable
from release_builder.report import Severity, finding_of
from release_builder.spans import span
from release_builder.state.history import KILLED, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from release_builder.api.histories import Standings
    from release_builder.cli.options import Output
    from release_builder.report import Finding
    from release_builder.state.history import RecordedRun, RecordedStep, ReleaseState

_MARGIN: Final = "    "
_TOLD: Final = 3  # releases in Nagios's one line
_LONGEST: Final = 120  # characters of a problem there
_COLOURS: Final = {Standing.FRESH: "green", Standing.FAILING: "yellow"}
_CLOCK: Final = "a clock was or is wrong: set it, and refresh"
_WORDS: Final[dict[int, str]] = {
    Status.DONE: "done",
    Status.INCOMPLETE: "incomplete",
    Status.WRONG: "wrong",
    Status.SURROUNDINGS: "stopped",
    Status.BUSY: "busy",
    Status.INTERRUPTED: "interrupted",
    KILLED: "killed",
}


class _Check(IntEnum):
    """Nagios's exit statuses (Monitoring Plugins Development Guidelines, 2.4)."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_CHECK_OF: Final = {
    Standing.FRESH: _Check.OK,
    Standing.FAILING: _Check.WARNING,
    Standing.STALE: _Check.CRITICAL,
    Standing.NEVER: _Check.CRITICAL,
}


def check(standings: Standings, now: datetime, max_age: float) -> tuple[str, int]:
    """Nagios's line and exit status, where a success older than ``max_age`` seconds is critical."""
    states = standings.releases
    if not standings.usable or not states:
        why = next((each.message for each in standings.findings), "no run is recorded yet")
        return f"RELEASES UNKNOWN - {_in_a_line(why)}", _Check.UNKNOWN
    worst = max(_CHECK_OF[state.standing(now, max_age)] for state in states)
    wrong = [state for state in states if _CHECK_OF[state.standing(now, max_age)] == worst]
    ages = [age for state in states if (age := state.age(now)) is not None]
    if worst is _Check.OK:
        count = f"{len(states)} {'release' if len(states) == 1 else 'releases'}"
        said = f"{count}, oldest success {span(max(ages))} ago"
    else:
        names = names_of(states)
        said = "; ".join(_wrong(state, names[release_key(state)], now) for state in wrong[:_TOLD])
        said += f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
    numbers = " ".join(_performance(states, now, max_age))
    return f"RELEASES {worst.name} - {_in_a_line(said)} | {numbers}", worst


def unknown(error: ReleaseBuilderError | OSError) -> str:
    """Nagios's line for a check that could not be made."""
    return f"RELEASES UNKNOWN - {_in_a_line(finding_of(error).message)}"


def show_state(
    state: ReleaseState, name: str, now: datetime, output: Output, *, is_working: bool
) -> None:
    """Print how the release ``name`` stands: a line, and below it what is wrong."""
    standing = state.standing(now)
    if output.quiet and standing is Standing.FRESH:
        return
    age = state.age(now)
    word = click.style(f"{standing.value:<8}", fg=_COLOURS.get(standing, "red"))
    ago = "-" if age is None else f"{span(age)} ago"
    click.echo(f"{word}  {ago:<12}  {printable(name)}")
    if output.verbose:
        click.echo(f"{_MARGIN}{printable(state.descriptor)}")
        if state.image:
            click.echo(f"{_MARGIN}{printable(state.image)} ({decimal(state.image_size)})")
    run = state.last_run
    if run is None and is_working:
        print_problem("note", f"{name}: its first run is under way", indent=_MARGIN)
    elif run is None:
        hint = f"build it: release-builder build {state.descriptor}"
        print_problem("note", f"{name}: it never ran", hint, indent=_MARGIN)
    elif state.failing_since:
        runs = f"{state.failures:,} {'run' if state.failures == 1 else 'runs'}"
        since = f"{runs} without success since {_time(state.failing_since)}"
        problem = f"{name}: {since}: {run.problem or 'stopped'}"
        print_problem("error", problem, run.hint, indent=_MARGIN)
    if age is None and state.last_success:
        ahead = f"{name}: the last success was at {_time(state.last_success)}, which is yet to come"
        print_problem("error", ahead, _CLOCK, indent=_MARGIN)


def show_run(run: RecordedRun, name: str, output: Output) -> None:
    """Print one run of the release ``name``; unless quiet, with its steps."""
    word = _WORDS.get(run.status, str(run.status))
    colour = "red" if run.status else "green"
    idle = "" if run.status or run.changed else ", nothing new"
    click.echo(
        f"{_time(run.started)}  {run.command:<8} {printable(name)}"
        f"  {click.style(word, fg=colour)}{idle} ({run.seconds:.1f} s)"
    )
    if output.quiet:
        return
    for step in run.steps:
        numbers = ", ".join(_numbers(step, output))
        line = f"{_MARGIN}{step.step:<9} {step.outcome:<10} {step.seconds:7.1f} s  {numbers}"
        click.echo(line.rstrip())
        if step.message and (output.verbose or step.outcome in {"failed", "incomplete"}):
            click.echo(f"{_MARGIN * 2}{printable(step.message)}")
    if run.problem and not run.steps:
        print_problem("error", f"{name}: {run.problem}", run.hint, indent=_MARGIN)


def show_findings(findings: Sequence[Finding], output: Output) -> None:
    """Print what there is to say of the history itself."""
    for finding in findings:
        if not (output.quiet and finding.severity is Severity.NOTE):
            print_problem(finding.severity.value, finding.message, finding.hint)


def release_document(state: ReleaseState, now: datetime, max_age: float) -> dict[str, Any]:
    """``state`` as data/history.schema.json describes it; times in ISO 8601, spans in seconds."""
    document = asdict(state)
    document |= {
        key: value.isoformat() if value else None
        for key, value in (
            ("last_success", state.last_success),
            ("last_change", state.last_change),
            ("failing_since", state.failing_since),
        )
    }
    last = state.last_run
    age = state.age(now)
    return document | {
        "last_run": run_document(last) if last else None,
        "standing": state.standing(now, max_age).value,
        "age": None if age is None else round(age),
    }


def run_document(run: RecordedRun) -> dict[str, Any]:
    """``run`` as data/history.schema.json describes it."""
    return asdict(run) | {"started": run.started.isoformat(), "steps": list(map(asdict, run.steps))}


def _wrong(state: ReleaseState, name: str, now: datetime) -> str:
    age = state.age(now)
    if age is not None:
        success = f"last success {span(age)} ago"
    elif state.last_success:
        success = f"last success at {_time(state.last_success)}, yet to come: a clock was wrong"
    else:
        success = "no success yet"
    problem = state.last_run.problem if state.last_run else "it never ran"
    first = next(iter(problem.strip().splitlines()), "")  # a program says more below
    short = first if len(first) <= _LONGEST else f"{first[: _LONGEST - 3]}..."
    return f"{name}: {success}{f' ({short})' if short else ''}"


def _performance(states: Sequence[ReleaseState], now: datetime, max_age: float) -> Iterator[str]:
    """The age of each release: label=value;warning;critical;minimum, U for one that is unknown."""
    for state, label in zip(states, _labels(states), strict=True):
        age = state.age(now)
        value = "U" if age is None else f"{age:.0f}s"
        yield f"{label}={value};{max_age:.0f};{max_age:.0f};0"


def _labels(states: Sequence[ReleaseState]) -> Iterator[str]:
    """A label for each, of the letters that all that draw graphs take; none comes twice."""
    names: dict[ReleaseKey, str] = {
        (it.descriptor, it.product, it.arch): f"age_{it.product}_{it.arch}" for it in states
    }
    given: set[str] = set()
    for key, which in told_apart(names).items():
        whole = f"{names[key]}_{which.strip('()/')}" if which else names[key]
        label = unlike = re.sub("[^A-Za-z0-9_.-]", "_", whole)
        count = 1
        while unlike in given:
            count += 1
            unlike = f"{label}_{count}"
        given.add(unlike)
        yield unlike


def _numbers(step: RecordedStep, output: Output) -> Iterator[str]:
    for name, count in step.counts.items():
        is_bytes = "bytes" in name.split("_")
        if output.verbose or (is_bytes and count):
            yield f"{name} {decimal(count) if is_bytes else f'{count:,}'}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _in_a_line(text: str) -> str:
    # What follows a bar is performance data.
    return printable(" ".join(text.split())).replace("|", "/")
