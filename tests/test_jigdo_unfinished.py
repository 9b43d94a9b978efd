"""What an unfinished image says of itself: as jigdo-file writes it, and nothing worse."""

from __future__ import annotations

import hashlib
import io

import pytest

from release_builder.digests import Digest
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    MatchedFile,
    TemplateError,
    UnmatchedData,
    format_description,
)
from release_builder.jigdo.unfinished import (
    Unfinished,
    format_unfinished,
    parse_unfinished,
    read_unfinished,
)

SUM = bytes(range(8))
LENGTHS = (10, 300, 20, 400)  # bytes of the runs: unmatched, file, unmatched, file
IMAGE = bytes(sum(LENGTHS))


def u48(number: int) -> bytes:
    return number.to_bytes(6, "little")


def digest(algorithm: str, content: bytes) -> Digest:
    return Digest(algorithm, hashlib.new(algorithm, content).digest())


def description(algorithm: str = "md5") -> Description:
    gap, one, gap2, two = LENGTHS
    runs = (
        UnmatchedData(gap),
        MatchedFile(one, SUM, digest(algorithm, b"one")),
        UnmatchedData(gap2),
        MatchedFile(two, SUM, digest(algorithm, b"two")),
    )
    return Description(ImageInfo(len(IMAGE), digest(algorithm, IMAGE), 1024), runs)


def golden(algorithm: str, one: int, two: int, image: int) -> bytes:
    """The DESC part as the format has it, with these types for both files and the image."""
    value_one, value_two, value = (
        hashlib.new(algorithm, content).digest() for content in (b"one", b"two", IMAGE)
    )
    entries = (
        *(b"\x02", u48(10)),
        *(bytes([one]), u48(300), SUM, value_one),
        *(b"\x02", u48(20)),
        *(bytes([two]), u48(400), SUM, value_two),
        *(bytes([image]), u48(730), value, (1024).to_bytes(4, "little")),
    )
    body = b"".join(entries)
    length = u48(16 + len(body))
    return b"DESC" + length + body + length


GOLDEN = [
    pytest.param("md5", golden("md5", 6, 6, 5), set(), id="md5, nothing written"),
    pytest.param("md5", golden("md5", 7, 6, 5), {1}, id="md5, the first written"),
    pytest.param("md5", golden("md5", 6, 7, 5), {3}, id="md5, the last written"),
    pytest.param("md5", golden("md5", 7, 7, 5), {1, 3}, id="md5, all written"),
    pytest.param("sha256", golden("sha256", 9, 9, 8), set(), id="sha256, nothing written"),
    pytest.param("sha256", golden("sha256", 10, 9, 8), {1}, id="sha256, the first written"),
    pytest.param("sha256", golden("sha256", 10, 10, 8), {1, 3}, id="sha256, all written"),
]


@pytest.mark.parametrize(("algorithm", "part", "written"), GOLDEN)
def test_a_part_is_read_and_written_as_the_format_has_it(
    algorithm: str, part: bytes, written: set[int]
) -> None:
    expected = Unfinished(description(algorithm), frozenset(written))

    assert parse_unfinished(part) == expected
    assert format_unfinished(description(algorithm), written) == part


@pytest.mark.parametrize(
    "algorithm", [pytest.param("md5", id="md5"), pytest.param("sha256", id="sha256")]
)
def test_with_nothing_written_it_is_the_part_of_the_template(algorithm: str) -> None:
    template = format_description(description(algorithm))

    assert format_unfinished(description(algorithm), ()) == template


def test_unmatched_runs_are_never_marked() -> None:
    part = format_unfinished(description(), range(4))

    assert parse_unfinished(part).written == {1, 3}


def test_files_of_old_templates_have_a_type_of_their_own() -> None:
    old = Description(
        ImageInfo(300, digest("md5", IMAGE), None), (MatchedFile(300, None, digest("md5", b"1")),)
    )
    value, whole = hashlib.md5(b"1").digest(), hashlib.md5(IMAGE).digest()
    length = u48(16 + 23 + 23)

    part = format_unfinished(old, {0})

    body = b"\x04" + u48(300) + value + b"\x01" + u48(300) + whole
    assert part == b"DESC" + length + body + length
    assert parse_unfinished(part) == Unfinished(old, frozenset({0}))


@pytest.mark.parametrize(("algorithm", "part", "written"), GOLDEN)
def test_an_unfinished_image_is_read_from_its_end(
    algorithm: str, part: bytes, written: set[int]
) -> None:
    unfinished = read_unfinished(io.BytesIO(IMAGE + part), "i.tmp")

    assert unfinished == Unfinished(description(algorithm), frozenset(written))


PART = golden("md5", 7, 6, 5)
# Where a field begins: DESC, length, then each entry's type, length, sum and digest.
BOUNDARIES = [0, 4, 10, 11, 17, 18, 24, 32, 48, 49, 55, 56, 62, 70, 86, 87, 93, 109, 113, 119]


@pytest.mark.parametrize("kept", [pytest.param(cut, id=f"{cut}") for cut in BOUNDARIES[:-1]])
@pytest.mark.parametrize("image", [pytest.param(IMAGE, id="image"), pytest.param(b"", id="alone")])
def test_what_is_cut_short_is_no_unfinished_image(image: bytes, kept: int) -> None:
    assert len(PART) == BOUNDARIES[-1]

    with pytest.raises(TemplateError, match=r"^i\.tmp: (no unfinished image|the image in it)"):
        read_unfinished(io.BytesIO(image + PART[:kept]), "i.tmp")


@pytest.mark.parametrize("kept", [pytest.param(cut, id=f"{cut}") for cut in BOUNDARIES[:-1]])
def test_a_part_that_is_cut_short_is_refused(kept: int) -> None:
    with pytest.raises(TemplateError):
        parse_unfinished(PART[:kept])


@pytest.mark.parametrize("removed", [pytest.param(cut, id=f"{cut}") for cut in BOUNDARIES[2:-2]])
def test_a_frame_around_a_cut_part_is_refused(removed: int) -> None:
    body = PART[10:removed]
    length = u48(16 + len(body))

    with pytest.raises(TemplateError):
        parse_unfinished(b"DESC" + length + body + length)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "does not end in a DESC part", id="empty"),
        pytest.param(b"abc", "does not end in a DESC part", id="three bytes"),
        pytest.param(IMAGE, "does not end in a DESC part", id="zeros"),
        pytest.param(IMAGE + b"\xff" * 6, "does not end in a DESC part", id="huge length"),
        pytest.param(IMAGE + u48(7), "offset 729: a DESC part of 7 bytes", id="tiny length"),
        pytest.param(
            IMAGE + PART[:-6] + u48(len(PART) + 1), "does not begin with DESC", id="other length"
        ),
        pytest.param(IMAGE + b"x" + PART, "has 731 bytes, it should have 730", id="too long"),
        pytest.param(IMAGE[1:] + PART, "has 729 bytes, it should have 730", id="too short"),
        pytest.param(PART, "has 0 bytes, it should have 730", id="no image"),
        pytest.param(IMAGE + golden("md5", 7, 11, 5), "unknown type 11", id="unknown type"),
        pytest.param(IMAGE + golden("md5", 7, 6, 6), "runs past the end", id="no image entry"),
    ],
)
def test_what_is_no_unfinished_image_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(TemplateError, match=problem) as refused:
        read_unfinished(io.BytesIO(content), "i\n.tmp")

    assert refused.value.what.startswith("i\\x0a.tmp: ")
    assert refused.value.hint == "delete it: what it has will be copied again"


def test_a_wrong_byte_anywhere_is_a_value_or_a_template_error() -> None:
    for place in range(10, len(PART) - 6):
        for value in (0, 1, 2, 3, 4, 6, 7, 9, 10, 255):
            part = PART[:place] + bytes([value]) + PART[place + 1 :]
            try:
                unfinished = parse_unfinished(part)
            except TemplateError:
                continue

            assert format_unfinished(unfinished.description, unfinished.written) == part
