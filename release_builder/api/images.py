"""Images rebuilt from templates and files, apart from any descriptor."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from release_builder.api.filled_image import Filling, filled_image
from release_builder.api.unfinished_image import begun, check_room, end, found_runs, put_in_place
from release_builder.digests import BLOCK
from release_builder.errors import DescriptorError, SurroundingsError, printable
from release_builder.files import open_regular, write_all
from release_builder.jigdo.scanned_files import ScannedFiles
from release_builder.jigdo.sources import digest_of_file
from release_builder.jigdo.template import read_template
from release_builder.monitor import Monitor
from release_builder.state.digest_cache import no_cache
from release_builder.steps.outputs import check_replaceable, without_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.jigdo.entries import Description, MatchedFile
    from release_builder.jigdo.image_result import Image, WrongPart
    from release_builder.jigdo.input_files import InputFiles
    from release_builder.jigdo.sources import DigestCache


@dataclass(frozen=True, slots=True)
class MadeImage:
    """What came of rebuilding an image.

    Attributes:
        complete: Whether it stands under its name, its digest verified.
        was_there: Whether it stood there before.
        found: How many runs of it are parts that are in their place.
        wanted: How many runs of it are parts.
        missing: Parts that no file has, each once, in image order.
        wrong: Files that were not what they seemed.
        unreadable: Files that could not be read, and why.
        unfinished: Where that lies which is not complete; None if there is nothing.
    """

    complete: bool
    was_there: bool
    found: int
    wanted: int
    missing: tuple[MatchedFile, ...]
    wrong: tuple[WrongPart, ...]
    unfinished: Path | None
    unreadable: tuple[tuple[str, str], ...] = ()


def make_image(  # noqa: PLR0913 (each may be chosen apart from the others)
    template: Path,
    image: Path,
    inputs: InputFiles,
    *,
    cache: DigestCache | None = None,
    monitor: Monitor | None = None,
    force: bool = False,
) -> MadeImage:
    """Rebuild an image, or go on with it; what is incomplete is ``IMAGE.tmp``, as jigdo-file's.

    Args:
        template: Its template.
        image: Where it goes. If it is there already and right, nothing is done.
        inputs: The files that may be its parts.
        cache: Digests known from before; without it files are read.
        monitor: Hears how far it is.
        force: Replace another file that stands at ``image``, or an unfinished image of another
            template.

    Raises:
        TemplateError: ``template`` is none, or its data is broken.
        WrongBytesError: The image has not the digest that the template tells, though every part
            is right.
        BusyError: Another process makes it.
        SurroundingsError: Something else is at ``image``; there is no room; it cannot be written.
        OSError: What stands at ``image`` cannot be read.
    """
    as_one = cache is None
    cache = cache or no_cache()
    with open_regular(template) as stream:
        read = read_template(stream, str(template))
        description = read.description
        if os.path.lexists(image):
            if not force and _is_right(image, description, cache):
                return _made(description, None, was_there=True)
            if not force:
                raise _in_the_way(image)
            check_replaceable(image, force=force)
            without_image(inputs.files, template, (image,))
            if os.path.realpath(image) == os.path.realpath(template):
                raise DescriptorError(f"{printable(str(image))} is the template itself")
        files = _source(inputs, description, cache)
        partial = image.with_name(f"{image.name}.tmp")
        if not os.path.lexists(partial) and not _has_any(files, description):
            return _made(description, None, files)
        with begun(partial, description, force=force) as (out, written):
            as_one = as_one and not written and _has_all(files, description)
            with _told(monitor or Monitor(), description) as told:
                filling = Filling([files], proven_as_one=as_one)
                made = filled_image(read, out, filling, written, told)
            end(out, description, made.missing)
            if made.missing:
                return _made(description, made, files, unfinished=partial)
            if not force and os.path.lexists(image):
                raise _in_the_way(image)
            put_in_place(out, partial, image, description.image.digest)
            cache.put(os.fstat(out.fileno()), description.image.digest)
    return _made(description, made, files)


def write_image(
    template: Path,
    out: BinaryIO,
    inputs: InputFiles,
    *,
    cache: DigestCache | None = None,
    monitor: Monitor | None = None,
) -> MadeImage:
    """Rebuild an image and write it to a stream; all of it and right, or nothing.

    It is made in a file without name in the folder for temporary files.

    Raises:
        TemplateError: As make_image.
        WrongBytesError: As make_image.
        OSError: There is no room; ``out`` cannot be written.
    """
    with open_regular(template) as stream, _nameless() as copy:
        read = read_template(stream, str(template))
        check_room(Path(tempfile.gettempdir()), read.description.image.length)
        files = _source(inputs, read.description, cache or no_cache())
        with _told(monitor or Monitor(), read.description) as told:
            made = filled_image(read, copy, Filling([files]), frozenset(), told)
        if not made.missing:
            copy.seek(0)
            try:
                while block := copy.read(BLOCK):
                    write_all(out, block)
            except OSError as error:
                error.filename = getattr(out, "name", "the output")
                raise
    return _made(read.description, made, files)


@contextmanager
def _nameless() -> Iterator[BinaryIO]:
    folder = tempfile.gettempdir()
    with tempfile.TemporaryFile(buffering=0, dir=folder) as copy:
        try:
            yield copy
        except OSError as error:
            error.filename = error.filename or folder
            raise


@contextmanager
def _told(monitor: Monitor, description: Description) -> Iterator[Monitor]:
    monitor.begin("make the image", description.image.length)
    try:
        yield monitor
    finally:
        monitor.end()


def _made(
    description: Description,
    image: Image | None,
    files: ScannedFiles | None = None,
    *,
    was_there: bool = False,
    unfinished: Path | None = None,
) -> MadeImage:
    missing = image.missing if image else () if was_there else description.parts
    return MadeImage(
        complete=not missing,
        was_there=was_there,
        found=len(found_runs(description, missing)),
        wanted=len(found_runs(description, ())),
        missing=missing,
        wrong=image.wrong if image else (),
        unfinished=unfinished,
        unreadable=tuple(files.problems.items()) if files else (),
    )


def _in_the_way(image: Path) -> SurroundingsError:
    return SurroundingsError(
        f"{printable(str(image))} is there already, and not the image of this template",
        hint="delete it, name another file, or say --force",
    )


def _source(inputs: InputFiles, description: Description, cache: DigestCache) -> ScannedFiles:
    return ScannedFiles(
        inputs.files,
        (part.length for part in description.parts),
        description.image.sum_length,
        cache,
    )


def _has_any(files: ScannedFiles, description: Description) -> bool:
    """Whether it is worth while to begin."""
    parts = description.parts
    return not parts or any(files.find(part) for part in parts)


def _has_all(files: ScannedFiles, description: Description) -> bool:
    """Whether every part may be there: a glance, for the image is begun the sooner."""
    return all(map(files.may_have, description.parts))


def _is_right(path: Path, description: Description, cache: DigestCache) -> bool:
    image = description.image
    if not path.is_file() or path.stat().st_size != image.length:
        return False
    return digest_of_file(str(path), image.digest.algorithm, cache) == image.digest
