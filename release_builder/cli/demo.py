"""``demo``: the main job on a release that is made on the spot."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_builder import api
from release_builder.cli.options import with_output
from release_builder.cli.show import print_document, show_report
from release_builder.demo.daemon import rsync_daemon
from release_builder.demo.programs import missing_programs
from release_builder.demo.release import make_release
from release_builder.errors import SurroundingsError
from release_builder.files import replacing
from release_builder.plan import Options

if TYPE_CHECKING:
    from release_builder.cli.options import Output
    from release_builder.report import Report


@click.command()
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default="release-builder-demo",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Make everything in this folder.",
)
@click.option("--mirror", metavar="URL", help="Build from this mirror of the demo's release.")
@click.option("--offline", is_flag=True, help="Ask no mirror; work with what is here.")
@with_output
def demo(*, folder: Path, mirror: str | None, offline: bool, output: Output) -> int:
    """Make a small release, serve it from an rsync daemon, and build its image from there.

    The packages are real RPMs, the image is mastered by xorriso and its pair made by
    jigdo-file. The pair's [Servers] points to where the final release will be, as in real life.

    \b
    Example:
      release-builder demo --dir /tmp/demo
    """
    if missing := missing_programs():
        raise SurroundingsError("the demo needs programs that are not here:\n" + "\n".join(missing))
    say = _nothing if output.json or output.quiet else click.echo
    monitor = output.monitor()
    say(f"A release of some dozens of RPMs, its image and its pair: {folder / 'release'}")
    release = make_release(folder / "release", monitor=monitor)
    descriptor = folder / "sme9.yaml"
    with rsync_daemon(release.mirror) as url:
        source = mirror or f"{url}{release.path}"
        recipe = release.recipe
        with replacing(descriptor) as out:
            text = f"version: {recipe.version}\narch: {recipe.arch}\nmirror: {source}\n"
            out.write(text.encode())
        say(f"A real rsync daemon serves it on loopback. The descriptor, {descriptor}:\n")
        say("".join(f"    {line}\n" for line in text.splitlines()))
        say(f"release-builder build {descriptor}\n")
        report = api.carry_out("demo", api.plans([descriptor], Options(offline=offline)), monitor)
    return _show(report, descriptor, output)


def _show(report: Report, descriptor: Path, output: Output) -> int:
    facts = {name: text for step in report.releases[0].steps for name, text in step.facts.items()}
    if output.json and not report.exit_status:
        content = dataclasses.asdict(report)
        extra = {name: facts[name] for name in ("image", "digest")}
        print_document("demo", report.exit_status, {**content, **extra, "descriptor": descriptor})
        return report.exit_status
    status = show_report(report, output)
    if not status and not output.quiet:
        click.echo(f"\nThe image: {facts['image']}\n{facts['digest'].replace(':', ' ', 1)}")
        program = sys.argv[0] if sys.argv[0].endswith("release-builder") else "release-builder"
        click.echo(
            f"\nNext: run the demo again (nothing is done twice), look at {descriptor.parent}/,"
        )
        click.echo(f"or write a descriptor of your own: {program} init my.yaml")
    return status


def _nothing(_text: str) -> None:
    """A program reads stdout, or nobody does."""
