"""``publish``, ``publish --rollback`` and ``promote``: releases become public, and go back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from release_builder import api
from release_builder.cli.options import (
    DESCRIPTORS,
    FILE,
    MIRROR,
    OFFLINE,
    STAGE,
    WORKDIR,
    with_output,
)
from release_builder.cli.show import show_report
from release_builder.descriptor.publishing import Preflight
from release_builder.descriptor.version import Stage
from release_builder.plan import Options, together

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.cli.options import Output
    from release_builder.plan import Plan

_ROLLBACK = click.option(
    "--rollback", is_flag=True, help="Make the generation before the public one public again."
)
_KEEP = click.option(
    "--keep",
    type=click.IntRange(0, 1000),
    metavar="N",
    help="How many replaced generations stay, in the place of `publish.keep`.",
)
PREFLIGHT = click.option(
    "--preflight",
    type=click.Choice([str(each) for each in Preflight]),
    help="Before the flip: ask for every part, rebuild the image from the staged tree, or neither.",
)


@click.command(
    help="""Make image, pair, sums, signatures, tree and pages public, in one go.

    Nothing is public before it was tried whether a stranger can rebuild the image; then the
    folder of the release is a link to the new generation, and readers see the old or the new.

    \b
    Example:
      release-builder publish sme9.yaml
      release-builder publish --rollback sme9.yaml
    """
)
@DESCRIPTORS
@WORKDIR
@STAGE
@PREFLIGHT
@_KEEP
@_ROLLBACK
@MIRROR
@OFFLINE
@with_output
def publish(  # noqa: PLR0913 (one argument an option)
    *,
    descriptors: Sequence[Path],
    workdir: Path | None,
    stage: str | None,
    preflight: str | None,
    keep: int | None,
    rollback: bool,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """See the help text."""
    steps = ["rollback" if rollback else "publish"]
    options = Options(workdir, offline, Stage(stage) if stage else None)
    planned = [
        with_publication(plan, preflight, keep)
        for plan in api.plans(descriptors, options, steps, mirror)
    ]
    report = api.carry_out("publish", together(planned), output.monitor())
    return show_report(report, output)


@click.command(
    help="""Make a public beta the final, in one verified step.

    Image, pair and tree become public as the final, under its names; [Servers] say where that is.
    It stops if the image still calls itself a beta.

    \b
    Example:
      release-builder promote sme-8.1rc1.yaml --to 8.1 --dry-run
      release-builder promote sme-8.1rc1.yaml --to 8.1 --same-image --obsolete
    """
)
@click.argument("descriptor", metavar="FILE", type=FILE)
@click.option("--to", metavar="VERSION", required=True, help="The final's version, such as 8.1.")
@click.option("--same-image", is_flag=True, help="The beta's very bytes are the final's.")
@click.option("--compose", is_flag=True, help="Make the final's image anew, from its own tree.")
@click.option("--obsolete", is_flag=True, help="Move the beta away once the final is public.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@WORKDIR
@PREFLIGHT
@click.option("--mirror", metavar="URL", help="Where the final's own tree is.")
@OFFLINE
@with_output
def promote(  # noqa: PLR0913 (one argument an option)
    *,
    descriptor: Path,
    to: str,
    same_image: bool,
    compose: bool,
    obsolete: bool,
    dry_run: bool,
    workdir: Path | None,
    preflight: str | None,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """See the help text."""
    if compose and (same_image or obsolete or dry_run):
        raise click.UsageError("--compose goes with none of --same-image, --obsolete, --dry-run")
    promoting = api.promoting(
        descriptor,
        to,
        workdir,
        same_image=same_image,
        compose=compose,
        obsolete=obsolete,
        dry_run=dry_run,
        mirror=mirror,
        offline=offline,
    )
    planned = together([with_publication(plan, preflight) for plan in promoting.plans])
    report = api.carry_out("promote", planned, output.monitor())
    if not dry_run:
        promoting.finish(report)
    return show_report(report, output)


def with_publication(plan: Plan, preflight: str | None, keep: int | None = None) -> Plan:
    """``plan`` with what the command line says of publishing."""
    publication = plan.release.publish
    if publication is None:
        return plan
    publication = replace(
        publication,
        preflight=Preflight(preflight) if preflight else publication.preflight,
        keep=publication.keep if keep is None else keep,
    )
    return replace(plan, release=replace(plan.release, publish=publication))
