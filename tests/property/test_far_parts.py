"""Any image, its parts at hand, afar, or nowhere: its bytes, or just what is missing."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import threading
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from offers import Offer, Source

from release_builder.digests import Digest
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    MatchedFile,
    Run,
    UnmatchedData,
    format_description,
)
from release_builder.jigdo.make_image import make_image
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.template import read_template

if TYPE_CHECKING:
    from typing import BinaryIO

    from release_builder.jigdo.far_parts import Place

HEADER = b"JigsawDownload template 2.0 test/1\r\n\r\n\r\n"
# At hand: as it should be; under its name, but with other bytes or too short; unreadable.
# Afar: right; right when it is asked again from the begin; never right; cut off; nowhere.
AT_HAND, LYING, SHORT, BROKEN, NOT_AT_HAND = range(5)
FAR, FAR_ANEW, FAR_LYING, FAR_CUT, NOWHERE = range(5)


@dataclass(frozen=True, slots=True)
class Part:
    """A part, and where it is to be had; ``times`` makes it long."""

    pattern: bytes
    times: int
    near: int
    far: int

    @property
    def content(self) -> bytes:
        # Not of zeros alone: those stand in an unfinished image before anyone wrote them.
        return b"p" + self.pattern * self.times

    @property
    def is_to_be_had(self) -> bool:
        return self.near == AT_HAND or self.far in {FAR, FAR_ANEW}

    @property
    def wrong(self) -> bytes:
        """No byte of it is right: pieces of it and of others never make the part."""
        return bytes(byte ^ 0x55 for byte in self.content)


@dataclass(frozen=True, slots=True)
class Case:
    """An image, its template, its parts, and what an earlier run has left."""

    algorithm: str
    pieces: tuple[bytes | Part, ...]  # unmatched data and parts
    block_length: int
    unfinished: bytes
    connections: int

    @property
    def image(self) -> bytes:
        return b"".join(each.content if isinstance(each, Part) else each for each in self.pieces)

    @property
    def parts(self) -> dict[Digest, Part]:
        """In image order."""
        parts = (each for each in self.pieces if isinstance(each, Part))
        return {self.digest(part.content): part for part in parts}

    def digest(self, content: bytes) -> Digest:
        return Digest(self.algorithm, hashlib.new(self.algorithm, content).digest())

    def run(self, piece: bytes | Part) -> Run:
        if isinstance(piece, bytes):
            return UnmatchedData(len(piece))
        content = piece.content
        first = rsync_sum(content[: self.block_length])
        return MatchedFile(len(content), first, self.digest(content))

    def not_in(self, found: bytes) -> list[Digest]:
        """Parts that stand at none of their places in ``found``."""
        held: dict[Digest, bool] = {}
        offset = 0
        for each in self.pieces:
            content = each if isinstance(each, bytes) else each.content
            if isinstance(each, Part):
                digest = self.digest(content)
                here = found[offset : offset + len(content)] == content
                held[digest] = held.get(digest, False) or here
            offset += len(content)
        return [digest for digest, is_held in held.items() if not is_held]

    @property
    def missing(self) -> list[Digest]:
        """Parts that are not to be had, and that no earlier run has brought to any place."""
        wanted = self.not_in(self.unfinished.ljust(len(self.image), b"\0"))
        return [digest for digest in wanted if not self.parts[digest].is_to_be_had]

    @property
    def template(self) -> bytes:
        data = b"".join(each for each in self.pieces if isinstance(each, bytes))
        stream = zlib.compress(data)
        lengths = (16 + len(stream)).to_bytes(6, "little") + len(data).to_bytes(6, "little")
        info = ImageInfo(len(self.image), self.digest(self.image), self.block_length)
        runs = tuple(self.run(each) for each in self.pieces)
        return HEADER + b"DATA" + lengths + stream + format_description(Description(info, runs))

    @property
    def near(self) -> Source:
        """What is at hand."""
        offers: dict[Digest, list[Offer]] = {}
        for digest, part in self.parts.items():
            content: dict[int, bytes | OSError] = {
                AT_HAND: part.content,
                LYING: part.wrong,
                SHORT: part.content[:-1],
                BROKEN: OSError(5, "Input/output error"),
            }
            offers[digest] = [Offer(content[part.near])] if part.near in content else []
        return Source(offers)


@dataclass(slots=True)
class Far:
    """Whoever has the parts that are afar; goes on from where a place is, as servers do."""

    parts: dict[Digest, Part]
    connections: int
    piece: int
    asked: list[Digest] = field(default_factory=list)
    under_way: int = 0
    busiest: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fetch(self, part: MatchedFile, place: Place, /) -> bool:
        with self.lock:
            self.asked.append(part.digest)
            self.under_way += 1
            self.busiest = max(self.busiest, self.under_way)
        try:
            return self._bring(self.parts[part.digest], place)
        finally:
            with self.lock:
                self.under_way -= 1

    def stop(self) -> None:
        raise AssertionError("nothing went wrong")

    def _bring(self, part: Part, place: Place) -> bool:
        if part.far == NOWHERE:
            return place.is_right()
        if part.far == FAR_CUT:
            self._write(part.content[: max(place.position, len(part.content) // 2)], place)
            return place.is_right()
        self._write(part.content if part.far == FAR else part.wrong, place)
        if place.is_right():
            return True
        place.restart()
        self._write(part.wrong if part.far == FAR_LYING else part.content, place)
        return place.is_right()

    def _write(self, content: bytes, place: Place) -> None:
        while place.position < len(content):
            place.write(content[place.position : place.position + self.piece])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    parts = draw(
        st.lists(
            st.builds(
                Part,
                st.binary(max_size=30),
                # Of several blocks of a file system: holes show what was fetched before.
                st.just(1) | st.integers(200, 2000),
                st.integers(AT_HAND, NOT_AT_HAND),
                st.integers(FAR, NOWHERE),
            ),
            max_size=5,
            unique_by=lambda part: part.content,
        )
    )
    unmatched: st.SearchStrategy[bytes | Part] = st.binary(max_size=40)
    pieces = draw(st.lists(unmatched | st.sampled_from(parts) if parts else unmatched, max_size=12))
    case = Case(
        draw(st.sampled_from(["md5", "sha256"])),
        tuple(pieces),
        draw(st.integers(1, 1 << 31)),
        b"",
        draw(st.integers(1, 9)),
    )
    image = case.image
    begun = image[: draw(st.integers(0, len(image)))]
    left = draw(
        st.sampled_from(
            [b"", begun, begun + bytes(len(image) - len(begun)), begun[:-1] + b"x", b"y" + begun]
        )
        | st.binary(max_size=200)
    )
    return replace(case, unfinished=left[: len(image)])


def found_in(case: Case, out: BinaryIO) -> bytes:
    out.seek(0)
    return out.read(len(case.image) + 1)


@settings(max_examples=200)
@given(cases(), st.integers(1, 5000))
def test_the_image_or_just_what_is_missing_and_then_the_image(case: Case, piece: int) -> None:
    template = read_template(io.BytesIO(case.template), "t")
    with tempfile.TemporaryFile(buffering=0) as out:
        out.write(case.unfinished)
        os.truncate(out.fileno(), max(len(case.image), len(case.unfinished)))
        far, told = Far(case.parts, case.connections, piece), list[int]()

        image = make_image(template, out, [case.near], ["md5", "sha256"], told.append, far=far)

        missing = [part.digest for part in image.missing]
        assert sorted(missing, key=str) == sorted(case.missing, key=str)
        places = iter(case.digest(each.content) for each in case.pieces if isinstance(each, Part))
        assert all(digest in places for digest in missing)  # in image order
        assert sum(told) == len(case.image)
        assert len(far.asked) == len(set(far.asked))
        assert far.busiest <= case.connections
        assert_right(case, image.digests, case.missing, found_in(case, out))

        # A file that was cut short may have lacked just zeros.
        wanted = case.not_in(found_in(case, out))

        healed = {
            digest: replace(part, near=NOT_AT_HAND, far=FAR) for digest, part in case.parts.items()
        }
        far, told = Far(healed, case.connections, piece), list[int]()

        image = make_image(template, out, [], ["md5", "sha256"], told.append, far=far)

        assert set(wanted) <= set(case.missing)
        assert sorted(far.asked, key=str) == sorted(wanted, key=str)
        assert sum(told) == len(case.image)
        assert_right(case, image.digests, [], found_in(case, out))


def assert_right(
    case: Case, digests: dict[str, Digest], missing: list[Digest], found: bytes
) -> None:
    """What is told of the image is so."""
    right = {name: hashlib.new(name, case.image).digest() for name in ("md5", "sha256")}
    assert {name: each.value for name, each in digests.items()} == ({} if missing else right)
    offset = 0
    for each in case.pieces:
        content = each.content if isinstance(each, Part) else each
        if not isinstance(each, Part) or case.digest(content) not in missing:
            assert found[offset : offset + len(content)] == content
        offset += len(content)
    assert len(found) == len(case.image)
