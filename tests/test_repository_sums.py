"""Digests of the repository's files."""

from __future__ import annotations

import hashlib
import os
import random
from typing import TYPE_CHECKING

import pytest

from release_builder.digests import BLOCK
from release_builder.errors import StoppedError
from release_builder.repository.sums import PosixCrc, Sums, stop_all, sums_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        pytest.param(b"", 4294967295, id="empty"),
        pytest.param(b"123456789", 930766865, id="the usual nine digits"),
        pytest.param(b"a", 1220704766, id="one byte"),
        pytest.param(b"\0" * 256, 4215202376, id="a length of two bytes"),
        pytest.param(bytes(range(256)) * 257, 1222243855, id="a length of three bytes"),
    ],
)
def test_the_crc_is_what_cksum_prints(data: bytes, crc: int) -> None:
    taken = PosixCrc()

    taken.update(data)

    assert taken.value() == crc


def test_the_crc_does_not_depend_on_how_the_bytes_come() -> None:
    data = random.Random(1).randbytes(10_000)
    whole, pieces = PosixCrc(), PosixCrc()

    whole.update(data)
    for start in range(0, len(data), 77):
        pieces.update(data[start : start + 77])

    assert whole.value() == pieces.value()


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(0, id="nothing"),
        pytest.param(BLOCK, id="one block"),
        pytest.param(9 * BLOCK + 1, id="more blocks than may wait"),
    ],
)
def test_all_digests_come_from_one_reading(tmp_path: Path, size: int) -> None:
    data = random.Random(2).randbytes(size)
    path = tmp_path / "image"
    path.write_bytes(data)
    told: list[int] = []

    sums = sums_of(path, told.append)

    crc = PosixCrc()
    crc.update(data)
    assert sums == Sums(
        size, crc.value(), hashlib.sha256(data).hexdigest(), hashlib.sha512(data).hexdigest()
    )
    assert sum(told) == size


def test_a_folder_has_no_digests(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        sums_of(tmp_path)


def test_whoever_stops_us_does_not_wait_for_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.touch()
    os.truncate(path, 1 << 40)

    with pytest.raises(StoppedError, match="image: the reading was stopped"):
        sums_of(path, lambda _count: stop_all())
    with path.open("r+b") as out:
        out.truncate(9)
    assert sums_of(path).size == 9
