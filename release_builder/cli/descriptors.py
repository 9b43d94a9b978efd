"""``init`` and ``validate``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_builder import api
from release_builder.cli.options import with_output
from release_builder.cli.show import print_document
from release_builder.errors import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.cli.options import Output


@click.command()
@click.option("--product", default="smeserver", show_default=True, help="Whose releases.")
@click.option("--mirror", metavar="URL", help="Write this mirror into it.")
@click.option("--offline", is_flag=True, help="No difference here: no mirror is asked.")
@click.argument("file", metavar="[FILE]", default="release.yaml", type=click.Path(path_type=Path))
@with_output
def init(*, file: Path, product: str, mirror: str | None, offline: bool, output: Output) -> int:
    """Write a commented descriptor, to be filled in.

    \b
    Example:
      release-builder init sme9.yaml
    """
    del offline
    api.init(file, product, mirror)
    if output.json:
        print_document("init", Status.DONE, {"file": file})
    elif not output.quiet:
        click.echo(f"{file}: fill in version, arch and mirror; then: release-builder plan {file}")
    return Status.DONE


@click.command()
@click.option("--schema", is_flag=True, help="Print the JSON Schema that editors use.")
@click.option("--mirror", metavar="URL", help="Use this mirror in place of the descriptor's.")
@click.option("--offline", is_flag=True, help="No difference here: no mirror is asked.")
@click.argument("files", metavar="FILE...", nargs=-1, type=click.Path(path_type=Path))
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
