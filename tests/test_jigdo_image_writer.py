"""An image is hashed while it is written; what did not come in order is read again."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

import pytest
from builders import noise

from release_builder.digests import BLOCK, Digest
from release_builder.jigdo.image_writer import ImageWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = noise(2 * BLOCK + 77, "image")
BOTH = ("md5", "sha256")
MODES = {os.O_RDWR: "r+", os.O_WRONLY: "w", os.O_RDONLY: "r"}


def digests_of(content: bytes) -> dict[str, Digest]:
    return {name: Digest(name, hashlib.new(name, content).digest()) for name in BOTH}


def cut(content: bytes, size: int) -> list[tuple[int, bytes]]:
    """Offset and bytes of its blocks."""
    return [(at, content[at : at + size]) for at in range(0, len(content), size)]


@contextmanager
def opened(folder: Path, content: bytes = b"", flags: int = os.O_RDWR) -> Iterator[BinaryIO]:
    (folder / "image").write_bytes(content)
    with io.FileIO(os.open(folder / "image", flags), MODES[flags]) as out:
        yield cast("BinaryIO", out)


@pytest.mark.parametrize(
    ("content", "size"),
    [
        pytest.param(b"", BLOCK, id="empty"),
        pytest.param(b"x", BLOCK, id="a byte"),
        pytest.param(IMAGE, BLOCK, id="whole blocks"),
        pytest.param(IMAGE, 100_001, id="odd blocks"),
        pytest.param(IMAGE[:5000], 7, id="tiny blocks"),
    ],
)
def test_what_comes_in_order_is_written_and_hashed_without_a_look_back(
    workdir: Path, content: bytes, size: int
) -> None:
    with (
        opened(workdir, flags=os.O_WRONLY) as out,  # whoever reads it gets an error
        ImageWriter(out, len(content), BOTH) as writer,
    ):
        for offset, block in cut(content, size):
            writer.write(offset, block)
        digests = writer.digests()

    assert (workdir / "image").read_bytes() == content
    assert digests == digests_of(content)


def test_what_comes_out_of_order_is_written_in_its_place_and_hashed(workdir: Path) -> None:
    blocks = cut(IMAGE, 100_001)

    with opened(workdir) as out, ImageWriter(out, len(IMAGE), BOTH) as writer:
        for offset, block in [*blocks[3:], *blocks[:3]]:
            writer.write(offset, block)
        digests = writer.digests()

    assert (workdir / "image").read_bytes() == IMAGE
    assert digests == digests_of(IMAGE)


def test_what_stands_there_already_is_hashed_and_not_written(workdir: Path) -> None:
    there = IMAGE[:BLOCK] + bytes(len(IMAGE) - BLOCK)

    with opened(workdir, there, os.O_WRONLY) as out, ImageWriter(out, len(IMAGE), BOTH) as writer:
        writer.has(0, IMAGE[:1000])
        writer.has(1000, IMAGE[1000:BLOCK])
        for offset, block in cut(IMAGE, BLOCK)[1:]:
            writer.write(offset, block)
        digests = writer.digests()

    assert (workdir / "image").read_bytes() == IMAGE
    assert digests == digests_of(IMAGE)


def test_nothing_is_written_that_is_only_said_to_stand_there(workdir: Path) -> None:
    with opened(workdir, b"abc") as out, ImageWriter(out, 3, BOTH) as writer:
        writer.has(0, b"xyz")
        writer.flush()

    assert (workdir / "image").read_bytes() == b"abc"


def test_a_run_that_was_left_out_is_read_for_the_digests(workdir: Path) -> None:
    with opened(workdir, IMAGE) as out, ImageWriter(out, len(IMAGE), BOTH) as writer:
        writer.write(0, IMAGE[:1000])
        writer.write(2000, IMAGE[2000:])
        digests = writer.digests()

    assert digests == digests_of(IMAGE)


@pytest.mark.parametrize(
    "size", [pytest.param(100, id="small image"), pytest.param(len(IMAGE), id="large image")]
)
def test_wrong_bytes_that_others_replaced_are_not_in_the_digests(workdir: Path, size: int) -> None:
    content = IMAGE[:size]

    with opened(workdir) as out, ImageWriter(out, size, BOTH) as writer:
        writer.write(0, bytes(50))
        writer.write(50, content[50:])
        writer.was_wrong()
        writer.write(0, content[:50])
        digests = writer.digests()

    assert (workdir / "image").read_bytes() == content
    assert digests == digests_of(content)


def test_of_two_writes_to_a_place_the_later_counts(workdir: Path) -> None:
    with opened(workdir) as out, ImageWriter(out, 3, BOTH) as writer:
        writer.write(0, b"abc")
        writer.was_wrong()
        writer.write(0, b"xyz")
        writer.flush()
        flushed = (workdir / "image").read_bytes()

    assert flushed == b"xyz"


def test_what_lies_behind_the_image_is_not_hashed(workdir: Path) -> None:
    with opened(workdir, IMAGE + b"DESC") as out, ImageWriter(out, len(IMAGE), BOTH) as writer:
        digests = writer.digests()

    assert digests == digests_of(IMAGE)


def test_what_cannot_be_written_is_told_and_no_thread_is_left(workdir: Path) -> None:
    before = threading.active_count()

    with (
        opened(workdir, flags=os.O_RDONLY) as out,
        ImageWriter(out, 3, BOTH) as writer,
    ):
        writer.write(0, b"abc")
        with pytest.raises(OSError, match="Bad file descriptor"):
            writer.flush()

    assert threading.active_count() == before
