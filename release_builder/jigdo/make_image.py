"""The one writer of images: from a template and its sources of parts, in image order.

Each part is read once, hashed while it is written, and counts only when its digest is right;
the image's own digest is computed in the same pass. What an unfinished image already has is a
source like any other: it is read where it stands, and its digests decide.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from release_builder.digests import BLOCK, Digest, hasher
from release_builder.jigdo.entries import MatchedFile, TemplateError, UnmatchedData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from release_builder.digests import Hasher, Readable
    from release_builder.jigdo.sources import PartSource
    from release_builder.jigdo.template import Template


@dataclass(frozen=True, slots=True)
class WrongPart:
    """Bytes that stand where a part should, and are not it.

    Attributes:
        part: What was wanted.
        where: Where it was looked for.
        found: The digest that was found there instead, or why it could not be read.
    """

    part: MatchedFile
    where: str
    found: str


@dataclass(frozen=True, slots=True)
class Image:
    """What came of writing an image.

    Attributes:
        digests: The image's own digest for each algorithm; empty when parts are missing.
        missing: The parts that no source has, each once, in image order.
        wrong: What was found to be wrong on the way, whether or not another source had it right.
        bytes_kept: Of parts that the unfinished image had already.
        bytes_copied: Of parts that came from the sources.
        bytes_unmatched: Of the template itself.
    """

    digests: dict[str, Digest]
    missing: tuple[MatchedFile, ...]
    wrong: tuple[WrongPart, ...]
    bytes_kept: int
    bytes_copied: int
    bytes_unmatched: int


def make_image(
    template: Template,
    out: BinaryIO,
    sources: Sequence[PartSource],
    algorithms: Iterable[str],
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> Image:
    """Write the image that ``template`` describes as far as ``sources`` have its parts.

    Args:
        template: The template.
        out: A file that can be read and written at any place; may hold an unfinished image of
            the same template. Its length becomes the image's.
        sources: Where parts are looked for, in this order.
        algorithms: Those for which the image's digest is wanted.
        on_bytes: Told how many bytes of the image are done with, found or not.

    Raises:
        TemplateError: The template's data does not fit its description.
        OSError: ``out`` cannot be written. What is in it helps the next try.
    """
    writer = _Writer(out, sources, on_bytes, {name: hasher(name) for name in algorithms})
    out.truncate(template.description.image.length)
    unmatched = template.unmatched()
    for run in template.description.runs:
        if isinstance(run, UnmatchedData):
            writer.unmatched(unmatched, run.length)
        else:
            writer.part(run)
    unmatched.finish()
    return writer.image()


@dataclass(slots=True)
class _Writer:
    out: BinaryIO
    sources: Sequence[PartSource]
    on_bytes: Callable[[int], None]
    hashers: dict[str, Hasher]  # of the image so far; given up when a part is missing
    offset: int = 0
    missing: dict[Digest, MatchedFile] = field(default_factory=dict)
    wrong: dict[tuple[Digest, str], WrongPart] = field(default_factory=dict)
    kept: int = 0
    copied: int = 0
    from_template: int = 0

    def unmatched(self, data: Readable, length: int) -> None:
        """The next ``length`` bytes of the image come from the template."""
        self.out.seek(self.offset)
        left = length
        while left:
            block = data.read(min(left, BLOCK))
            if not block:
                raise TemplateError("the template's data ends before the image does")
            _write(self.out, block)
            for each in self.hashers.values():
                each.update(block)
            left -= len(block)
        self.from_template += length
        self._done(length)

    def part(self, part: MatchedFile) -> None:
        """The next bytes of the image are ``part``."""
        if part.digest in self.missing:
            self._done(part.length)
        elif self._has(part):
            self.kept += part.length
            self._done(part.length)
        elif self._copy(part):
            self.copied += part.length
            self._done(part.length)
        else:
            self.missing[part.digest] = part
            self.hashers = {}
            self._done(part.length)

    def image(self) -> Image:
        """The sum of it all."""
        return Image(
            digests={name: Digest(name, each.digest()) for name, each in self.hashers.items()},
            missing=tuple(self.missing.values()),
            wrong=tuple(self.wrong.values()),
            bytes_kept=self.kept,
            bytes_copied=self.copied,
            bytes_unmatched=self.from_template,
        )

    def _done(self, length: int) -> None:
        self.offset += length
        self.on_bytes(length)

    def _has(self, part: MatchedFile) -> bool:
        """Whether the unfinished image has ``part`` in its place."""
        if not _has_data(self.out, self.offset, part.length):
            return False
        self.out.seek(self.offset)
        return self._take(self.out, part, copy=False) == part.digest

    def _copy(self, part: MatchedFile) -> bool:
        """Copy ``part`` from the first source that has it."""
        for source in self.sources:
            for candidate in source.candidates(part):
                try:
                    stream = candidate.open()
                except OSError as error:
                    self._note_wrong(part, candidate.where, str(error.strerror))
                    continue
                with stream:
                    try:
                        found = self._take(stream, part, copy=True)
                    except _UnreadableError as error:
                        self._note_wrong(part, candidate.where, str(error))
                        continue
                if found == part.digest:
                    candidate.confirm(found)
                    return True
                self._note_wrong(part, candidate.where, str(found))
        return False

    def _note_wrong(self, part: MatchedFile, where: str, found: str) -> None:
        self.wrong[part.digest, where] = WrongPart(part, where, found)

    def _take(self, stream: Readable, part: MatchedFile, *, copy: bool) -> Digest:
        """Read ``part`` from ``stream``, write it if ``copy``; its bytes count if they are right."""
        own = hasher(part.digest.algorithm)
        image = {name: each.copy() for name, each in self.hashers.items()}
        at = self.offset
        for block in _blocks(stream, part.length):
            if copy:
                self.out.seek(at)
                _write(self.out, block)
            own.update(block)
            for each in image.values():
                each.update(block)
            at += len(block)
        found = Digest(part.digest.algorithm, own.digest())
        if found == part.digest:
            self.hashers = image
        return found


class _UnreadableError(Exception):
    """A source could not be read to its end; unlike a failed write, another may do."""


def _blocks(stream: Readable, length: int) -> Iterator[bytes]:
    while length:
        try:
            block = stream.read(min(length, BLOCK))
        except OSError as error:
            raise _UnreadableError(error.strerror) from error
        if not block:
            return
        length -= len(block)
        yield block


def _has_data(out: BinaryIO, offset: int, length: int) -> bool:
    """Whether anything was ever written there; a hole reads as zeros and is skipped unread."""
    try:
        return os.lseek(out.fileno(), offset, os.SEEK_DATA) < offset + length
    except OSError:  # no data from here to the end
        return False


def _write(out: BinaryIO, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[out.write(view) :]
