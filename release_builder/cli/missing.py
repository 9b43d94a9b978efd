"""``missing``: the parts that an image still wants."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.filesize import decimal

from release_builder import api
from release_builder.cli.failure import print_problem
from release_builder.cli.options import DESCRIPTORS, MIRROR, OFFLINE, STAGE, WORKDIR, with_output
from release_builder.cli.show import print_document
from release_builder.cli.show_fetched import missing_document
from release_builder.descriptor.version import Stage
from release_builder.errors import DescriptorError, Status, printable
from release_builder.plan import Options
from release_builder.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.api.missing import Wanting
    from release_builder.cli.options import Output


@click.command()
@DESCRIPTORS
@WORKDIR
@STAGE
@MIRROR
@OFFLINE
@with_output
def missing(  # noqa: PLR0913 (one argument an option)
    *,
    descriptors: Sequence[Path],
    workdir: Path | None,
    stage: str | None,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """List the parts that are neither in the image nor at hand, and what their URLs answer now.

    Nothing is fetched. With --offline nobody is asked, and the URLs alone are listed. The exit
    status is 0 if nothing is missing, else 1.

    \b
    Example:
      release-builder missing sme9.yaml
    """
    for path in descriptors:
        if ".jigdo" in path.suffixes:
            raise DescriptorError(
                f"{printable(str(path))} is a .jigdo; this wants a descriptor",
                hint="for a .jigdo: release-builder jigdo print-missing",
            )
    options = Options(workdir, offline, Stage(stage) if stage else None)
    wanting, failures = api.missing_parts(
        api.plans(descriptors, options, mirror=mirror), output.monitor()
    )
    status = Report("missing", findings=failures).exit_status
    if status is Status.DONE and any(each.missing for each in wanting):
        status = Status.INCOMPLETE
    if output.json:
        releases = [_document(each) for each in wanting]
        findings = [asdict(each) for each in failures]
        print_document("missing", status, {"releases": releases, "findings": findings})
        return status
    for each in wanting:
        _show(each, output)
    for failure in failures:
        print_problem("error", failure.message, failure.hint)
    return status


def _show(wanting: Wanting, output: Output) -> None:
    name = printable(wanting.image.name)
    if not wanting.missing:
        if not output.quiet:
            click.echo(f"{name}: no part is missing")
        return
    for each in wanting.missing:
        click.echo(f"{each.part.length:>14,}  {printable(each.name)}  {each.part.digest}")
        for line in map(str, each.tries) if each.tries else each.urls:
            click.echo(f"{'':>14}    {line}")
        for entry in each.unasked:
            click.echo(f"{'':>14}    not asked: {entry}")
    size = decimal(wanting.length)
    click.echo(f"{name}: {len(wanting.missing):,} of {wanting.parts:,} parts are missing ({size})")


def _document(wanting: Wanting) -> dict[str, object]:
    release = wanting.plan.release
    return {
        "descriptor": str(release.descriptor),
        "version": str(release.version),
        "arch": release.arch,
        "image": str(wanting.image),
        "parts": wanting.parts,
        "bytes_missing": wanting.length,
        "missing": [missing_document(each) for each in wanting.missing],
    }
