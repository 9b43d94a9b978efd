"""The one writer of images: from a template and its sources of parts, in image order."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, BinaryIO

from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.far_parts import FarParts
from release_builder.jigdo.image_maker import ImageMaker
from release_builder.jigdo.image_writer import ImageWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from release_builder.jigdo.far_parts import FarSource
    from release_builder.jigdo.image_result import Image
    from release_builder.jigdo.sources import PartSource
    from release_builder.jigdo.template import Template


def make_image(  # noqa: PLR0913 (each may be chosen apart from the others)
    template: Template,
    out: BinaryIO,
    sources: Sequence[PartSource],
    algorithms: Iterable[str],
    on_bytes: Callable[[int], object] = lambda _count: None,
    *,
    trusted: Collection[int] = (),
    far: FarSource | None = None,
    proven_as_one: bool = False,
    on_part: Callable[[int], object] = lambda _count: None,
    believing: bool = True,
) -> Image:
    """Write the image that ``template`` describes as far as ``sources`` have its parts.

    A part whose digest a source knows from before is not hashed again: the image's digest proves
    it. If that is wrong, all is read once more.

    Args:
        template: The template.
        out: A file that can be read and written at any place; may hold an unfinished image of
            the same template. It becomes as long as the image; what lies behind that stays.
        sources: Where parts are looked for, in this order.
        algorithms: Those for which the image's digest is wanted.
        on_bytes: Told how many bytes of the image are done with, found or not.
        trusted: Numbers of runs, from 0, that are in their place by the word of who wrote them:
            not read unless the image is whole. If there are any, so is all unmatched data, and
            the template's is left unread.
        far: Asked for the parts that no source has.
        proven_as_one: Parts at hand are taken without a digest of their own. If the image has the
            template's digest, they all were right; if not, or if some are missing, nothing is
            known of any.
        on_part: Told how many runs are parts in their place, each time that there is one more.
        believing: Whether what a source knows from before counts.

    Raises:
        TemplateError: The template's data, if it is read, does not fit its description.
        OSError: ``out`` cannot be written. What is in it helps the next try.
    """
    wanted, algorithms = template.description.image, tuple(algorithms)
    length = wanted.length
    if out.seek(0, os.SEEK_END) < length:
        out.truncate(length)
    writer = ImageWriter(out, length, algorithms)
    telling = threading.Lock()

    def tell(count: int) -> None:
        with telling:  # parts come by many threads
            on_bytes(count)

    far_parts = FarParts(far, out, tell) if far else None
    with ImageMaker(template, out, sources, writer, far_parts, tell) as maker:
        maker.digests_parts = not proven_as_one
        maker.believes = believing
        maker.on_part = on_part
        for number, run in enumerate(template.description.runs):
            if isinstance(run, MatchedFile) and number not in trusted:
                maker.part(run)
            elif trusted:
                maker.trust(run)
            else:
                maker.unmatched(run.length)
        if not trusted:
            maker.finish_unmatched()
        image = maker.finish()
    told = image.digests.get(wanted.digest.algorithm)
    if told in {None, wanted.digest} or not maker.believed or proven_as_one:
        return image
    return make_image(template, out, sources, algorithms, far=far, on_part=on_part, believing=False)
