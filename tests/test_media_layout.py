"""Which format an image is of, and streams of all sorts."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from builders import noise
from iso_builder import files, image, of_root, record

from release_builder.media import MediaError, find_layout
from release_builder.media.image import Image, Window

if TYPE_CHECKING:
    from pathlib import Path

ISO = of_root(record(b"A", 30, 5000))


class Dripping(io.BytesIO):
    """A stream that gives few bytes at a time, as an unbuffered one may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(1000 if size is None or size < 0 else min(size, 1000))


class Shrinking(io.BytesIO):
    """A stream whose second half is lost after its length was asked for."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        end = super().seek(offset, whence)
        if whence == io.SEEK_END:
            self.truncate(33_000)
        return end


def archive(suffix: str) -> bytes:
    out = io.BytesIO()
    if suffix == "zip":
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr("a", b"1")
    else:
        with tarfile.open(fileobj=out, mode="w") as joined:
            member = tarfile.TarInfo("a")
            member.size = 1
            joined.addfile(member, io.BytesIO(b"1"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(ISO, "ISO 9660", id="ISO"),
        pytest.param(b"\xeb\x3c" + ISO[2:510] + b"\x55\xaa" + ISO[512:], "ISO 9660", id="hybrid"),
        pytest.param(archive("tar") + ISO[10_240:], "ISO 9660", id="ISO that begins as a tar"),
        pytest.param(archive("tar"), "tar", id="tar"),
        pytest.param(archive("zip"), "zip", id="zip"),
    ],
)
def test_the_format_is_told_by_its_mark(content: bytes, name: str) -> None:
    layout = find_layout(io.BytesIO(content))

    assert layout is not None
    assert layout.format == name


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\3", id="three bytes"),
        pytest.param(b"\x1f\x8b" + bytes(600), id="gzip"),
        pytest.param(bytes(100_000), id="zeros"),
        pytest.param(noise(100_000), id="noise"),
        pytest.param(ISO[: 32768 + 5], id="ISO cut inside its mark"),
    ],
)
def test_what_is_of_no_known_format_has_no_layout(content: bytes) -> None:
    assert find_layout(io.BytesIO(content)) is None


def test_a_stream_may_be_unbuffered_and_used_between_two_extents(workdir: Path) -> None:
    path = workdir / "image.iso"
    path.write_bytes(ISO)

    found = []
    with path.open("rb", buffering=0) as stream:
        layout = find_layout(stream)
        assert layout is not None
        for extent in layout.extents:
            found.append(extent)
            stream.seek(0, os.SEEK_END)

    assert found[4].name == "A"
    assert len(found) == 7


def test_a_stream_that_gives_few_bytes_at_a_time_is_read_whole() -> None:
    layout = find_layout(Dripping(ISO))

    assert layout is not None
    assert [each.name for each in layout.extents][4] == "A"


def test_an_image_that_becomes_shorter_meanwhile_is_refused() -> None:
    layout = find_layout(Shrinking(image({})))
    assert layout is not None

    with pytest.raises(MediaError, match="at offset 32768: the image became shorter meanwhile"):
        list(layout.extents)


def test_nothing_is_read_before_the_extents_are_wanted() -> None:
    broken = image({})

    layout = find_layout(io.BytesIO(broken))

    assert layout is not None
    with pytest.raises(MediaError):
        files(broken)


@pytest.mark.parametrize(
    ("offset", "length"),
    [
        pytest.param(-1, 1, id="before the start"),
        pytest.param(5, -1, id="backwards"),
        pytest.param(9, 2, id="beyond the end"),
        pytest.param(1 << 70, 1, id="far beyond the end"),
    ],
)
def test_bytes_outside_an_image_are_refused(offset: int, length: int) -> None:
    with pytest.raises(MediaError, match=f"^thing at offset {offset} ends at {offset + length}, "):
        Image(io.BytesIO(b"0123456789")).read(offset, length, "thing")


def test_a_window_reads_as_a_file_does() -> None:
    window = Window(Image(io.BytesIO(b"0123456789")), longest=5)

    assert window.read(3) == b"012"
    assert window.seek(-4, io.SEEK_END) == 6
    assert window.seek(1, io.SEEK_CUR) == window.tell() == 7
    assert window.read() == b"789"
    assert window.read(3) == b""
    assert window.seek(99) == 99
    assert window.read() == b""
    assert window.readable()
    assert window.seekable()


@pytest.mark.parametrize(
    ("offset", "count", "words"),
    [
        pytest.param(0, 6, "6 bytes at offset 0 are too long", id="long"),
        pytest.param(2, -1, "8 bytes at offset 2 are too long", id="all"),
        pytest.param(-1, 1, "offset -1 is before the start", id="before the start"),
    ],
)
def test_a_window_refuses_what_only_broken_bytes_ask_for(
    offset: int, count: int, words: str
) -> None:
    window = Window(Image(io.BytesIO(b"0123456789")), longest=5)

    with pytest.raises(MediaError, match=words):
        window.read(count if window.seek(offset) >= 0 else 0)
