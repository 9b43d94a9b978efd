"""An unfinished image filled from its sources, and held against its template."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from release_builder.errors import WrongBytesError
from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.make_image import make_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.jigdo.far_parts import FarSource
    from release_builder.jigdo.image_result import Image
    from release_builder.jigdo.sources import PartSource
    from release_builder.jigdo.template import Template
    from release_builder.monitor import Monitor


@dataclass(frozen=True, slots=True)
class Filling:
    """Where an image's parts come from.

    Attributes:
        sources: What is at hand, in order.
        far: Asked for what those lack; None if nobody is.
        proven_as_one: Whether the parts need no digests of their own; see make_image.
    """

    sources: Sequence[PartSource]
    far: FarSource | None = None
    proven_as_one: bool = False


def filled_image(
    template: Template,
    out: BinaryIO,
    filling: Filling,
    trusted: frozenset[int],
    monitor: Monitor,
) -> Image:
    """What came of writing the image to ``out``; if it is whole, it is right.

    Args:
        template: The image's template.
        out: An unfinished image.
        filling: Where parts come from.
        trusted: Runs that it says are in their place; see make_image.
        monitor: Hears how far it is; told of the begin and the end by the caller.

    Raises:
        WrongBytesError: Every part is right, but the image is not.
        OSError: ``out`` cannot be written.
    """
    wanted = template.description.image
    algorithm = wanted.digest.algorithm
    wanted_parts = sum(isinstance(run, MatchedFile) for run in template.description.runs)

    def on_part(count: int) -> None:
        monitor.note(f"{count:,} of {wanted_parts:,} parts")

    fill = partial(
        make_image, template, out, filling.sources, [algorithm], far=filling.far, on_part=on_part
    )
    as_one = filling.proven_as_one
    image = fill(monitor.advance, trusted=trusted, proven_as_one=as_one)
    found = image.digests.get(algorithm)
    if found != wanted.digest and (as_one or (trusted and found)):
        # Some part is not in its place, or not what it seemed.
        monitor.note("once more, part by part")
        image = fill()
        found = image.digests.get(algorithm)
    if found not in {None, wanted.digest}:
        raise WrongBytesError(
            f"{template.name}: every part is right, but the image has {found},"
            f" not the template's {wanted.digest}",
            hint="the template itself is wrong: fetch it again, or tell who made it",
        )
    return image
