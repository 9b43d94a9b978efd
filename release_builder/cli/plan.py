"""``plan``: what a build would do."""

from __future__ import annotations

from dataclasses import asdict
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click
from rich.filesize import decimal

from release_builder import api
from release_builder.cli.failure import print_problem
from release_builder.cli.options import DESCRIPTORS, MIRROR, OFFLINE, STAGE, WORKDIR, with_output
from release_builder.cli.show import print_document
from release_builder.descriptor.version import Stage
from release_builder.errors import printable
from release_builder.plan import Options
from release_builder.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from release_builder.cli.options import Output
    from release_builder.plan import Plan
    from release_builder.preview import Preview


@click.command()
@DESCRIPTORS
@WORKDIR
@STAGE
@MIRROR
@OFFLINE
@with_output
def plan(  # noqa: PLR0913 (one argument an option)
    *,
    descriptors: Sequence[Path],
    workdir: Path | None,
    stage: str | None,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """Show what `build` would fetch, delete, rewrite and write; touches nothing.

    \b
    Example:
      release-builder plan sme9.yaml
    """
    options = Options(workdir, offline, Stage(stage) if stage else None)
    return show_plans("plan", api.plans(descriptors, options, mirror=mirror), output)


def show_plans(command: str, planned: Sequence[Plan], output: Output) -> int:
    """Print what carrying out ``planned`` would do.

    Returns:
        The exit status.
    """
    previews, failures = api.previews(planned)
    findings = (*failures, *(finding for preview in previews for finding in preview.findings))
    status = Report(command, findings=findings).exit_status
    if output.json:
        plans = [_as_json(preview) for preview in previews]
        print_document(command, status, {"plans": plans, "findings": list(map(asdict, failures))})
        return status
    for preview in previews:
        _show(preview, output)
    for failure in failures:
        print_problem("error", failure.message, failure.hint)
    return status


def _show(preview: Preview, output: Output) -> None:
    release = preview.plan.release
    if not output.quiet:
        name = f"{release.product} {release.version} {release.arch}"
        click.echo(
            f"{click.style(name, bold=True)}  in {printable(str(preview.plan.workdir.root))}"
        )
        for step, lines in _rows(preview):
            for word, line in zip_longest([step], lines, fillvalue=""):
                click.echo(f"  {word:<9} {printable(line)}")
    if output.verbose:
        for moved in preview.fetch or ():
            click.echo(f"  fetch   {moved.length:>15,}  {printable(moved.path)}")
        for path in preview.delete:
            click.echo(f"  delete  {'':>15}  {printable(path)}")
    for finding in preview.findings:
        print_problem(finding.severity.value, finding.message, finding.hint, indent="    ")


def _rows(preview: Preview) -> Iterator[tuple[str, list[str]]]:
    """The table: a step, and the lines that stand beside it."""
    release = preview.plan.release
    if preview.to_fetch is not None:
        size = decimal(sum(part.length for part in preview.to_fetch))
        what = f"fetch the pair, and {len(preview.to_fetch):,} parts ({size}) that are not here"
        yield "fetch", [what, f"from {release.mirror.url} and [Servers]"]
    elif preview.fetch is None:
        yield "sync", ["nothing: offline"]
    else:
        size = decimal(preview.bytes_to_fetch)
        what = f"fetch {len(preview.fetch):,} files ({size}), delete {len(preview.delete):,}"
        yield "sync", [what, f"from {release.mirror.url}"]
    changes = [
        line for each in preview.servers for line in (f"{each.label}={each.old}", f"  → {each.new}")
    ]
    yield "rewrite", changes or [f"[Servers] of {preview.jigdo} points right already"]
    size = ("" if preview.image_size_is_exact else "about ") + decimal(preview.image_size)
    what = "check what is there" if preview.image_there else f"write {size}"
    yield "assemble", [f"{what}: {preview.image}"]
    yield "verify", ["image and tree, by the template, the descriptor and sums files"]
    yield "room", [f"{decimal(preview.bytes_to_write)} to write, {decimal(preview.free)} free"]


def _as_json(preview: Preview) -> dict[str, Any]:
    release = preview.plan.release
    return {
        "descriptor": release.descriptor,
        "product": release.product,
        "version": str(release.version),
        "arch": release.arch,
        "workdir": preview.plan.workdir.root,
        "steps": [
            {
                "step": preview.plan.steps[0],
                "offline": preview.fetch is None,
                "mirror": release.mirror.url,
                "fetch": [
                    {"path": each.path, "bytes": each.length} for each in preview.fetch or ()
                ],
                "bytes_to_fetch": preview.bytes_to_fetch,
                "delete": preview.delete,
                "parts_to_fetch": None
                if preview.to_fetch is None
                else {
                    "count": len(preview.to_fetch),
                    "bytes": sum(part.length for part in preview.to_fetch),
                },
            },
            {
                "step": "rewrite",
                "jigdo": preview.jigdo,
                "stage": preview.plan.stage.value,
                "changes": [
                    {"label": each.label, "old": each.old, "new": each.new, "line": each.line}
                    for each in preview.servers
                ],
            },
            {
                "step": "assemble",
                "image": preview.image,
                "image_there": preview.image_there,
                "bytes": preview.image_size,
                "bytes_exact": preview.image_size_is_exact,
            },
            {"step": "verify"},
        ],
        "bytes_to_write": preview.bytes_to_write,
        "bytes_free": preview.free,
        "findings": [asdict(finding) for finding in preview.findings],
    }
