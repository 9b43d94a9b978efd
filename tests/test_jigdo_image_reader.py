"""An image is hashed while it is read, however it is read."""

from __future__ import annotations

import hashlib
import io
import itertools
import threading

import pytest
from builders import noise

from release_builder.digests import BLOCK, Digest
from release_builder.errors import IncompleteError
from release_builder.jigdo.image_reader import ImageReader

IMAGE = noise(30_000, "image")
LARGE = noise(BLOCK // 2, "large") * 5  # two blocks and a half


def digest_of(content: bytes, algorithm: str = "md5") -> Digest:
    return Digest(algorithm, hashlib.new(algorithm, content).digest())


class Dripping(io.BytesIO):
    """A stream that gives less than it is asked for, as raw ones may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(100)


class Broken(io.BytesIO):
    """A disk that cannot be read behind its first 100 bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= 100:
            raise OSError(5, "Input/output error")
        return super().read(100)


@pytest.mark.parametrize(
    "algorithm", [pytest.param("md5", id="md5"), pytest.param("sha256", id="sha256")]
)
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"x", id="a byte"),
        pytest.param(LARGE[:BLOCK], id="a block"),
        pytest.param(LARGE, id="several blocks"),
    ],
)
def test_an_image_read_from_end_to_end(content: bytes, algorithm: str) -> None:
    told: list[int] = []

    with ImageReader(io.BytesIO(content), algorithm, told.append) as reader:
        blocks = list(reader.blocks(0, reader.size))
        digest = reader.digest()

    assert b"".join(blocks) == content
    assert max(map(len, blocks), default=0) <= BLOCK
    assert digest == digest_of(content, algorithm)
    assert sum(told) == reader.size == len(content)


@pytest.mark.parametrize(
    "stretches",
    [
        pytest.param([(0, 10_000), (10_000, 30_000)], id="in order"),
        pytest.param([(0, 10_000), (0, 10_000), (10_000, 30_000)], id="one twice"),
        pytest.param([(0, 9000), (4000, 12_000), (11_999, 30_000)], id="overlapping"),
        pytest.param([(0, 30_000), (7, 8), (29_999, 30_000)], id="again at last"),
        pytest.param([(0, 0), (0, 20_000), (20_000, 20_000), (20_000, 30_000)], id="empty ones"),
        pytest.param([(0, 20_000), (5000, 6000), (20_000, 30_000)], id="back and on"),
    ],
)
def test_each_byte_is_hashed_and_told_once(stretches: list[tuple[int, int]]) -> None:
    told: list[int] = []

    with ImageReader(io.BytesIO(IMAGE), "md5", told.append) as reader:
        contents = [b"".join(reader.blocks(begin, end)) for begin, end in stretches]
        digest = reader.digest()

    assert contents == [IMAGE[begin:end] for begin, end in stretches]
    assert digest == digest_of(IMAGE)
    assert sum(told) == len(IMAGE)


def test_a_stretch_left_in_the_middle_is_read_on_later() -> None:
    with ImageReader(io.BytesIO(LARGE), "md5", lambda _count: None) as reader:
        first = list(itertools.islice(reader.blocks(0, len(LARGE)), 1))
        rest = list(reader.blocks(100, len(LARGE)))
        digest = reader.digest()

    assert first == [LARGE[:BLOCK]]
    assert b"".join(rest) == LARGE[100:]
    assert digest == digest_of(LARGE)


def test_an_image_that_comes_in_drops_is_read_whole() -> None:
    with ImageReader(Dripping(IMAGE), "md5", lambda _count: None) as reader:
        content = b"".join(reader.blocks(0, reader.size))
        digest = reader.digest()

    assert content == IMAGE
    assert digest == digest_of(IMAGE)


def test_an_image_that_becomes_shorter_is_incomplete() -> None:
    image = io.BytesIO(LARGE)
    with ImageReader(image, "md5", lambda _count: None) as reader:
        image.truncate(BLOCK + 5)

        with pytest.raises(IncompleteError, match=r"shorter .* nothing at byte 1,048,581"):
            list(reader.blocks(0, reader.size))


def test_an_image_that_cannot_be_read_is_an_error_and_no_thread_is_left() -> None:
    before = threading.active_count()

    with (
        pytest.raises(OSError, match="Input/output error"),
        ImageReader(Broken(IMAGE), "md5", lambda _count: None) as reader,
    ):
        list(reader.blocks(0, reader.size))

    assert threading.active_count() == before


def test_an_image_that_cannot_be_read_is_named_in_the_error() -> None:
    image = Broken(IMAGE)
    image.name = "cd.iso"

    with (
        ImageReader(image, "md5", lambda _count: None) as reader,
        pytest.raises(OSError, match="Input/output error: 'cd"),
    ):
        list(reader.blocks(0, reader.size))
