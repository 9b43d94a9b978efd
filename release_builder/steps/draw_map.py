"""Pictures of images."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError, WrongBytesError, printable
from release_builder.files import open_regular, replacing
from release_builder.jigdo.image_map import map_image
from release_builder.jigdo.location import read_jigdo
from release_builder.jigdo.map_layout import map_picture
from release_builder.jigdo.template import read_template
from release_builder.media import MediaError, find_layout
from release_builder.pages import render
from release_builder.steps.outputs import check_replaceable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.extents import Extent
    from release_builder.jigdo.template import Template


def draw_map(  # noqa: PLR0913 (each may be chosen apart from the others)
    image: Path | None,
    template: Path,
    jigdo: Path | None,
    svg: Path,
    *,
    name: str = "",
    force: bool = False,
) -> tuple[str, ...]:
    """Draw which bytes of an image come from which part, which from the template, and why.

    Args:
        image: The image; without it the picture cannot tell why bytes are in the template.
        template: Its template.
        jigdo: Its .jigdo, for the names of the parts; None for names from the image alone.
        svg: Where the picture goes.
        name: What the picture calls the image; by default as the file is called.
        force: Replace what stands there.

    Returns:
        What the user should know, a sentence each.

    Raises:
        TemplateError: ``template`` is none.
        JigdoError: ``jigdo`` is none.
        WrongBytesError: ``image`` is not as long as that of the template.
        SurroundingsError: ``svg`` is there already.
    """
    if os.path.realpath(svg) in {
        os.path.realpath(path) for path in (image, template, jigdo) if path
    }:
        raise DescriptorError(f"{printable(str(svg))} is to be read and to be replaced")
    check_replaceable(svg, force=force)
    with open_regular(template) as stream:
        packed = os.fstat(stream.fileno()).st_size
        read = read_template(stream, str(template))
    extents, problems = _extents(image, read) if image else ([], ())
    stretches = map_image(read.description, _parts(jigdo) if jigdo else {}, extents)
    title = name or (image.name if image else template.stem)
    picture = map_picture(stretches, title, packed)
    with replacing(svg) as out:
        out.write(render("image-map.svg.j2", **picture).encode())
    return problems


def _parts(jigdo: Path) -> Mapping[Digest, tuple[str, ...]]:
    return read_jigdo(jigdo).parts


def _extents(image: Path, template: Template) -> tuple[list[Extent], tuple[str, ...]]:
    """What the image's file system tells, as far as it can be read."""
    wanted = template.description.image.length
    extents: list[Extent] = []
    with open_regular(image) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size != wanted:
            raise WrongBytesError(
                f"{printable(str(image))} has {size:,} bytes, but {template.name} is of an image"
                f" of {wanted:,}",
                hint="name the template that was made with this image: -t FILE",
            )
        try:
            layout = find_layout(stream)
            if layout is None:
                return [], (f"{printable(image.name)} has no file system that we can read",)
            for extent in layout.extents:
                extents.append(extent)  # those before an error count
        except MediaError as error:
            return extents, (f"{error.what}: what lies behind is not told",)
    return extents, ()
