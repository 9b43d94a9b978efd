"""The sum of a part's first block, as jigdo-file has it."""

from __future__ import annotations

import hashlib
import struct

import pytest

from release_builder.jigdo.rsync_sum import TABLE, rsync_sum, template_sums


def test_the_table_is_the_one_that_jigdo_file_was_found_to_use() -> None:
    packed = struct.pack("<256I", *TABLE)

    assert hashlib.sha256(packed).hexdigest() == (
        "656e5df0b5cadcd2827e5d2a92bb54efca36ea45a8230e84f9e21dbde88abd39"
    )


@pytest.mark.parametrize(
    ("block", "stored"),
    [
        pytest.param(b"", "0000000000000000", id="nothing"),
        pytest.param(b"\0", "0f5cd6510f5cd651", id="one zero"),
        pytest.param(b"abc", "da29b56447b05c1e", id="three letters"),
        pytest.param(bytes(1024), "003c7059001e308d", id="a block of zeros"),
        pytest.param(bytes(range(256)) * 4, "0cb7fe992c530555", id="every byte"),
    ],
)
def test_a_sum_is_stored_as_jigdo_file_stores_it(block: bytes, stored: str) -> None:
    assert rsync_sum(block).hex() == stored


@pytest.mark.parametrize(
    ("first", "count"),
    [
        pytest.param(b"abc", 2, id="short: as it is, and padded"),
        pytest.param(b"abcd", 1, id="a whole block"),
        pytest.param(b"", 2, id="empty"),
    ],
)
def test_a_template_may_have_the_sum_of_a_short_block_with_zeros(first: bytes, count: int) -> None:
    sums = template_sums(first, 4)

    assert sums == {rsync_sum(first), rsync_sum((first + bytes(4))[:4])}
    assert len(sums) == count
