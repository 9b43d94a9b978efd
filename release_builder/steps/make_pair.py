"""Pairs made from images and files, apart from any descriptor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.errors import (
    IncompleteError,
    SurroundingsError,
    WrongBytesError,
    printable,
)
from release_builder.extents import Kind
from release_builder.files import replacing
from release_builder.jigdo.compose import (
    ImageText,
    compose_jigdo,
    has_location,
    servers_of,
    used_labels,
)
from release_builder.jigdo.file_index import FileIndex
from release_builder.jigdo.input_files import InputFile, pick_labels
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.make_template import make_template as write_template
from release_builder.jigdo.match_content import ContentIndex, rate
from release_builder.jigdo.template_writer import GENERATOR, VERSIONS
from release_builder.media import MediaError, find_layout
from release_builder.monitor import Monitor
from release_builder.state.digest_cache import no_cache
from release_builder.steps.opened_image import opened_image
from release_builder.steps.outputs import check_outputs, without_image
from release_builder.steps.pair_options import MadePair, Match, PairOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from release_builder.digests import Digest
    from release_builder.extents import Extent
    from release_builder.jigdo.input_files import InputFiles
    from release_builder.jigdo.make_template import MadeTemplate
    from release_builder.jigdo.sources import DigestCache

NEEDED: Final = "see that this user can read it: the template would hold what should be a part"


def make_template(  # noqa: PLR0913 (each may be chosen apart from the others)
    image: Path | BinaryIO,
    inputs: InputFiles,
    template: Path,
    jigdo: Path,
    options: PairOptions,
    *,
    cache: DigestCache | None = None,
    monitor: Monitor | None = None,
    on_match: Callable[[int, InputFile, Digest], object] = lambda _offset, _file, _digest: None,
    force: bool = False,
) -> MadePair:
    """Make the pair of an image.

    Args:
        image: The image; a stream is copied first to where the template will be.
        inputs: The files that may be its parts.
        template: Where the template goes.
        jigdo: Where the .jigdo goes.
        options: How.
        cache: Digests known from before; without it files are read.
        monitor: Hears how far it is.
        on_match: Told of each match, in image order: its offset, its file, its digest.
        force: Replace what stands at ``template`` and ``jigdo``.

    Raises:
        SurroundingsError: ``template`` or ``jigdo`` is there already, or cannot be written; a file
            cannot be read and ``options`` demand them all.
        WrongBytesError: The image has no file system that can be read, though ``options`` demand
            it; the file to merge is none; a file's name cannot be written into a .jigdo.
        IncompleteError: The image became shorter meanwhile.
    """
    check_outputs(template, jigdo, image, force=force)
    if options.servers_section:  # what cannot be written is told before the image is read
        servers_of(pick_labels(inputs.roots), options.uris)
    name = image.name if isinstance(image, Path) else template.with_suffix(".iso").name
    files = tuple(file for file in inputs.files if file.size >= options.form.block_length)
    files = without_image(files, image, (template, jigdo))
    index = FileIndex(filter(has_location, files), options.form.algorithm, cache or no_cache())
    with (
        opened_image(image, template.parent) as stream,
        replacing(jigdo) as text,
        replacing(template) as out,  # the first to be there: nothing points to it yet
    ):
        made, problems = _write(stream, name, out, index, options, monitor or Monitor(), on_match)
        about = ImageText(
            name, template.name, made.digest, short_info=options.short_info, info=options.info
        )
        written = _jigdo_text(made, about, options)
        text.write(written)
        text.flush()
        os.fsync(text.fileno())  # whatever can fail does so before the template has its name
    unnamed = (file for file in files if not has_location(file))
    return MadePair(
        image=made.image,
        template_digest=made.digest,
        parts=len(made.parts),
        bytes_matched=made.bytes_matched,
        bytes_unmatched=made.bytes_unmatched,
        problems=(
            *(f"{printable(each.path)}: no .jigdo can name it: it is no part" for each in unnamed),
            *problems,
            *_warnings(made, inputs),
            *(_of_merged(written, made.digest) if options.merge and options.image_section else ()),
        ),
    )


def _write(  # noqa: PLR0913, PLR0917 (what make_template got, and made of it)
    stream: BinaryIO,
    name: str,
    out: BinaryIO,
    index: FileIndex[InputFile],
    options: PairOptions,
    monitor: Monitor,
    on_match: Callable[[int, InputFile, Digest], object],
) -> tuple[MadeTemplate[InputFile], tuple[str, ...]]:
    """Write the template; what came of it, and what the user should know."""
    extents, trouble = _extents(stream, options.match, index)
    content = None
    if options.match in {Match.CONTENT, Match.BOTH} or trouble:
        length = options.form.block_length
        content = ContentIndex(index.files(), length, greedy=options.greedy)
    what, total = _announcement(name, stream.seek(0, os.SEEK_END), content)
    before = _stamp(stream)
    monitor.begin(what, total)
    try:
        made = write_template(
            stream,
            out,
            index,
            extents,
            options.form,
            finder=content and _Finder(content, monitor.advance),
            on_bytes=monitor.advance,
            on_match=on_match,
        )
        monitor.progress(total)  # what lies in extents was not searched
    finally:
        monitor.end()
    if _stamp(stream) != before:
        raise IncompleteError(
            f"{printable(name)} changed while it was read",
            hint="run it again when nothing else writes the image",
        )
    unreadable = index.problems | (content.unreadable if content else {})
    if unreadable and options.demand_all:
        path, why = next(iter(unreadable.items()))
        raise SurroundingsError(f"{printable(path)}: {why}", hint=NEEDED)
    given_up = content.given_up if content else {}
    return made, (*([trouble] if trouble else ()), *_not_parts(unreadable, given_up))


def _stamp(stream: BinaryIO) -> tuple[int, int, int]:
    status = os.fstat(stream.fileno())
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _jigdo_text(made: MadeTemplate[InputFile], image: ImageText, options: PairOptions) -> bytes:
    roots = (file.root for file in made.parts.values())
    labels = pick_labels(roots, used_labels(options.merge))
    servers = {**servers_of(labels, options.uris), **options.servers}
    return compose_jigdo(
        generator=GENERATOR,
        version=VERSIONS[options.form.algorithm],
        image=image if options.image_section else None,
        servers=servers if options.servers_section else None,
        parts=((digest, file.location(labels)) for digest, file in made.parts.items()),
        merge=options.merge,
    )


def _extents(
    stream: BinaryIO, match: Match, index: FileIndex[InputFile]
) -> tuple[list[Extent], str]:
    """Where files may lie, and why the image's content must be looked through besides."""
    if match is Match.CONTENT:
        return [], ""
    extents: list[Extent] = []
    try:
        layout = find_layout(stream)
        if layout:
            for extent in layout.extents:
                if extent.kind is Kind.FILE and index.has_size(extent.length):
                    extents.append(extent)
            return extents, ""
        trouble = "the image has no file system that we can read"
    except MediaError as error:
        trouble = error.what
    if match is Match.EXTENTS:
        raise WrongBytesError(trouble, hint="look for the files by content: --match=content")
    return extents, f"{trouble}: its files are looked for by content"


def _announcement(name: str, size: int, content: ContentIndex[InputFile] | None) -> tuple[str, int]:
    """What a progress bar is called, and how many bytes it has."""
    if not content:
        return f"read {name}", size
    seconds = size / rate()
    return f"look for files in {name} by content, about {_duration(seconds)}", 2 * size


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _not_parts(unreadable: Mapping[str, str], given_up: Mapping[str, str]) -> Iterator[str]:
    for path, why in unreadable.items():
        yield f"{printable(path)}: {why}: it is no part"
    for path, why in given_up.items():
        yield f"{printable(path)} is no part: {why}"


def _warnings(made: MadeTemplate[InputFile], inputs: InputFiles) -> Iterator[str]:
    if inputs.files and not made.parts and not made.bytes_spared:
        yield f"none of the {len(inputs.files):,} files is in the image: the template has all of it"
    if made.bytes_spared:
        yield (
            f"files cover the whole image: one of {made.bytes_spared:,} bytes goes into the template,"
            " for jigdo-file 0.8 could not rebuild it otherwise"
        )
    if not made.image.length:
        yield "the image is empty: jigdo-file refuses its template"
    elif not made.bytes_unmatched:
        yield (
            "files cover the whole image, and the smallest is too large to be put into the"
            " template: jigdo-file 0.8 crashes on that; release-builder and jigit do not"
        )


def _of_merged(jigdo: bytes, template: Digest) -> Iterator[str]:
    first = parse_jigdo(jigdo, "the .jigdo file", 1).image
    if template not in first.template_digests:
        yield (
            f"the [Image] of what was merged stands first: programs will make"
            f" {printable(first.filename) or 'that image'}, not this one"
        )


class _Finder:
    """A ContentIndex, as make_template asks for it."""

    def __init__(self, content: ContentIndex[InputFile], on_bytes: Callable[[int], object]) -> None:
        self._content = content
        self._on_bytes = on_bytes

    def find(self, image: BinaryIO, begin: int, end: int, /) -> Iterator[tuple[int, InputFile]]:
        """See Finder."""
        for match in self._content.find(image, begin, end, self._on_bytes):
            yield match.offset, match.file
