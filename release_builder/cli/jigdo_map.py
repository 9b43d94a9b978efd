"""``jigdo map``: a picture of an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from release_builder import api
from release_builder.cli.failure import print_problem
from release_builder.cli.jigdo_file.values import deduced
from release_builder.cli.options import with_output
from release_builder.cli.show import print_document
from release_builder.errors import DescriptorError, Status, printable

if TYPE_CHECKING:
    from release_builder.cli.options import Output


@click.command("map")
@click.argument("image", type=click.Path())
@click.argument("svg", type=click.Path(path_type=Path))
@click.option(
    "-t",
    "--template",
    default="",
    metavar="FILE",
    help="The image's template; default: IMAGE's name with .template.",
)
@click.option(
    "-j",
    "--jigdo",
    "jigdo_name",
    default="",
    metavar="FILE",
    help="The .jigdo file that names the files.",
)
@click.option("-f", "--force", is_flag=True, help="Replace SVG if it is there.")
@click.option("--mirror", metavar="URL", help="No difference here: no mirror is asked.")
@click.option("--offline", is_flag=True, help="No difference here: no mirror is asked.")
@with_output
def draw(  # noqa: PLR0913 (one argument an option)
    *,
    image: str,
    svg: Path,
    template: str,
    jigdo_name: str,
    force: bool,
    mirror: str | None,
    offline: bool,
    output: Output,
) -> int:
    """Draw which bytes of an image come from where.

    Without IMAGE there, its template alone is drawn: why bytes are in it is not told.

    \b
    Example:
      release-builder jigdo map cd.iso cd.svg
    """
    del mirror, offline
    if image == "-":
        raise DescriptorError("IMAGE must be a file: a map looks all over it", hint="name one")
    if str(svg) == "-":
        raise DescriptorError("SVG must be a file", hint="name one, such as cd.svg")
    _, named, template = deduced(image, jigdo_name, template)
    has_jigdo = bool(jigdo_name) or Path(named).exists()
    has_image = Path(image).exists()
    problems = api.draw_map(
        Path(image) if has_image else None,
        Path(template),
        Path(named) if has_jigdo else None,
        svg,
        force=force,
    )
    if not has_image:
        problems = (*problems, f"there is no {image}: why bytes are in the template is not told")
    if output.json:
        print_document("map", Status.DONE, {"svg": svg, "problems": problems})
        return Status.DONE
    for problem in problems:
        print_problem("warning", problem)
    if not output.quiet:
        drawn = image if has_image else template
        click.echo(printable(f"{svg}: a picture of {drawn}; any web browser shows it"))
    return Status.DONE
