"""An image that comes into being, run by run.

Each part is read once, from the first candidate for it, and handed to three lanes: one hashes the
part, one the image, one writes. That is right nearly always. A part that turns out wrong is
looked for again when all others are in place; then the image is read once more for its digest.

What an unfinished image already has is a source like any other: its digests decide. What no
source at hand has is fetched from afar meanwhile, several parts at a time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO

from release_builder.digests import BLOCK, Digest
from release_builder.files import read_at
from release_builder.jigdo.entries import MatchedFile, TemplateError
from release_builder.jigdo.image_result import Image, WrongPart
from release_builder.jigdo.in_place import Elsewhere, InPlace
from release_builder.jigdo.part_digests import PartDigests
from release_builder.jigdo.part_reader import UnreadableError, blocks_of, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

    from release_builder.jigdo.entries import Run
    from release_builder.jigdo.far_parts import FarParts
    from release_builder.jigdo.image_writer import ImageWriter
    from release_builder.jigdo.sources import Candidate, PartSource
    from release_builder.jigdo.template import Template


@dataclass(frozen=True, slots=True)
class _Try:
    """A part that was read from a candidate."""

    part: MatchedFile
    offset: int
    candidate: Candidate
    length: int  # bytes that it had for the part
    others: Iterator[Candidate]  # not yet tried


class ImageMaker:
    """Takes the runs of an image in order.

    Args:
        template: The template.
        out: The image; see make_image.
        sources: What is at hand.
        writer: Writes and hashes the image.
        far: Fetches what is not; None if nothing does.
        on_bytes: Told how many bytes are done with.

    Attributes:
        digests_parts: Whether each part is held against its own digest.
        believes: Whether that counts which was read before, where somebody knows it.
        believed: How many parts were taken so.
        on_part: Told how many parts are in their place.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (what a run may need)
        self,
        template: Template,
        out: BinaryIO,
        sources: Sequence[PartSource],
        writer: ImageWriter,
        far: FarParts | None,
        on_bytes: Callable[[int], object],
    ) -> None:
        self.digests_parts = True
        self.believes = True
        self.believed = 0
        self.on_part: Callable[[int], object] = lambda _count: None
        self._in_place = 0  # parts

        self._image = template.description.image
        self._runs = template.description.runs
        self._data = template.unmatched()
        self._out = out
        self._sources = sources
        self._on_bytes = on_bytes
        self._writer = writer
        self._far = far
        self._digests = PartDigests(self._image.digest.algorithm, self._hashed)
        self._fetching: dict[Digest, list[int]] = {}  # all places of what is wanted from afar
        self._offset = 0
        self._under_way: deque[_Try] = deque()
        self._failed: deque[_Try] = deque()
        self._missing: dict[Digest, tuple[int, MatchedFile]] = {}
        self._wrong: dict[tuple[Digest, str], WrongPart] = {}
        self._kept = self._copied = self._fetched = self._unmatched = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._far:
            self._far.__exit__(*error)
        self._digests.__exit__(*error)
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
        if part.digest in self._fetching:
            self._fetch(part, self._offset)
        elif part.digest not in self._missing:
            self._try_next(part, self._offset, self._candidates(part, self._offset))
        self._done(part.length)

    def trust(self, run: Run) -> None:
        """The next bytes stand there, as somebody says."""
        self._kept += run.length
        self._done(run.length)
        self._have(isinstance(run, MatchedFile))

    def finish(self) -> Image:
        """Look again for what was wrong; then the sum of it all."""
        self._digests.finish()
        while self._failed:
            failed = self._failed.popleft()
            self._try_next(failed.part, failed.offset, failed.others)
            self._digests.finish()
        for part, right in self._far.results() if self._far else ():
            self._came(part, right=right)
        self._writer.flush()
        return Image(
            digests={} if self._missing else self._writer.digests(),
            missing=tuple(part for _, part in sorted(self._missing.values(), key=itemgetter(0))),
            wrong=tuple(self._wrong.values()),
            bytes_kept=self._kept,
            bytes_copied=self._copied,
            bytes_fetched=self._fetched,
            bytes_unmatched=self._unmatched,
        )

    def _have(self, count: int) -> None:
        """So many more parts are in their place."""
        self._in_place += count
        self.on_part(self._in_place)

    def _done(self, length: int) -> None:
        self._offset += length
        self._on_bytes(length)

    def _candidates(self, part: MatchedFile, here: int) -> Iterator[Candidate]:
        in_place = InPlace(self._out, here)
        if in_place.may_hold(part, self._image.sum_length):
            yield in_place
        for source in self._sources:
            yield from source.candidates(part)
        for offset in self._places.get(part.digest, ()):
            other = InPlace(self._out, offset)
            if offset != here and other.may_hold(part, self._image.sum_length):
                yield Elsewhere(other, offset)

    @cached_property
    def _places(self) -> dict[Digest, list[int]]:
        """Where those parts belong that are wanted more than once."""
        places: dict[Digest, list[int]] = {}
        offset = 0
        for run in self._runs:
            if isinstance(run, MatchedFile):
                places.setdefault(run.digest, []).append(offset)
            offset += run.length
        return {digest: found for digest, found in places.items() if len(found) > 1}

    def _try_next(self, part: MatchedFile, offset: int, candidates: Iterator[Candidate]) -> None:
        """Take ``part`` from the first of ``candidates`` that can be read; judge it later."""
        for candidate in candidates:
            try:
                length, found = self._take(part, offset, candidate)
            except UnreadableError as error:
                self._writer.was_wrong()
                self._note_wrong(part, candidate, None, str(error))
                continue
            attempt = _Try(part, offset, candidate, length, candidates)
            if found:
                self._judge(attempt, found)
            else:
                self._under_way.append(attempt)
            return
        if self._far:
            self._fetch(part, offset)
        else:
            self._missing[part.digest] = (offset, part)

    def _take(
        self, part: MatchedFile, offset: int, candidate: Candidate
    ) -> tuple[int, Digest | None]:
        """Read a part and write it: how long it was, and its digest if that is not computed."""
        in_place = isinstance(candidate, InPlace)
        if in_place and not self.digests_parts:
            return part.length, part.digest
        length = 0
        with opened(candidate) as stream:
            known = self.believes and candidate.known(part.digest.algorithm) == part.digest
            reads = self.digests_parts and not known
            self._digests.begin()
            for block in blocks_of(stream, part.length):
                if reads:
                    self._digests.update(block)
                if not in_place:
                    self._writer.write(offset + length, block)
                length += len(block)
        if reads:
            self._digests.end()
            return length, None
        if length < part.length:
            raise UnreadableError("it became shorter meanwhile")
        self.believed += known
        return length, part.digest

    def _fetch(self, part: MatchedFile, offset: int) -> None:
        """Have ``part`` brought from afar; where else it belongs, it is copied from ``offset``."""
        assert self._far
        self._on_bytes(-part.length)  # counted as they come
        if part.digest in self._fetching:
            self._fetching[part.digest].append(offset)
        else:
            self._fetching[part.digest] = [offset]
            self._far.want(part, offset, InPlace(self._out, offset).held(part.length))

    def _came(self, part: MatchedFile, *, right: bool) -> None:
        """What was wanted from afar is there, or will never be."""
        first, *others = self._fetching.pop(part.digest)
        if not right:
            self._missing[part.digest] = (first, part)
        else:
            self._writer.filled(first, part.length)
            self._fetched += part.length
            self._have(1 + len(others))
            for offset in others:
                self._copy(first, offset, part.length)
        self._on_bytes(part.length * len(others))

    def _copy(self, source: int, target: int, length: int) -> None:
        for at in range(0, length, BLOCK):
            block = read_at(self._out.fileno(), min(BLOCK, length - at), source + at)
            self._writer.write(target + at, block)

    def _hashed(self, digest: Digest) -> None:
        self._judge(self._under_way.popleft(), digest)

    def _judge(self, attempt: _Try, found: Digest) -> None:
        part, candidate = attempt.part, attempt.candidate
        whole = self.digests_parts and attempt.length == part.length
        if whole and candidate.known(found.algorithm) != found:
            candidate.confirm(found)
        if found != part.digest:
            self._writer.was_wrong()
            self._note_wrong(part, candidate, found)
            self._failed.append(attempt)
            return
        self._have(1)
        if isinstance(candidate, InPlace):
            self._writer.stands(attempt.offset, part.length)
            self._kept += part.length
        else:
            self._copied += part.length

    def _note_wrong(
        self, part: MatchedFile, candidate: Candidate, found: Digest | None, why: str = ""
    ) -> None:
        if not isinstance(candidate, InPlace | Elsewhere):  # nobody gave those
            where = candidate.where
            self._wrong[part.digest, where] = WrongPart(part, where, found, why)
