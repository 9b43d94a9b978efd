"""Templates that end too early, lie about a field or about their data."""

from __future__ import annotations

import bz2
import gzip
import os
import zlib
from pathlib import Path

import pytest
from builders import noise
from hostile import (
    BOMB,
    DATA,
    DESC,
    GAP,
    HEADER,
    ONE,
    RUNS,
    TEMPLATE,
    TWO,
    contents,
    data,
    desc,
    image_entry,
    part_entry,
    u48,
    unmatched,
)
from hostile_pairs import READERS, assert_made, assert_refused, run

pytestmark = pytest.mark.interop

FIRST_LINE = len(b"JigsawDownload template 1.2 test/1\r\n")
# Where one field ends and the next begins.
BOUNDARIES = {
    "nothing": 0,
    "magic": 24,
    "first line": FIRST_LINE,
    "second line": FIRST_LINE + len(b"any words\r\n"),
    "header": len(HEADER),
    "DATA": len(HEADER) + 4,
    "length of the part": len(HEADER) + 10,
    "length unpacked": len(HEADER) + 16,
    "half the stream": len(HEADER) + len(DATA) // 2,
    "data": len(HEADER + DATA),
    "DESC": len(HEADER + DATA) + 4,
    "length of DESC": len(HEADER + DATA) + 10,
    "type of a run": len(HEADER + DATA) + 11,
    "unmatched run": len(HEADER + DATA) + 17,
    "length of a part": len(HEADER + DATA) + 24,
    "rsync sum": len(HEADER + DATA) + 32,
    "digest": len(HEADER + DATA) + 48,
    "runs": len(TEMPLATE) - 33,
    "image without block length": len(TEMPLATE) - 10,
    "image": len(TEMPLATE) - 6,
    "all but 1": len(TEMPLATE) - 1,
}


@pytest.mark.parametrize("name", list(BOUNDARIES))
def test_a_template_that_ends_too_early_is_refused(work: Path, name: str) -> None:
    Path("t.template").write_bytes(TEMPLATE[: BOUNDARIES[name]])
    before = contents(work)

    ended = run("make-image", *READERS["make-image"])

    in_header = BOUNDARIES[name] < len(HEADER)
    assert_refused(ended, 3, "t.template: " + ("i" if in_header else ""))
    assert in_header or " at offset " in ended.err
    assert contents(work) == before


BAD_TEMPLATES = {
    # the frame
    "cut by 40": (TEMPLATE[:-40], "its last 6 bytes, at offset "),
    "trailing length 2^47": (TEMPLATE[:-6] + u48(1 << 47), "claim a DESC part of 140,737,488,355,"),
    "trailing length 20": (TEMPLATE[:-6] + u48(20), "does not begin with DESC"),
    "leading length": (TEMPLATE.replace(DESC[:10], b"DESC" + u48(99)), "says 99 at offset 4"),
    # the data, as far as it is told without unpacking
    "part claims 10": (HEADER + data(zlib.compress(GAP), 10) + DESC, "claim 10 bytes"),
    "part claims 2^47": (HEADER + data(zlib.compress(GAP), 1 << 47) + DESC, "claim 140,737,488"),
    "part of 0 bytes": (HEADER + b"DATA" + u48(0) + u48(3000) + DESC, "part 1 at offset 49"),
    "part longer than the file": (
        HEADER + b"DATA" + u48(1 << 40) + u48(3000) + DESC,
        "1,099,511,627,776 bytes cannot be right",
    ),
    "other kind of part": (HEADER + data(b"x" * 99, 3000, b"LZMA") + DESC, "no kind of part"),
    # the whole
    "image length": (HEADER + DATA + desc(*RUNS, image_entry(length=1)), "the image has 1"),
    "no image": (HEADER + DATA + desc(*RUNS), "no entry for the image"),
    "image first": (HEADER + DATA + desc(image_entry(), *RUNS), "entry 2 at offset 37"),
    "two images": (HEADER + DATA + desc(*RUNS, image_entry(), image_entry()), "must be the last"),
    # huge counts
    "unmatched 1 TiB": (
        HEADER + DATA + desc(unmatched(1 << 40), image_entry(length=1 << 40)),
        "the image needs 1,099,511,627,776",
    ),
    "65,537 x 2^48": (
        HEADER + DATA + desc(*[unmatched((1 << 48) - 1)] * 65537, image_entry(length=65535)),
        "18,447,025,548,686,196,735 bytes",
    ),
    # types
    "type 4": (HEADER + DATA + desc(*RUNS, part_entry(ONE, 4), image_entry()), "of type 4, which"),
    "type 7": (HEADER + DATA + desc(*RUNS, part_entry(ONE, 7), image_entry()), "of type 7, which"),
    "type 10": (HEADER + DATA + desc(*RUNS, part_entry(ONE, 10), image_entry()), "of type 10, wh"),
    "type 11": (HEADER + DATA + desc(*RUNS, part_entry(ONE, 11), image_entry()), "unknown type 11"),
    "block length 0": (HEADER + DATA + desc(*RUNS, image_entry(block=0)), "block length of 0"),
    "part of the image that is empty": (
        HEADER + DATA + desc(*RUNS, part_entry(b""), image_entry()),
        "a matched file of 0 bytes",
    ),
    # versions
    "version 3": (TEMPLATE.replace(b" 1.2 ", b" 3.0 "), "version 3 needs a newer program"),
    "version 99999999999": (
        TEMPLATE.replace(b" 1.2 ", b" 99999999999 "),
        "version 99999999999 needs a newer program",
    ),
    "fetched as text": (TEMPLATE.replace(b"\r\n", b"\n"), "in binary mode"),
    "some other file": (noise(5000), "is not a jigdo template"),
    "gzip": (gzip.compress(TEMPLATE), "is not a jigdo template"),
}


@pytest.mark.parametrize("command", list(READERS))
@pytest.mark.parametrize("name", list(BAD_TEMPLATES))
def test_every_command_refuses_a_bad_template(work: Path, name: str, command: str) -> None:
    template, words = BAD_TEMPLATES[name]
    Path("t.template").write_bytes(template)
    before = contents(work)

    ended = run(command, *READERS[command])

    assert_refused(ended, 2 if command == "map" else 3, words)
    assert "t.template: " in ended.err
    assert contents(work) == before


SMALL = desc(unmatched(10), part_entry(ONE), image_entry(GAP[:10] + ONE))
# what is seen only when it is unpacked
BAD_DATA = {
    "zlib": (HEADER + data(b"x" * 99, 3000) + DESC, "stream is broken"),
    "bzip2": (HEADER + data(b"x" * 99, 3000, b"BZIP") + DESC, "stream is broken"),
    "zip bomb": (HEADER + data(BOMB, 10) + SMALL, "holds more than the claimed 10"),
    "bzip2 bomb": (
        HEADER + data(bz2.compress(bytes(30_000_000)), 10, b"BZIP") + SMALL,
        "holds more than the claimed 10",
    ),
    "zlib in BZIP": (HEADER + data(zlib.compress(GAP), 3000, b"BZIP") + DESC, "stream is broken"),
    "short": (HEADER + data(zlib.compress(GAP[:-1]), 3000) + DESC, "holds 2,999 bytes, not 3,000"),
    "long": (HEADER + data(zlib.compress(GAP + b"x"), 3000) + DESC, "more than the claimed 3,000"),
    "cut": (HEADER + data(zlib.compress(GAP)[:-9], 3000) + DESC, "stream is cut short"),
    "wrong sum": (HEADER + data(zlib.compress(GAP)[:-4] + b"abcd", 3000) + DESC, "is broken"),
    "more behind": (HEADER + data(zlib.compress(GAP) + b"x", 3000) + DESC, "1 bytes follow its"),
    "claimed 32 MiB": (
        HEADER
        + data(zlib.compress(GAP), 1 << 25)
        + desc(unmatched(1 << 25), part_entry(ONE), image_entry(length=(1 << 25) + 5000)),
        "holds 3,000 bytes, not 33,554,432",
    ),
}


@pytest.mark.parametrize("image", ["new.iso", "-"])
@pytest.mark.parametrize("name", list(BAD_DATA))
def test_data_that_is_not_what_it_claims_is_refused(work: Path, name: str, image: str) -> None:
    template, words = BAD_DATA[name]
    Path("t.template").write_bytes(template)
    before = contents(work)

    ended = run("make-image", "-t", "t.template", "-i", image, "tree")

    assert_refused(ended, 3, words)
    assert "t.template: part 1 at offset 49: " in ended.err
    assert contents(work) == before


@pytest.mark.parametrize("name", list(BAD_DATA))
def test_verify_reads_no_more_of_broken_data_than_it_needs(work: Path, name: str) -> None:
    Path("t.template").write_bytes(BAD_DATA[name][0])
    Path("old.iso").write_bytes(bytes(20_000))

    ended = run("verify", *READERS["verify"])

    assert ended.status == 2, ended.err
    assert "old.iso is wrong: " in ended.err


# what is wrong though it reads well
WRONG_DIGEST = HEADER + DATA + desc(*RUNS, image_entry(bytes(13_000), length=15_000))


@pytest.mark.parametrize("image", ["new.iso", "-"])
def test_an_image_with_another_digest_is_not_made(work: Path, image: str) -> None:
    Path("t.template").write_bytes(WRONG_DIGEST)

    ended = run("make-image", "-t", "t.template", "-i", image, "tree")

    assert_refused(ended, 2, "t.template: every part is right, but the image has md5:")
    assert not os.path.lexists("new.iso")


def test_after_a_wrong_template_the_right_one_makes_the_image(work: Path) -> None:
    Path("t.template").write_bytes(WRONG_DIGEST)
    run("make-image", *READERS["make-image"])
    Path("t.template").write_bytes(TEMPLATE)

    ended = run("make-image", *READERS["make-image"])

    assert_made(ended)


@pytest.mark.parametrize("length", [4999, 5001, 1 << 20])
def test_a_part_of_another_length_than_the_file_is_missing(work: Path, length: int) -> None:
    entries = (unmatched(3000), part_entry(TWO), part_entry(ONE, length=length))
    whole = image_entry(GAP + TWO + ONE, length=5000 + length)
    Path("t.template").write_bytes(HEADER + DATA + desc(*entries, whole))

    ended = run("make-image", *READERS["make-image"])

    assert ended.status == 1
    assert "1 of 2 parts are in new.iso.tmp" in ended.err
    assert not os.path.lexists("new.iso")


def test_an_image_of_another_length_is_not_right(work: Path) -> None:
    """Its digest is, so the template contradicts itself: whoever made it, made a mistake."""
    Path("t.template").write_bytes(
        HEADER + DATA + desc(*RUNS, part_entry(ONE), image_entry(length=20_000))
    )

    ended = run("verify", *READERS["verify"])

    assert ended.status == 2
    assert "old.iso has 15,000 bytes, it should have 20,000" in ended.err
