"""The one writer of images: from a template and its sources of parts, in image order.

Each part is read once, from the first candidate for it, and handed to three lanes: one hashes the
part, one the image, one writes. That is right nearly always. A part that turns out wrong is
looked for again when all others are in place; then the image is read once more for its digest.

What an unfinished image already has is a source like any other: its digests decide.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from release_builder.digests import BLOCK, Digest
from release_builder.jigdo.entries import MatchedFile, TemplateError
from release_builder.jigdo.image_writer import ImageWriter
from release_builder.jigdo.in_place import InPlace
from release_builder.jigdo.part_digest import PartDigest
from release_builder.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from typing import Self

    from release_builder.digests import Readable
    from release_builder.jigdo.sources import Candidate, PartSource
    from release_builder.jigdo.template import Template


@dataclass(frozen=True, slots=True)
class WrongPart:
    """Bytes that stand where a part should, and are not it.

    Attributes:
        part: What was wanted.
        where: Where it was looked for.
        found: The digest that was found there instead; None if it could not be read.
        why: Why it could not be read, else empty.
    """

    part: MatchedFile
    where: str
    found: Digest | None
    why: str = ""

    def __str__(self) -> str:
        if self.found is None:
            return f"{self.where} cannot be read: {self.why}"
        return f"{self.where} should be {self.part.digest}, but is {self.found}"


@dataclass(frozen=True, slots=True)
class Image:
    """What came of writing an image.

    Attributes:
        digests: The image's own digest for each algorithm; empty when parts are missing.
        missing: The parts that no source has, each once, in image order.
        wrong: What was found to be wrong on the way, whether or not another source had it right.
        bytes_kept: Of what the unfinished image had already.
        bytes_copied: Of parts that came from the sources.
        bytes_unmatched: Of what came from the template itself.
    """

    digests: dict[str, Digest]
    missing: tuple[MatchedFile, ...]
    wrong: tuple[WrongPart, ...]
    bytes_kept: int
    bytes_copied: int
    bytes_unmatched: int


def make_image(  # noqa: PLR0913 (each may be chosen apart from the others)
    template: Template,
    out: BinaryIO,
    sources: Sequence[PartSource],
    algorithms: Iterable[str],
    on_bytes: Callable[[int], object] = lambda _count: None,
    *,
    trusted: Collection[int] = (),
) -> Image:
    """Write the image that ``template`` describes as far as ``sources`` have its parts.

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

    Raises:
        TemplateError: The template's data, if it is read, does not fit its description.
        OSError: ``out`` cannot be written. What is in it helps the next try.
    """
    length = template.description.image.length
    if out.seek(0, os.SEEK_END) < length:
        out.truncate(length)
    with _Maker(template, out, sources, tuple(algorithms), on_bytes) as maker:
        for number, run in enumerate(template.description.runs):
            if isinstance(run, MatchedFile) and number not in trusted:
                maker.part(run)
            elif trusted:
                maker.trust(run.length)
            else:
                maker.unmatched(run.length)
        if not trusted:
            maker.finish_unmatched()
        return maker.finish()


@dataclass(frozen=True, slots=True)
class _Try:
    """A part that was read from a candidate."""

    part: MatchedFile
    offset: int
    candidate: Candidate
    length: int  # bytes that it had for the part
    others: Iterator[Candidate]  # not yet tried


class _Maker:
    """Takes the runs in order."""

    def __init__(
        self,
        template: Template,
        out: BinaryIO,
        sources: Sequence[PartSource],
        algorithms: Sequence[str],
        on_bytes: Callable[[int], object],
    ) -> None:
        self._image = template.description.image
        self._data = template.unmatched()
        self._out = out
        self._sources = sources
        self._on_bytes = on_bytes
        self._writer = ImageWriter(out, self._image.length, algorithms)
        self._hashing: Lane[bytes | None] = Lane(on_result=self._hashed)
        self._offset = 0
        self._under_way: deque[_Try] = deque()
        self._failed: deque[_Try] = deque()
        self._missing: dict[Digest, MatchedFile] = {}
        self._wrong: dict[tuple[Digest, str], WrongPart] = {}
        self._kept = self._copied = self._unmatched = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._hashing.__exit__(*error)
        self._writer.__exit__(*error)

    def unmatched(self, length: int) -> None:
        """The next bytes come from the template."""
        at, end = self._offset, self._offset + length
        while at < end:
            block = self._data.read(min(end - at, BLOCK))
            if not block:
                raise TemplateError("the template's data ends before the image does")
            self._writer.write(at, block)
            at += len(block)
        self._unmatched += length
        self._done(length)

    def finish_unmatched(self) -> None:
        """No more bytes come from the template."""
        self._data.finish()

    def part(self, part: MatchedFile) -> None:
        """The next bytes are ``part``."""
        if part.digest not in self._missing:
            self._try_next(part, self._offset, self._candidates(part))
        self._done(part.length)

    def trust(self, length: int) -> None:
        """The next bytes stand there, as somebody says."""
        self._kept += length
        self._done(length)

    def finish(self) -> Image:
        """Look again for what was wrong; then the sum of it all."""
        self._hashing.finish()
        while self._failed:
            failed = self._failed.popleft()
            self._try_next(failed.part, failed.offset, failed.others)
            self._hashing.finish()
        self._writer.flush()
        return Image(
            digests={} if self._missing else self._writer.digests(),
            missing=tuple(self._missing.values()),
            wrong=tuple(self._wrong.values()),
            bytes_kept=self._kept,
            bytes_copied=self._copied,
            bytes_unmatched=self._unmatched,
        )

    def _done(self, length: int) -> None:
        self._offset += length
        self._on_bytes(length)

    def _candidates(self, part: MatchedFile) -> Iterator[Candidate]:
        in_place = InPlace(self._out, self._offset)
        if in_place.may_hold(part, self._image.sum_length):
            yield in_place
        for source in self._sources:
            yield from source.candidates(part)

    def _try_next(self, part: MatchedFile, offset: int, candidates: Iterator[Candidate]) -> None:
        """Take ``part`` from the first of ``candidates`` that can be read; judge it later."""
        for candidate in candidates:
            at = offset
            digest = PartDigest(self._hashing, part.digest.algorithm, part.length)
            take = self._writer.has if isinstance(candidate, InPlace) else self._writer.write
            try:
                with _opened(candidate) as stream:
                    for block in _blocks(stream, part.length):
                        digest.update(block)
                        take(at, block)
                        at += len(block)
            except _UnreadableError as error:
                self._writer.was_wrong()
                self._note_wrong(part, candidate, None, str(error))
                continue
            attempt = _Try(part, offset, candidate, at - offset, candidates)
            found = digest.finish()
            if found:
                self._judge(attempt, found)
            else:
                self._under_way.append(attempt)
            return
        self._missing[part.digest] = part

    def _hashed(self, value: bytes | None) -> None:
        if value is not None:
            self._judge(self._under_way.popleft(), Digest(self._image.digest.algorithm, value))

    def _judge(self, attempt: _Try, found: Digest) -> None:
        part, candidate = attempt.part, attempt.candidate
        if attempt.length == part.length:
            candidate.confirm(found)
        if found != part.digest:
            self._writer.was_wrong()
            self._note_wrong(part, candidate, found)
            self._failed.append(attempt)
        elif isinstance(candidate, InPlace):
            self._kept += part.length
        else:
            self._copied += part.length

    def _note_wrong(
        self, part: MatchedFile, candidate: Candidate, found: Digest | None, why: str = ""
    ) -> None:
        if not isinstance(candidate, InPlace):
            where = candidate.where
            self._wrong[part.digest, where] = WrongPart(part, where, found, why)


class _UnreadableError(Exception):
    """A source could not be read to its end; unlike a failed write, another may do."""


@contextmanager
def _opened(candidate: Candidate) -> Iterator[BinaryIO]:
    try:
        stream = candidate.open()
    except OSError as error:
        raise _UnreadableError(error.strerror) from error
    with stream:
        yield stream


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
