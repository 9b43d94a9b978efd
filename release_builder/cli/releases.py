"""``releases``: what a mirror has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from release_builder import api
from release_builder.cli.options import with_output
from release_builder.cli.show import print_document
from release_builder.errors import Status, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from release_builder.api.tracking import Available
    from release_builder.cli.options import Output
    from release_builder.upstream.survey import Found

_HEADINGS: Final = ("VERSION", "STAGE", "ARCHES", "FOLDER", "STATE", "LINKS")


@click.command()
@click.argument("place", metavar="MIRROR", required=False)
@click.option("--product", help="Whose releases; default: whose it looks like.")
@click.option("--mirror", metavar="URL", help="The same as MIRROR.")
@click.option("--offline", is_flag=True, help="Refused, but for a local folder.")
@with_output
def releases(
    *,
    place: str | None,
    product: str | None,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """List the releases that a mirror has, the oldest first, and what they lack.

    MIRROR is the folder that all releases lie below: a URL of rsync or http, or a local folder.
    A web server does not show where its links lead to.

    \b
    Example:
      release-builder releases rsync://mir1.ovh.ca/smeserver/releases/
    """
    if not place and not mirror:
        raise click.UsageError("Name a mirror.")
    if place and mirror:
        raise click.UsageError("Name the mirror once: as MIRROR, or with --mirror.")
    mirror = place or mirror or ""
    if offline and ("://" in mirror or "::" in mirror) and not mirror.startswith("file:"):
        raise click.UsageError("--offline: a mirror cannot be listed without asking it.")
    found = api.available(mirror, product)
    if output.json:
        print_document("releases", Status.DONE, _document(found))
        return Status.DONE
    rows = [_HEADINGS, *map(_row, found.survey.releases)]
    for line in _lines(rows):
        click.echo(line)
    if unknown := sorted(link for link, target in found.survey.links.items() if not target):
        click.echo(f"links that do not show where they lead to: {_listed(unknown)}")
    return Status.DONE


def _row(release: Found) -> tuple[str, ...]:
    missing = release.missing(release.arches)
    state = "complete" if release.is_complete(release.arches) else f"lacks {_listed(missing)}"
    return (
        release.version.text,
        release.stage.value,
        _listed(release.arches) or "-",
        f"{release.folder}/",
        state if release.arches else "empty",
        _listed(release.links) or "-",
    )


def _lines(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield printable("  ".join(cells).rstrip())


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _document(found: Available) -> dict[str, object]:
    return {
        "product": found.product,
        "mirror": found.root,
        "releases": [
            {
                "version": release.version.text,
                "stage": release.stage.value,
                "folder": f"{release.folder}/",
                "complete": release.is_complete(release.arches),
                "arches": {
                    arch: {"complete": not lacks, "lacks": list(lacks)}
                    for arch, lacks in release.lacks.items()
                },
                "links": list(release.links),
            }
            for release in found.survey.releases
        ],
        "links": [
            {"link": link, "folder": f"{target}/" if target else None}
            for link, target in sorted(found.survey.links.items())
        ],
    }
