"""``status`` and ``history``: how releases stand, and what was run for them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from release_builder.api.histories import recorded_runs, standings
from release_builder.api.release_names import names_of, release_key
from release_builder.cli.durations import DURATION
from release_builder.cli.options import FILE, MIRROR, OFFLINE, with_output
from release_builder.cli.show import print_document
from release_builder.cli.show_history import (
    check,
    release_document,
    run_document,
    show_findings,
    show_run,
    show_state,
    unknown,
)
from release_builder.errors import ReleaseBuilderError, Status
from release_builder.report import Severity
from release_builder.state.history import MAX_AGE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.api.histories import Standings
    from release_builder.cli.options import Output
    from release_builder.report import Finding

_FILES = click.argument("paths", metavar="[FILE]...", nargs=-1, type=FILE)
_NONE_YET = "no run is recorded yet: the first will be that of release-builder refresh FILE"


@click.command()
@_FILES
@click.option(
    "--max-age",
    metavar="AGE",
    type=DURATION,
    help="Be a Nagios check: a success older than this, such as 26h or 2d, is critical.",
)
@MIRROR
@OFFLINE
@with_output
def status(
    *,
    paths: Sequence[Path],
    max_age: float | None,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """Tell when each release was built last, and what is wrong since.

    A success that is older than 26 hours is stale; --max-age says otherwise. FILE is a descriptor
    or a folder of them; without one, all that were built before are told of.

    With --max-age this is a Nagios check: one line, performance data, and the exit status 0 (OK),
    1 (WARNING: the last run failed, but the last success is young enough), 2 (CRITICAL: there is
    no such success) or 3 (UNKNOWN: there is no history).

    \b
    Example:
      release-builder status --max-age 26h
    """
    del mirror, offline  # none is asked
    try:
        found = standings(paths)
    except (ReleaseBuilderError, OSError) as error:
        if max_age is None or output.json:
            raise
        click.echo(unknown(error))
        return Status.SURROUNDINGS  # Nagios's UNKNOWN
    return _show_standings(found, max_age, output)


@click.command()
@_FILES
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1, 1_000_000),
    default=20,
    show_default=True,
    help="Show the newest N runs.",
)
@MIRROR
@OFFLINE
@with_output
def history(
    *, paths: Sequence[Path], limit: int, mirror: str | None, offline: bool, output: Output
) -> int:
    """List what was run, the newest first: when, how long, what each step did.

    FILE is a descriptor or a folder of them; without one, the runs of all are listed. Times are in
    UTC. With -q a run has one line, with -v all its numbers.

    \b
    Example:
      release-builder history --limit 5 sme9.yaml
    """
    del mirror, offline  # none is asked
    recorded = recorded_runs(paths, limit)
    code = _status_of(recorded.findings, usable=recorded.usable)
    if output.json:
        runs = [run_document(run) for run in recorded.runs]
        findings = [asdict(each) for each in recorded.findings]
        print_document("history", code, {"runs": runs, "findings": findings})
        return code
    names = names_of(recorded.runs)
    for run in recorded.runs:
        show_run(run, names[release_key(run)], output)
    show_findings(recorded.findings, output)
    if not recorded.runs and not code and not output.quiet:
        click.echo(_NONE_YET)
    return code


def _show_standings(found: Standings, max_age: float | None, output: Output) -> int:
    now = datetime.now(UTC)
    line, code = "", int(_status_of(found.findings, usable=found.usable))
    if max_age is not None:
        line, code = check(found, now, max_age)
    if output.json:
        releases = [
            release_document(each, now, MAX_AGE if max_age is None else max_age)
            for each in found.releases
        ]
        findings = [asdict(each) for each in found.findings]
        print_document("status", code, {"releases": releases, "findings": findings})
    elif line:
        click.echo(line)
    else:
        names = names_of(found.releases)
        for state in found.releases:
            is_working = state.descriptor in found.working
            show_state(state, names[release_key(state)], now, output, is_working=is_working)
        show_findings(found.findings, output)
        if not found.releases and not code and not output.quiet:
            click.echo(_NONE_YET)
    return code


def _status_of(findings: Sequence[Finding], *, usable: bool) -> Status:
    """That there is no history is no problem, that there is one which cannot be read is."""
    unreadable = not usable and any(each.severity is Severity.WARNING for each in findings)
    return Status.SURROUNDINGS if unreadable else Status.DONE
