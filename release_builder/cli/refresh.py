"""``refresh``: what cron calls."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_builder import api
from release_builder.cli.durations import DURATION
from release_builder.cli.failure import print_problem
from release_builder.cli.options import (
    FILE,
    MIRROR,
    OFFLINE,
    SCHEDULER,
    STAGE,
    WORKDIR,
    with_output,
)
from release_builder.cli.plan import show_plans
from release_builder.cli.show import show_report
from release_builder.descriptor.version import Stage
from release_builder.errors import Status, printable
from release_builder.plan import Options
from release_builder.report import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.api import Refreshed
    from release_builder.cli.options import Output


def _some_time(
    _context: click.Context, _option: click.Parameter, given: float | None
) -> float | None:
    if given is not None and given < 1:
        raise click.BadParameter("leaves no time for anything")
    return given


@click.command(
    help="""Keep releases fresh: build what changed on their mirrors, publish it, clear away.

    Made for cron and timers: not a word and exit status 0 as long as all is well, one block on
    stderr when a person should look. What may pass by itself (1: the mirror is away or changes) is
    said when the last success is older than --max-age. On a terminal it says what it does.
    What each run did is in the log, in `history` and in `status`.

    \b
    Example:
      release-builder refresh /etc/release-builder/releases.d
      release-builder refresh --no-splay sme9.yaml
    """
)
@click.argument(
    "paths",
    metavar="FILE_OR_DIR...",
    nargs=-1,
    required=True,
    type=FILE,
)
@click.option(
    "--splay",
    type=DURATION,
    default="10m",
    show_default=True,
    help="Wait up to so long, each host its own time; on a terminal nobody waits.",
)
@click.option("--no-splay", is_flag=True, help="Begin at once.")
@click.option(
    "--max-age",
    type=DURATION,
    default="26h",
    show_default=True,
    help="How old the last success may be before failures that may pass are told.",
)
@click.option(
    "--deadline", type=DURATION, callback=_some_time, help="How long all may take, such as 6h."
)
@click.option(
    "--page",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a status page with charts there.",
)
@click.option(
    "--metrics",
    metavar="FILE.prom",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write metrics for Prometheus's textfile collector there.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done, retention included.")
@WORKDIR
@STAGE
@SCHEDULER
@MIRROR
@OFFLINE
@with_output
def refresh(  # noqa: PLR0913 (one argument an option)
    *,
    paths: Sequence[Path],
    splay: float,
    no_splay: bool,
    max_age: float,
    deadline: float | None,
    page: Path | None,
    metrics: Path | None,
    dry_run: bool,
    workdir: Path | None,
    stage: str | None,
    scheduler: str | None,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """See the help text."""
    if scheduler and deadline:
        raise click.UsageError("--deadline does not reach the machines of --scheduler")
    chosen = Options(
        workdir, offline, Stage(stage) if stage else None, dry_run=dry_run, make_room=True
    )
    if dry_run:
        return _preview(paths, chosen, mirror, output)
    watched = _is_watched()
    options = api.RefreshOptions(
        plan=chosen,
        mirror=mirror,
        splay=0.0 if no_splay or watched else splay,
        max_age=max_age,
        deadline=deadline,
        page=page,
        metrics=metrics,
        courteous=not watched,
        scheduler=scheduler,
    )
    refreshed = api.refresh(paths, options, output.monitor())
    if watched or output.json or output.verbose:
        return show_report(refreshed.report, output)
    return _tell(refreshed)


def _preview(paths: Sequence[Path], options: Options, mirror: str | None, output: Output) -> int:
    """What a refresh would do now."""
    planned = api.plans(api.descriptors_in(paths), options, mirror=mirror)
    shown = show_plans("refresh", planned, output)
    clearing = [replace(plan, steps=("retain",)) for plan in planned]
    return shown or show_report(api.carry_out("refresh", clearing, output.monitor()), output)


def _is_watched() -> bool:
    """Whether a person sits there: cron's stdin and stderr are no terminals."""
    return any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _tell(refreshed: Refreshed) -> int:
    """What cron sends as a mail, if it is anything."""
    for problem in refreshed.problems:
        click.echo(api.refresh_words(problem, refreshed.log), err=True)
    for finding in refreshed.report.findings:
        if finding.severity is Severity.WARNING:  # what would keep others from hearing of trouble
            print_problem("warning", finding.message, finding.hint)
    for line in refreshed.news:
        click.echo(printable(line))
    return refreshed.report.exit_status or Status.DONE
