"""``init`` and ``validate``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_builder import api
from release_builder.cli.options import FILE, with_output
from release_builder.cli.show import print_document
from release_builder.errors import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.cli.options import Output


@click.command()
@click.option(
    "--product",
    metavar="NAME",
    help="Whose releases these are: smeserver, centos, or the path of a profile; default: as URL"
    " looks, or smeserver.",
)
@click.option("--mirror", metavar="URL", help="Write this mirror into it; nobody is asked.")
@click.option("--offline", is_flag=True, help="Ask no mirror: the words of URL must do.")
@click.argument("names", metavar="[URL] [FILE]", nargs=-1)
@with_output
def init(
    *,
    names: Sequence[str],
    product: str | None,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """Write a commented descriptor to FILE (default: release.yaml).

    URL is that of a release (its version, arches and mirror are filled in), or of a link to one
    or the folder that all releases lie below (what to follow is filled in). A folder on this
    machine will do.

    \b
    Example:
      release-builder init sme9.yaml
      release-builder init rsync://mir1.ovh.ca/smeserver/releases/testing/9.0beta3/ sme9.yaml
    """
    url, file = _url_and_file(names)
    if url and mirror:
        raise click.UsageError("Name the mirror once: as URL, or with --mirror.")
    if url:
        start = api.init_from(url, file, product, offline=offline)
        todo = f"{start.named} ({', '.join(start.arches)}) of {start.mirror}"
    else:
        api.init(file, product or "smeserver", mirror)
        todo = "fill in version, arch and mirror"
    if output.json:
        print_document("init", Status.DONE, {"file": file})
    elif not output.quiet:
        click.echo(f"{file}: {todo}; then: release-builder plan {file}")
    return Status.DONE


def _url_and_file(names: Sequence[str]) -> tuple[str, Path]:
    """What is a URL by its words, or a folder that is there; and the file."""
    is_url = ["://" in name or "::" in name or Path(name).is_dir() for name in names]
    if is_url not in ([], [True], [False], [True, False]):
        raise click.UsageError("Expected at most one URL or folder, and then at most one FILE.")
    url = names[0] if True in is_url else ""
    return url, Path(names[-1] if False in is_url else "release.yaml")


@click.command()
@click.option("--schema", is_flag=True, help="Print the JSON Schema that editors use.")
@click.option("--mirror", metavar="URL", help="Use this mirror in place of the descriptor's.")
@click.option("--offline", is_flag=True, help="No difference here: no mirror is asked.")
@click.argument("files", metavar="FILE...", nargs=-1, type=FILE)
@with_output
def validate(
    *, files: Sequence[Path], schema: bool, mirror: str | None, offline: bool, output: Output
) -> int:
    """Say all that is wrong in descriptors.

    Each complaint is ``file:line:column: key: what is wrong, and what to write instead``.

    \b
    Example:
      release-builder validate *.yaml
    """
    del offline
    if schema:
        click.echo(api.schema(), nl=False)
        return Status.DONE
    if not files:
        raise click.UsageError("Missing argument 'FILE...'.")
    complaints = {path: api.complaints(path, mirror) for path in files}
    status = Status.WRONG if any(complaints.values()) else Status.DONE
    if output.json:
        checked = [
            {"file": path, "complaints": [dataclasses.asdict(each) for each in found]}
            for path, found in complaints.items()
        ]
        print_document("validate", status, {"files": checked})
        return status
    for path, found in complaints.items():
        for complaint in found:
            click.echo(str(complaint), err=True)
        if not found and not output.quiet:
            click.echo(f"{path}: valid")
    return status
