"""Templates of images too large, of too many runs, or odd and yet right."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from hostile import (
    DATA,
    GAP,
    HEADER,
    IMAGE,
    ONE,
    RUNS,
    TWO,
    contents,
    data,
    desc,
    image_entry,
    part_entry,
    unmatched,
)
from hostile_pairs import READERS, assert_made, assert_refused, run

pytestmark = pytest.mark.interop

HUGE = (unmatched(3000), part_entry(ONE), part_entry(TWO, length=1 << 46))
HUGE_TEMPLATE = HEADER + DATA + desc(*HUGE, image_entry(length=8000 + (1 << 46)))


@pytest.mark.parametrize("image", ["new.iso", "-"])
def test_room_is_looked_for_before_anything_is_written(work: Path, image: str) -> None:
    Path("t.template").write_bytes(HUGE_TEMPLATE)
    before = contents(work)

    ended = run("make-image", "-t", "t.template", "-i", image, "tree")

    assert_refused(ended, 3, "the image needs 70,368,744,185,664 bytes more")
    assert contents(work) == before


def test_an_image_that_may_not_become_so_long_is_named(work: Path) -> None:
    """There is room, but ulimit -f forbids it."""
    length = 1 << 30
    entries = (unmatched(3000), part_entry(ONE), part_entry(TWO, length=length))
    Path("t.template").write_bytes(
        HEADER + DATA + desc(*entries, image_entry(length=8000 + length))
    )
    before = contents(work)

    ended = run("make-image", *READERS["make-image"])

    assert_refused(ended, 3, "new.iso")
    assert contents(work) == before


def test_verify_against_a_huge_template_says_what_is_wrong(work: Path) -> None:
    entries = (part_entry(TWO, length=1 << 46), unmatched(3000), part_entry(ONE))
    whole = image_entry(b"", length=8000 + (1 << 46))
    Path("t.template").write_bytes(HEADER + DATA + desc(*entries, whole))

    ended = run("verify", *READERS["verify"])

    assert ended.status == 2, ended.err
    assert "old.iso has 15,000 bytes, it should have 70,368,744,185,664" in ended.err


def test_list_and_map_of_a_huge_template_cost_nothing(work: Path) -> None:
    Path("t.template").write_bytes(HUGE_TEMPLATE)

    listed = run("list-template", "-t", "t.template")
    drawn = run("map", "none.iso", "new.svg", "-t", "t.template")

    assert (listed.status, drawn.status) == (0, 0), listed.err + drawn.err
    assert b" 70368744177664 " in listed.out


@pytest.mark.parametrize("command", list(READERS))
def test_a_template_of_runs_without_bytes_takes_time_and_memory_as_it_is_long(
    work: Path, command: str
) -> None:
    template = HEADER + desc(*[unmatched(0)] * 200_000, image_entry(b""))
    Path("t.template").write_bytes(template)
    Path("old.iso").write_bytes(b"")

    ended = run(command, *READERS[command], more=20 * len(template))

    assert ended.status == 0, ended.err


def test_a_lack_of_memory_is_no_status_of_a_missing_part(work: Path) -> None:
    """The longest description that is read, in 400 MB of addresses."""
    runs = unmatched(0) * (((16 << 20) - 100) // 7)
    Path("t.template").write_bytes(HEADER + desc(runs, image_entry(b"")))

    ended = run("make-image", *READERS["make-image"], more=400 << 20)

    assert ended.status in {0, 3}


def test_parts_that_are_shorter_than_a_block_take_no_time(work: Path) -> None:
    """Their sums cover zeros up to the length of a block, which the template tells."""
    Path("tree/x").write_bytes(b"x")
    parts = [part_entry(b"%d" % number, length=1) for number in range(4000)]
    entries = (unmatched(1), part_entry(b"x"), *parts)
    whole = image_entry(b"", length=4002, block=128 << 10)
    Path("t.template").write_bytes(HEADER + data(zlib.compress(b"y"), 1) + desc(*entries, whole))

    ended = run("make-image", *READERS["make-image"])

    assert ended.status == 1
    assert "1 of 4,001 parts are in new.iso.tmp" in ended.err


# what is odd and good


@pytest.mark.parametrize(
    ("template", "image"),
    [
        pytest.param(
            HEADER + DATA + desc(unmatched(3000), part_entry(ONE, 3), image_entry(GAP + ONE, 1)),
            GAP + ONE,
            id="types of before 0.6.3",
        ),
        pytest.param(
            HEADER
            + DATA
            + desc(unmatched(3000), part_entry(ONE), part_entry(ONE), image_entry(GAP + ONE * 2)),
            GAP + ONE * 2,
            id="no right rsync sum",
        ),
        pytest.param(
            HEADER + DATA + desc(*RUNS, image_entry(block=(1 << 32) - 1)), IMAGE, id="blockLen"
        ),
        pytest.param(HEADER + desc(image_entry(b"")), b"", id="an image of 0 bytes"),
        pytest.param(
            HEADER + desc(part_entry(ONE), image_entry(ONE)), ONE, id="no unmatched bytes"
        ),
        pytest.param(
            HEADER
            + data(zlib.compress(bytes(30_000_000), 9), 30_000_000)
            + desc(unmatched(30_000_000), image_entry(bytes(30_000_000))),
            bytes(30_000_000),
            id="30 MB in 29 kB",
        ),
    ],
)
def test_an_odd_template_gives_the_right_image(work: Path, template: bytes, image: bytes) -> None:
    Path("t.template").write_bytes(template)

    made = run("make-image", *READERS["make-image"])
    verified = run("verify", "-t", "t.template", "-i", "new.iso")
    listed = run("list-template", "-t", "t.template")

    assert_made(made, image)
    assert (verified.status, listed.status) == (0, 0), verified.err + listed.err
