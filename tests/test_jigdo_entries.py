"""The DESC part, from bytes built here and back."""

from __future__ import annotations

import pytest

from release_builder.digests import Digest
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    MatchedFile,
    TemplateError,
    UnmatchedData,
    format_description,
    parse_description,
)

MD5 = bytes(range(16))
SHA256 = bytes(range(32))
RSYNC_SUM = b"\xab" * 8


def u48(number: int) -> bytes:
    return number.to_bytes(6, "little")


def part(*entries: bytes) -> bytes:
    """A DESC part around ``entries``."""
    body = b"".join(entries)
    return b"DESC" + u48(16 + len(body)) + body + u48(16 + len(body))


def unmatched(length: int) -> bytes:
    return b"\x02" + u48(length)


def matched(length: int, kind: int = 6, digest: bytes = MD5) -> bytes:
    return bytes([kind]) + u48(length) + RSYNC_SUM + digest


def image(length: int, kind: int = 5, digest: bytes = MD5, block_length: int = 1024) -> bytes:
    return bytes([kind]) + u48(length) + digest + block_length.to_bytes(4, "little")


GOOD = part(unmatched(10), matched(2000), image(2010))


@pytest.mark.parametrize(
    ("kinds", "digest"),
    [
        pytest.param((6, 5), Digest("md5", MD5), id="md5"),
        pytest.param((9, 8), Digest("sha256", SHA256), id="sha256"),
    ],
)
def test_current_entries_are_read_and_written_back(kinds: tuple[int, int], digest: Digest) -> None:
    file_kind, image_kind = kinds
    content = part(
        unmatched(10), matched(2000, file_kind, digest.value), image(2010, image_kind, digest.value)
    )

    description = parse_description(content)

    assert description == Description(
        ImageInfo(2010, digest, 1024),
        (UnmatchedData(10), MatchedFile(2000, RSYNC_SUM, digest)),
    )
    assert format_description(description) == content
    assert description.unmatched_length == 10


def test_obsolete_entries_are_read_without_what_they_lack() -> None:
    content = part(unmatched(1), b"\x03" + u48(5) + MD5, b"\x01" + u48(6) + MD5)

    description = parse_description(content)

    digest = Digest("md5", MD5)
    assert description.image == ImageInfo(6, digest, None)
    assert description.runs == (UnmatchedData(1), MatchedFile(5, None, digest))


@pytest.mark.parametrize(
    "description",
    [
        pytest.param(
            Description(ImageInfo(0, Digest("md5", MD5), None), ()), id="without block length"
        ),
        pytest.param(
            Description(
                ImageInfo(5, Digest("md5", MD5), 1024), (MatchedFile(5, None, Digest("md5", MD5)),)
            ),
            id="without rsync sum",
        ),
    ],
)
def test_obsolete_entries_come_out_as_they_went_in(description: Description) -> None:
    assert parse_description(format_description(description)) == description


def test_an_empty_image_is_read() -> None:
    description = parse_description(part(image(0)))

    assert description.runs == ()


def test_lengths_beyond_64_bits_add_up() -> None:
    most = (1 << 48) - 1
    content = part(*[unmatched(most)] * 65537, image(most))

    with pytest.raises(TemplateError, match=r"cover 18,447,[0-9,]+ bytes"):
        parse_description(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "0 bytes is too short", id="nothing"),
        pytest.param(b"DATA" + GOOD[4:], "does not begin with DESC", id="other id"),
        pytest.param(GOOD[:4] + u48(20) + GOOD[10:], "says 20 at offset 4", id="leading length"),
        pytest.param(GOOD[:-6] + u48(1 << 47), "at its end", id="trailing length"),
        pytest.param(GOOD[:-1], "at its end", id="cut by 1"),
        pytest.param(GOOD[:-40], "at its end", id="cut by 40"),
        pytest.param(part(), "no entry for the image", id="no entry"),
        pytest.param(part(unmatched(1)), "no entry for the image", id="no image"),
        pytest.param(
            part(image(10), unmatched(10)),
            "entry 2 at offset 37 .* must be the last",
            id="image first",
        ),
        pytest.param(
            part(image(0), image(0)), "entry 2 at offset 37 .* must be the last", id="two images"
        ),
        pytest.param(part(image(5)), "cover 0 bytes, but the image has 5", id="sum too small"),
        pytest.param(
            part(unmatched(6), image(5)), "cover 6 bytes, but the image has 5", id="sum too large"
        ),
        pytest.param(
            part(matched(0), image(0)), "entry 1 at offset 10 .* of 0 bytes", id="empty file"
        ),
        pytest.param(part(image(0, block_length=0)), "block length of 0", id="no block length"),
        pytest.param(
            part(matched(5), image(5, 8, SHA256)), "entry 1 .* by md5", id="digests mixed"
        ),
        pytest.param(
            part(unmatched(1), b"\x04" + u48(5) + MD5),
            "entry 2 at offset 17 .* type 4, which only unfinished",
            id="type 4",
        ),
        pytest.param(part(matched(5, 7)), "type 7, which only unfinished", id="type 7"),
        pytest.param(part(matched(5, 10, SHA256)), "type 10, which only unfinished", id="type 10"),
        pytest.param(part(b"\x00"), "entry 1 at offset 10 .* unknown type 0", id="type 0"),
        pytest.param(part(b"\x0b"), "unknown type 11", id="type 11"),
    ],
)
def test_a_wrong_part_is_refused_with_the_place(content: bytes, words: str) -> None:
    with pytest.raises(TemplateError, match=words):
        parse_description(content)


@pytest.mark.parametrize("kind", [1, 2, 3, 5, 6, 8, 9])
def test_an_entry_cut_short_is_refused(kind: int) -> None:
    sizes = {1: 22, 2: 6, 3: 22, 5: 26, 6: 30, 8: 42, 9: 46}
    content = part(bytes([kind]) + bytes(sizes[kind] - 1))

    with pytest.raises(TemplateError, match="runs past the end"):
        parse_description(content)


def test_entries_that_repeat_themselves_are_one_object() -> None:
    read = parse_description(part(*[matched(5), unmatched(0)] * 1000, image(5000)))

    assert len({id(run) for run in read.runs}) == 2


def test_more_entries_than_parts_can_need_are_refused() -> None:
    content = part(unmatched(0) * 4_000_001, image(0))

    with pytest.raises(TemplateError, match=r"entry 4000001 at offset .* is one too many"):
        parse_description(content)
