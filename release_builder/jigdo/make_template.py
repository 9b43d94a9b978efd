"""An image taken apart: what equals a file becomes a part, the rest goes into the template.

The image is read once, from its first byte to its last, and each file beside its place in it.
While the bytes of both are compared, one lane hashes the image and another the parts.
"""

from __future__ import annotations

import itertools
import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Generic, Protocol, TypeVar

from release_builder.digests import BLOCK, Digest, hasher
from release_builder.extents import Extent, Kind
from release_builder.files import open_regular
from release_builder.jigdo.entries import ImageInfo, format_entries
from release_builder.jigdo.file_index import AnyFile, File, FileIndex
from release_builder.jigdo.image_reader import ImageReader
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.run_list import Match, RunList
from release_builder.jigdo.template_writer import TemplateWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from io import FileIO
    from typing import Self

    from release_builder.jigdo.form import Form

FoundFile_co = TypeVar("FoundFile_co", bound=File, covariant=True)
_SPARED: Final = 1 << 20  # bytes
_PATIENCE: Final = 4  # times as many bytes as the image has
_MORE_PATIENCE: Final = 64 << 20  # bytes


class Finder(Protocol[FoundFile_co]):
    """Finds files in a stretch of an image."""

    def find(self, image: BinaryIO, begin: int, end: int, /) -> Iterator[tuple[int, FoundFile_co]]:
        """Offset and file of each match in ``begin`` to ``end``, in order, none overlapping."""


@dataclass(frozen=True, slots=True)
class MadeTemplate(Generic[AnyFile]):
    """What came of an image.

    Attributes:
        image: The image.
        digest: Of the template.
        parts: A file for each content, in image order.
        bytes_matched: Of the image that are in parts.
        bytes_unmatched: Of the image that are in the template.
        bytes_spared: Of them, those of a part that went there so that jigdo-file can rebuild it.
    """

    image: ImageInfo
    digest: Digest
    parts: Mapping[Digest, AnyFile]
    bytes_matched: int
    bytes_unmatched: int
    bytes_spared: int


def make_template(  # noqa: PLR0913 (each may be chosen apart from the others)
    image: BinaryIO,
    out: BinaryIO,
    index: FileIndex[AnyFile],
    extents: Iterable[Extent],
    form: Form,
    *,
    finder: Finder[AnyFile] | None = None,
    on_bytes: Callable[[int], object] = lambda _count: None,
    on_match: Callable[[int, AnyFile, Digest], object] = lambda _offset, _file, _digest: None,
) -> MadeTemplate[AnyFile]:
    """Write the template of ``image``.

    Args:
        image: Seekable; read from its first byte to its last.
        out: Where the template goes; written in order.
        index: The files that may be parts; its algorithm is the form's. Learns what could not
            be read.
        extents: Where files lie in the image, in any order; what they say is tried, not believed.
            Those of a hostile image overlap: when more than four times its size and 64 MiB were
            compared or hashed in vain, the rest of them is passed over.
        form: How the template is written.
        finder: Looks through what the extents leave over; None for nobody.
        on_bytes: Told how many bytes of the image were read.
        on_match: Told of each match, in image order: its offset, its file, its digest; also of one
            that goes into the template at last.

    jigdo-file 0.8 crashes on a template without any unmatched byte. So when parts cover the whole
    image, the smallest goes into the template instead, unless it is larger than 1 MiB.

    Raises:
        IncompleteError: The image became shorter meanwhile.
        OSError: The image cannot be read or the template not be written.

    Cost: memory for the files, the extents, and about 50 bytes a match.
    """
    with _Maker(image, out, index, form, finder, on_bytes, on_match) as maker:
        position = 0
        possible = _of_files(extents, index, form.block_length, maker.image_size)
        for (offset, _), names in itertools.groupby(possible, key=_place):
            if offset >= position:
                maker.unmatched(position, offset)
                position = offset
                position += maker.part(list(names))
        maker.unmatched(position, maker.image_size)
        return maker.finish()


def _of_files(
    extents: Iterable[Extent], index: FileIndex[AnyFile], shortest: int, size: int
) -> list[Extent]:
    """Those that may hold one of the files, in image order."""
    possible = (
        extent
        for extent in extents
        if extent.kind is Kind.FILE
        and extent.length >= shortest
        and index.has_size(extent.length)
        and extent.offset + extent.length <= size
    )
    return sorted(possible, key=_place)


def _place(extent: Extent) -> tuple[int, int]:
    return extent.offset, -extent.length


class _Maker(Generic[AnyFile]):
    """Takes the image's stretches in order."""

    def __init__(  # noqa: PLR0913, PLR0917 (what make_template got)
        self,
        image: BinaryIO,
        out: BinaryIO,
        index: FileIndex[AnyFile],
        form: Form,
        finder: Finder[AnyFile] | None,
        on_bytes: Callable[[int], object],
        on_match: Callable[[int, AnyFile, Digest], object],
    ) -> None:
        self._image = image
        self._index = index
        self._form = form
        self._finder = finder
        self._on_match = on_match
        self._reader = ImageReader(image, form.algorithm, on_bytes)
        self._template = TemplateWriter(out, form.algorithm, form.compression, form.level)
        self._runs = RunList[AnyFile](form.algorithm, self._matched)
        self._beside = memoryview(bytearray(BLOCK))  # what a file has where the image has a block
        self._threads = ExitStack()
        self._patience = _PATIENCE * self._reader.size + _MORE_PATIENCE  # bytes

    def __enter__(self) -> Self:
        for each in (self._reader, self._template, self._runs):
            self._threads.enter_context(each)
        return self

    def __exit__(self, *error: object) -> None:
        self._threads.close()

    @property
    def image_size(self) -> int:
        return self._reader.size

    def part(self, names: Sequence[Extent]) -> int:
        """How many of the next bytes are a file that ``names`` tell; they are taken.

        Args:
            names: Extents of one place and length, at least one.
        """
        offset, length = names[0].offset, names[0].length
        found = any(self._is_part(offset, file) for file in self._candidates(names))
        return length if found else 0

    def unmatched(self, begin: int, end: int) -> None:
        """The next bytes are of no file that the extents tell."""
        if self._finder and end > begin:
            for offset, file in self._finder.find(self._image, begin, end):
                self._into_template(begin, offset)
                begin = offset
                if self._is_part(offset, file):
                    begin += file.size
        self._into_template(begin, end)

    def finish(self) -> MadeTemplate[AnyFile]:
        """Write what is left."""
        self._runs.finish()
        spared = range(0)
        if not self._runs.bytes_unmatched:
            spared = self._runs.spare_smallest(_SPARED)
            for block in self._reader.blocks(spared.start, spared.stop):
                self._template.unmatched(block)
        image = ImageInfo(self._reader.size, self._reader.digest(), self._form.block_length)
        return MadeTemplate(
            image=image,
            digest=self._template.finish(format_entries(self._runs.entries, image)),
            parts=self._runs.parts,
            bytes_matched=self._runs.bytes_matched,
            bytes_unmatched=self._runs.bytes_unmatched,
            bytes_spared=len(spared),
        )

    def _candidates(self, names: Sequence[Extent]) -> Iterator[AnyFile]:
        """What may be there: first what the names say, then what the digest says."""
        tried: set[str] = set()
        for name in names:
            if self._patience < 0:
                return
            likely = self._index.likely(name)
            if likely and likely.path not in tried:
                tried.add(likely.path)
                yield likely
        extent = names[0]
        if self._index.has_several(extent.length):
            whole = hasher(self._form.algorithm)
            for block in self._reader.blocks(extent.offset, extent.offset + extent.length):
                whole.update(block)
            digest = Digest(self._form.algorithm, whole.digest())
            file = self._index.with_digest(extent.length, digest)
            if file and file.path not in tried:
                yield file
            self._patience -= extent.length

    def _is_part(self, offset: int, file: AnyFile) -> bool:
        """Whether ``file`` stands at ``offset``; then it is a part there."""
        try:
            stream = open_regular(file.path)
        except OSError as error:
            self._index.problems[file.path] = error.strerror or str(error)
            return False
        with stream:
            status = os.fstat(stream.fileno())
            if status.st_size != file.size:
                self._index.problems[file.path] = "its size changed meanwhile"
                return False
            known = self._index.known(status)
            self._runs.digests.begin()
            first, compared = b"", 0
            for block in self._reader.blocks(offset, offset + file.size):
                compared += len(block)
                if not self._equals(block, stream, file):
                    self._patience -= compared
                    return False
                if len(first) < self._form.block_length:
                    first += block[: self._form.block_length - len(first)]
                if not known:
                    self._runs.digests.update(block)
        if not known:
            self._runs.digests.end()
        self._runs.part(Match(offset, file, rsync_sum(first), known, None if known else status))
        return True

    def _equals(self, block: bytes, stream: FileIO, file: AnyFile) -> bool:
        try:
            beside = self._beside[: len(block)]
            return stream.readinto(beside) == len(block) and block.startswith(beside)
        except OSError as error:
            self._index.problems[file.path] = error.strerror or str(error)
            return False

    def _matched(self, match: Match[AnyFile], digest: Digest) -> None:
        if match.status:
            self._index.remember(match.status, digest)
        self._on_match(match.offset, match.file, digest)

    def _into_template(self, begin: int, end: int) -> None:
        for block in self._reader.blocks(begin, end):
            self._template.unmatched(block)
        self._runs.unmatched(end - begin)
