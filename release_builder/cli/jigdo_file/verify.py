"""``verify``: an image against its template, and where it differs."""

from __future__ import annotations

import itertools
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.cli.jigdo_file.piped import seekable
from release_builder.cli.jigdo_file.values import deduced
from release_builder.digests import BLOCK, Digest, digest_stream, hasher
from release_builder.errors import ReleaseBuilderError, Status
from release_builder.files import open_regular
from release_builder.jigdo.entries import MatchedFile, Run, TemplateError
from release_builder.jigdo.location import read_jigdo
from release_builder.jigdo.template import read_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_builder.cli.jigdo_file.options import Options
    from release_builder.cli.jigdo_file.screen import Screen
    from release_builder.digests import Readable
    from release_builder.jigdo.template import Template

_SHOWN: Final = 10  # differences; more tell nobody more


@dataclass(frozen=True, slots=True)
class _Difference:
    """A run of the image that is not what it should be."""

    offset: int  # bytes
    run: Run


def run(options: Options, screen: Screen) -> Status:
    """Read the image whole and hold it against the template."""
    with seekable(options.template) as template_path, open_regular(template_path) as stream:
        template = read_template(stream, options.template)
        if options.image == "-":
            return _compared("the image on stdin", sys.stdin.buffer, template, screen, None)
        with open_regular(options.image) as image:
            length = os.fstat(image.fileno()).st_size
            status = _compared(options.image, image, template, screen, length)
            if status:
                _explain(image, template, options, screen)
            return status


def _compared(
    name: str, image: Readable, template: Template, screen: Screen, length: int | None
) -> Status:
    """Hold the digest against the template's; ``length`` is the image's, if it is known."""
    wanted = template.description.image
    algorithm = wanted.digest.algorithm
    screen.begin(f"reading {name}", wanted.length)
    found = digest_stream(image, [algorithm], screen.advance)[algorithm]
    screen.end()
    if found == wanted.digest and length in {None, wanted.length}:
        screen.say(f"{name} is right: its {found} is the template's")
        if algorithm == "md5":
            screen.say("(MD5 shows damage, not forgery: against that compare a signed digest)")
        return Status.DONE
    if found != wanted.digest:
        screen.complain(
            f"{name} is wrong: it has {found}\n{' ' * len(name)} should have {wanted.digest}"
        )
    return Status.WRONG


def _explain(image: BinaryIO, template: Template, options: Options, screen: Screen) -> None:
    """Say where the image differs, and which parts lie there."""
    size, wanted = image.seek(0, os.SEEK_END), template.description.image.length
    if size != wanted:
        screen.complain(f"{options.image} has {size:,} bytes, it should have {wanted:,}")
        if size < wanted // 2:
            return  # all that is behind its end differs: no news
    locations = _locations(options)
    screen.begin("looking for what is wrong", wanted)
    found = _differences(image, template, screen)
    with suppress(TemplateError):  # a broken end of the template's data tells no more
        for difference in itertools.islice(found, _SHOWN):
            screen.complain(_told(difference, locations))
        if more := sum(1 for _ in found):
            screen.complain(f"and {more:,} more such places")
    screen.end()


def _differences(image: BinaryIO, template: Template, screen: Screen) -> Iterator[_Difference]:
    image.seek(0)
    unmatched = template.unmatched()
    offset = 0
    for each in template.description.runs:
        if isinstance(each, MatchedFile):
            same = _digest(image, each) == each.digest
        else:
            same = _equal(image, unmatched, each.length)
        if not same:
            yield _Difference(offset, each)
        offset += each.length
        image.seek(offset)
        screen.advance(each.length)


def _digest(image: BinaryIO, part: MatchedFile) -> Digest:
    own, left = hasher(part.digest.algorithm), part.length
    while left and (block := image.read(min(left, BLOCK))):
        own.update(block)
        left -= len(block)
    return Digest(part.digest.algorithm, own.digest())


def _equal(image: BinaryIO, data: Readable, length: int) -> bool:
    """Whether both have the same next ``length`` bytes; ``data`` is read so far in any case."""
    same = True
    while length:
        block = data.read(min(length, BLOCK))
        if not block:
            return False
        same = same and _read_exactly(image, len(block)) == block
        length -= len(block)
    return same


def _read_exactly(image: BinaryIO, count: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < count and (piece := image.read(count - len(pieces))):
        pieces += piece
    return bytes(pieces)


def _told(difference: _Difference, locations: Mapping[Digest, tuple[str, ...]]) -> str:
    place = f"wrong: {difference.run.length:,} bytes from {difference.offset:,} on"
    if not isinstance(difference.run, MatchedFile):
        return f"{place}, which the template holds itself"
    digest = difference.run.digest
    return f"{place}, which should be {(*locations.get(digest, ()), digest.jigdo)[0]}"


def _locations(options: Options) -> Mapping[Digest, tuple[str, ...]]:
    """The names of the parts, if there is a .jigdo file beside image or template to tell them."""
    for name in (options.jigdo, deduced("", "", options.template)[1]):
        with suppress(OSError, ReleaseBuilderError):
            return read_jigdo(Path(name)).parts
    return {}
