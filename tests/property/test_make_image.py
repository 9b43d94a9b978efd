"""Any image from any pieces, whatever of its parts is where: its bytes, or just what is missing."""

from __future__ import annotations

import bz2
import hashlib
import io
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

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
from release_builder.jigdo.tree_source import TreeSource

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from release_builder.jigdo.sources import Candidate, PartSource

HEADER = b"JigsawDownload template 2.0 test/1\r\n\r\n\r\n"
# Where a part's file is; damaged: under its name, but with other bytes.
PRESENT, RENAMED, DAMAGED, DAMAGED_AND_COPIED, ABSENT = range(5)
HERE = {PRESENT, RENAMED, DAMAGED_AND_COPIED}


@dataclass(frozen=True, slots=True)
class Case:
    """An image, its template, its parts and where they are."""

    algorithm: str
    image: bytes
    template: bytes
    parts: tuple[bytes, ...]
    places: tuple[int, ...]

    def digest(self, content: bytes) -> Digest:
        return Digest(self.algorithm, hashlib.new(self.algorithm, content).digest())

    @property
    def missing(self) -> set[Digest]:
        """Of the parts that the image has and no place holds."""
        with_places = zip(self.parts, self.places, strict=True)
        return {self.digest(part) for part, place in with_places if place not in HERE}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    # Not of zeros alone: those stand in an unfinished image before anyone wrote them.
    contents = st.binary(max_size=60).map(lambda content: b"p" + content)
    parts = draw(st.lists(contents, max_size=5, unique=True).map(tuple))
    unmatched = st.binary(max_size=40)
    pieces: list[tuple[bool, bytes]] = draw(
        st.lists(
            st.tuples(st.just(value=False), unmatched)
            | st.tuples(st.just(value=True), st.sampled_from(parts))
            if parts
            else st.tuples(st.just(value=False), unmatched),
            max_size=12,
        )
    )
    algorithm = draw(st.sampled_from(["md5", "sha256"]))
    used = tuple(dict.fromkeys(content for is_part, content in pieces if is_part))
    places = draw(st.tuples(*(st.integers(PRESENT, ABSENT) for _ in used)))
    image = b"".join(content for _, content in pieces)
    case = Case(algorithm, image, b"", used, places)
    block_length = draw(st.integers(1, 1 << 31))
    runs: list[Run] = [
        MatchedFile(len(content), rsync_sum(content[:block_length]), case.digest(content))
        if is_part
        else UnmatchedData(len(content))
        for is_part, content in pieces
    ]
    template = HEADER
    rest = b"".join(content for is_part, content in pieces if not is_part)
    while rest or draw(st.booleans()):
        packed, rest = rest[: (cut := draw(st.integers(0, len(rest))))], rest[cut:]
        kind, stream = draw(
            st.sampled_from([(b"DATA", zlib.compress(packed)), (b"BZIP", bz2.compress(packed))])
        )
        template += kind + (16 + len(stream)).to_bytes(6, "little")
        template += len(packed).to_bytes(6, "little") + stream
    info = ImageInfo(len(image), case.digest(image), block_length)
    template += format_description(Description(info, tuple(runs)))
    return Case(algorithm, image, template, used, places)


class Forgetful:
    """A cache that knows nothing: every digest is seen anew."""

    computed = 0

    def get(self, status: os.stat_result, algorithm: str, /) -> Digest | None:
        return None

    def put(self, status: os.stat_result, digest: Digest, /) -> None:
        pass


@dataclass(slots=True)
class Counting:
    """Another source, and what it was asked for."""

    inner: PartSource
    asked: set[Digest] = field(default_factory=set)

    def candidates(self, part: MatchedFile, /) -> Iterator[Candidate]:
        self.asked.add(part.digest)
        yield from self.inner.candidates(part)


def write_parts(case: Case, root: Path) -> None:
    """Write the files of the parts, as far as they are here."""
    for number, (part, place) in enumerate(zip(case.parts, case.places, strict=True)):
        if place == PRESENT:
            (root / f"part{number}").write_bytes(part)
        if place in {DAMAGED, DAMAGED_AND_COPIED}:
            (root / f"part{number}").write_bytes(b"q" + part[1:])
        if place in {RENAMED, DAMAGED_AND_COPIED}:
            (root / f"other{number}").write_bytes(part)


def source_of(case: Case, root: Path) -> Counting:
    locations = {case.digest(part): [f"Any:part{i}"] for i, part in enumerate(case.parts)}
    lengths = map(len, case.parts)
    return Counting(TreeSource(locations, [root], [root], lengths, 1024, Forgetful()))


@settings(max_examples=150)
@given(cases())
def test_the_image_or_just_what_is_missing_and_then_the_image(case: Case) -> None:
    template = read_template(io.BytesIO(case.template), "t")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile(buffering=0) as out:
        root = Path(folder)
        write_parts(case, root)
        first = source_of(case, root)

        image = make_image(template, out, [first], ["md5", "sha256"])

        assert {part.digest for part in image.missing} == case.missing
        assert bool(image.digests) is not bool(case.missing)

        for number, part in enumerate(case.parts):
            (root / f"part{number}").write_bytes(part)
        rest = source_of(case, root)

        image = make_image(template, out, [rest], ["md5", "sha256"])

        assert rest.asked == case.missing
        assert image.missing == ()
        assert {name: digest.value for name, digest in image.digests.items()} == {
            name: hashlib.new(name, case.image).digest() for name in ("md5", "sha256")
        }
        out.seek(0)
        assert out.read() == case.image
