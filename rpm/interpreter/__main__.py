"""``python -m rpm.interpreter``: build an interpreter, and print where it stands."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from release_builder.errors import ReleaseBuilderError, Status
from rpm.interpreter import built, reproduced
from rpm.interpreter.work import ARCHES


@click.command()
@click.option("--arch", type=click.Choice(list(ARCHES)), required=True, help="The processor.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where builds are kept; default $RELEASE_BUILDER_CACHE, else ~/.cache/release-builder.",
)
@click.option("--reproduce", is_flag=True, help="Build once more elsewhere, and compare.")
def main(arch: str, cache: Path | None, *, reproduce: bool) -> None:
    """Build the static interpreter for an arch unless it is there, and print its folder."""
    try:
        place = built(arch, cache, _say)
        if reproduce:
            differing = reproduced(arch, place, _say)
            for name in differing:
                _say(f"{arch}: {name} differs between two builds")
            if differing:
                sys.exit(Status.WRONG)
            _say(f"{arch}: two builds, same bytes")
    except ReleaseBuilderError as error:
        _say(f"error: {error}")
        sys.exit(error.status)
    click.echo(place)


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
