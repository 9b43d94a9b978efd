"""Sums are those of the definition; files are found exactly where a plain search finds them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from release_builder.jigdo.match_content import ContentIndex
from release_builder.jigdo.rolling import WORD, KnownSums, window_sum
from release_builder.jigdo.rsync_sum import TABLE, rsync_sum

# Bytes as images have them: padding, what repeats itself, hardly anything, noise.
REPEATED = st.builds(
    lambda piece, count: (piece * count)[:count],
    st.binary(min_size=1, max_size=3) | st.binary(min_size=8, max_size=8),
    st.integers(1, 700),
)
SPARSE = st.lists(st.sampled_from(b"\0\0\0\0\0a"), max_size=600).map(bytes)
NOISE = st.builds(lambda random, count: random.randbytes(count), st.randoms(), st.integers(1, 3000))
ANY_BYTES = st.lists(REPEATED | SPARSE | NOISE, min_size=1, max_size=4).map(b"".join)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file to look for."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Case:
    """An image, what part of it is searched, and for what."""

    block_length: int
    contents: tuple[bytes, ...]
    image: bytes
    begin: int
    end: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    block_length = draw(st.sampled_from([15, 16, 23, 31, 64]) | st.integers(256, 2048))
    run = st.integers(block_length - 9, block_length + 9)
    near_a_window = st.builds(lambda byte, count: byte * count, st.sampled_from([b"\0", b"a"]), run)
    pieces = st.lists(ANY_BYTES | near_a_window, min_size=1, max_size=3).map(b"".join)
    contents = draw(st.lists(pieces, min_size=1, max_size=4))
    for _ in range(draw(st.integers(0, 3))):  # files that have much in common
        base = draw(st.sampled_from(contents))
        cut = draw(st.integers(0, len(base)))
        led = b"\0" * draw(st.integers(0, 2 * block_length)) + base
        contents.append(
            draw(st.sampled_from([base[cut:], base[:cut], base + base[:cut], base, led]))
        )
    planted = st.sampled_from(contents)
    damaged = planted.map(lambda content: content[:-1] + b"!")
    image = b"".join(draw(st.lists(planted | damaged | pieces, max_size=8)))
    image = image * draw(st.sampled_from([1, 1, 1, 30]))
    begin = draw(st.just(0) | st.integers(0, len(image)))
    end = draw(st.just(len(image)) | st.integers(begin, len(image)))
    return Case(block_length, tuple(contents), image, begin, end)


def expected(case: Case, *, greedy: bool) -> list[tuple[int, int]]:
    """Offset and number of each match, by looking for each file everywhere."""
    places: list[tuple[int, int, int]] = []
    for number, content in enumerate(case.contents):
        if len(content) >= case.block_length and len(set(content)) > 1:
            offset = case.image.find(content, case.begin, case.end)
            while offset >= 0:
                places.append((offset, offset + len(content), number))
                offset = case.image.find(content, offset + 1, case.end)
    if greedy:  # what ends first, of these the longest, of these the first in the list
        places.sort(key=lambda place: (place[1], place[0], place[2]))
    else:
        places.sort(key=lambda place: (place[0], -place[1], place[2]))
    matches: list[tuple[int, int]] = []
    position = case.begin
    for offset, end, number in places:
        if offset >= position:
            matches.append((offset, number))
            position = end
    return matches


@given(cases(), st.booleans(), st.booleans())
@settings(max_examples=400)
@example(Case(15, (bytes(15) + b"a",), bytes(70_000) + b"a", 0, 70_001), False, False)
def test_files_are_found_where_a_plain_search_finds_them(
    case: Case, greedy: bool, numpy: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, content in enumerate(case.contents):
            path = Path(folder, str(number))
            path.write_bytes(content)
            files.append(Listed(str(path), len(content)))
        image = Path(folder, "image")
        image.write_bytes(case.image)
        done: list[int] = []

        index = ContentIndex(files, case.block_length, greedy=greedy, numpy=numpy)
        with image.open("rb") as stream:
            found = list(index.find(stream, case.begin, case.end, done.append))

        # Images that repeat how files begin, over and over, are given up: other tests see to that.
        assume(not index.given_up)
        places = [(match.offset, files.index(match.file)) for match in found]
        assert places == expected(case, greedy=greedy)
        assert sum(done) == case.end - case.begin
        assert index.unreadable == {}


@given(st.binary(max_size=5000) | ANY_BYTES, st.integers(1, 300), st.data())
def test_both_engines_find_the_windows_that_have_the_sums(
    chunk: bytes, words: int, data: st.DataObject
) -> None:
    width = words * WORD
    places = range(0, len(chunk) - width + 1, WORD)
    sums = {place: window_sum(chunk[place : place + width]) for place in places}
    known = data.draw(
        st.lists(st.sampled_from(sorted(sums.values())) if sums else st.just(0), max_size=5)
    )

    plain = KnownSums(known, words, numpy=False).find(chunk)
    fast = KnownSums(known, words, numpy=True).find(chunk)

    assert plain == fast == [place for place in places if sums[place] in known]


@given(st.binary(max_size=3000) | ANY_BYTES)
def test_the_rsync_sum_is_that_of_its_definition(block: bytes) -> None:
    first = second = 0
    for byte in block:
        first = (first + TABLE[byte]) % (1 << 32)
        second = (second + first) % (1 << 32)

    assert rsync_sum(block) == first.to_bytes(4, "little") + second.to_bytes(4, "little")
