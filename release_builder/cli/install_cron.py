"""``install-cron``: ready files for scheduled refreshes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from release_builder.api import schedules
from release_builder.cli.durations import duration
from release_builder.cli.options import with_output
from release_builder.cli.show import print_document
from release_builder.descriptor.refusal import RefusedError
from release_builder.errors import Status
from release_builder.schedule import Deed, Kind, Schedule

if TYPE_CHECKING:
    from release_builder.api.schedules import Scheduled
    from release_builder.cli.options import Output

_NAME: Final = "release-builder"


def _span(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    try:
        if given:
            duration(given)
    except RefusedError as error:
        raise click.BadParameter(str(error)) from error
    return given


@click.command(
    "install-cron",
    help="""Write the ready files that let cron, systemd or an SME Server refresh releases.

    The releases are those whose descriptors lie in /etc/release-builder/releases.d/. Only one of
    the three is on at a time: the others are taken away. Files that somebody changed are left
    alone. What is to be run afterwards, for the system to know of it, is printed.

    On an SME Server what is not given is read from the configuration database: the properties
    Time, MaxAge, Page, Metrics and status of release-builder.

    \b
    Example:
      release-builder install-cron --for systemd --dry-run
      release-builder install-cron --for cron.d --at '30 5 * * *' --page /var/www/html/releases
      release-builder install-cron --remove
    """,
)
@click.option(
    "--for",
    "kind",
    type=click.Choice([str(each) for each in Kind]),
    help="Who runs the refreshes: cron.d on EL 5 and 6, systemd on EL 7 and later, or sme.",
)
@click.option("--at", metavar="TIME", help="When, as five fields of cron; default: 15 4 * * *.")
@click.option(
    "--max-age",
    metavar="SPAN",
    callback=_span,
    help="Say nothing of failures that pass while the last success is younger; default: 26h.",
)
@click.option("--page", metavar="DIR", help="Let each refresh write the status page there.")
@click.option("--metrics", metavar="FILE", help="Let each refresh write metrics for Prometheus.")
@click.option("--remove", is_flag=True, help="Take away what was written, whichever it was.")
@click.option(
    "--dry-run", is_flag=True, help="Only print the files, and what would become of them."
)
@click.option("--force", is_flag=True, help="Keep files that somebody changed as .rpmsave.")
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default="/",
    help="The root of the system, if it is not this one.",
)
@click.option("--mirror", metavar="URL", help="No difference here: descriptors name mirrors.")
@click.option("--offline", is_flag=True, help="No difference here: no mirror is asked.")
@with_output
def install_cron(  # noqa: PLR0913 (one argument an option)
    *,
    kind: str | None,
    at: str | None,
    max_age: str | None,
    page: str | None,
    metrics: str | None,
    remove: bool,
    dry_run: bool,
    force: bool,
    root: Path,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """See the help text."""
    del mirror, offline
    root = root.resolve()
    if remove:
        if kind or at or max_age or page is not None or metrics is not None:
            raise click.UsageError("--remove takes away whichever is there: name nothing else")
        done = schedules.remove_schedule(root, force=force, dry_run=dry_run)
    elif kind is None:
        raise click.UsageError("Missing option '--for' (or '--remove').")
    else:
        wanted = schedules.schedule(
            root, program=_program(root), at=at, page=page, metrics=metrics, max_age=max_age
        )
        done = schedules.install_schedule(Kind(kind), wanted, root, force=force, dry_run=dry_run)
    _show(done, output, dry_run=dry_run)
    return Status.DONE


def _program(root: Path) -> str:
    """This program by the path that will find it again."""
    if root != Path("/"):
        return Schedule().program
    called = Path(sys.argv[0])
    if called.name == _NAME and called.is_file():
        return str(called.absolute())
    return shutil.which(_NAME) or Schedule().program


def _show(done: Scheduled, output: Output, *, dry_run: bool) -> None:
    if output.json:
        files = [
            {"path": each.path, "deed": each.deed.name.lower(), "text": each.text}
            for each in done.changes
        ]
        content = {"dry_run": dry_run, "files": files, "commands": list(done.commands)}
        print_document("install-cron", Status.DONE, content)
        return
    if output.quiet:
        return
    for change in done.changes:
        told = f"{change.path}: {'would be ' if dry_run else ''}{change.deed}"
        click.echo(f"{told} → {change.text}" if change.deed is Deed.LINK else told)
        if dry_run and change.deed is Deed.WRITE:
            click.echo("".join(f"    {line}".rstrip() + "\n" for line in change.text.splitlines()))
    if not done.changes:
        click.echo("there is nothing to take away")
    if done.commands:
        click.echo(f"{'you would run' if dry_run else 'now run'}: {' && '.join(done.commands)}")
