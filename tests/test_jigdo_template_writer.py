"""What the writer of templates writes, a reader reads; and it is always the same."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from typing import TYPE_CHECKING

import pytest
from builders import noise

from release_builder.digests import Digest
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    UnmatchedData,
    format_description,
)
from release_builder.jigdo.template import read_template
from release_builder.jigdo.template_writer import GENERATOR, TemplateWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MIB = 1 << 20
ZEROS_AND_NOISE = bytes(3 * MIB) + noise(1000, "tail")


def description_of(content: bytes, algorithm: str) -> bytes:
    digest = Digest(algorithm, hashlib.new(algorithm, content).digest())
    runs = (UnmatchedData(len(content)),) if content else ()
    return format_description(Description(ImageInfo(len(content), digest, 1024), runs))


def written(
    blocks: Sequence[bytes],
    algorithm: str = "md5",
    compression: str = "gzip",
    level: int = 1,
) -> tuple[bytes, Digest]:
    """A template of an image that has no parts, and the digest that the writer tells."""
    out = io.BytesIO()
    with TemplateWriter(out, algorithm, compression, level) as writer:
        for block in blocks:
            writer.unmatched(block)
        digest = writer.finish(description_of(b"".join(blocks), algorithm))
    return out.getvalue(), digest


def unmatched(template: bytes) -> bytes:
    data = read_template(io.BytesIO(template), "t").unmatched()
    content = b"".join(iter(lambda: data.read(MIB), b""))
    data.finish()
    return content


def data_parts(template: bytes) -> Iterator[tuple[bytes, int]]:
    """Kind and unpacked length of each data part."""
    at = template.index(b"\r\n\r\n") + 4
    while template[at : at + 4] != b"DESC":
        yield template[at : at + 4], int.from_bytes(template[at + 10 : at + 16], "little")
        at += int.from_bytes(template[at + 4 : at + 10], "little")


@pytest.mark.parametrize("level", [pytest.param(level, id=f"level {level}") for level in range(10)])
@pytest.mark.parametrize("compression", ["gzip", "bzip2"])
@pytest.mark.parametrize(
    "algorithm", [pytest.param("md5", id="md5"), pytest.param("sha256", id="sha256")]
)
def test_what_was_written_is_read_back(algorithm: str, compression: str, level: int) -> None:
    content = noise(3000, "unmatched") + bytes(20_000)

    template, digest = written([content], algorithm, compression, level)

    assert unmatched(template) == content
    assert digest == Digest(algorithm, hashlib.new(algorithm, template).digest())


@pytest.mark.parametrize(
    ("algorithm", "version"),
    [pytest.param("md5", "1.2", id="md5"), pytest.param("sha256", "2.0", id="sha256")],
)
def test_the_header_tells_the_formats_version_and_the_program(algorithm: str, version: str) -> None:
    template, _ = written([b"some data"], algorithm)

    read = read_template(io.BytesIO(template), "t")

    assert (read.version, read.generator) == (version, GENERATOR)
    assert read.description.image.digest.algorithm == algorithm
    lines = template[: template.index(b"DATA")].split(b"\r\n")
    assert len(lines) == 4
    assert lines[2:] == [b"", b""]


@pytest.mark.parametrize(
    ("compression", "kind"),
    [pytest.param("gzip", b"DATA", id="gzip"), pytest.param("bzip2", b"BZIP", id="bzip2")],
)
def test_the_kind_of_a_part_is_that_of_its_compression(compression: str, kind: bytes) -> None:
    template, _ = written([b"some data"], "md5", compression)

    assert list(data_parts(template)) == [(kind, 9)]


@pytest.mark.parametrize(
    ("compression", "size"),
    [
        pytest.param("gzip", MIB - 1, id="gzip, a byte less than a piece"),
        pytest.param("gzip", MIB, id="gzip, a piece"),
        pytest.param("gzip", MIB + 1, id="gzip, a byte more than a piece"),
        pytest.param("gzip", 3 * MIB, id="gzip, three pieces"),
        pytest.param("bzip2", 899_999, id="bzip2, a byte less than a piece"),
        pytest.param("bzip2", 900_000, id="bzip2, a piece"),
        pytest.param("bzip2", 900_001, id="bzip2, a byte more than a piece"),
    ],
)
def test_no_byte_is_lost_where_pieces_meet_and_no_part_is_empty(
    compression: str, size: int
) -> None:
    content = ZEROS_AND_NOISE[-size:]

    template, _ = written([content], "md5", compression)

    assert unmatched(template) == content
    lengths = [length for _, length in data_parts(template)]
    assert sum(lengths) == size
    assert min(lengths) > 0
    assert max(lengths) <= MIB


def test_what_does_not_pack_is_still_right() -> None:
    content = noise(MIB + 1, "random")

    template, _ = written([content], level=0)

    assert unmatched(template) == content
    assert len(template) > len(content)


def test_a_higher_level_packs_better() -> None:
    content = b"".join(noise(6, number % 50) for number in range(5000))

    sizes = [len(written([content], level=level)[0]) for level in (0, 1, 9)]

    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3


def test_bzip2_takes_level_1_for_0() -> None:
    fast, faster = (written([bytes(MIB)], "md5", "bzip2", level) for level in (1, 0))

    assert fast == faster


@pytest.mark.parametrize("compression", ["gzip", "bzip2"])
def test_the_bytes_do_not_depend_on_the_number_of_cores(
    compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    templates = set()

    for cores in (1, 2, 64):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid, cores=cores: set(range(cores)))
        templates.add(written([ZEROS_AND_NOISE], "md5", compression))

    assert len(templates) == 1


@pytest.mark.parametrize("size", [pytest.param(7, id="tiny"), pytest.param(777_777, id="odd")])
def test_the_bytes_do_not_depend_on_how_the_data_comes(size: int) -> None:
    content = ZEROS_AND_NOISE[-2 * MIB - 5 :] if size > 7 else ZEROS_AND_NOISE[-5000:]

    blocks = [content[at : at + size] for at in range(0, len(content), size)]

    assert written([*blocks, b""]) == written([content])


def test_a_template_without_unmatched_bytes_has_no_data_part() -> None:
    template, _ = written([])

    assert list(data_parts(template)) == []
    assert unmatched(template) == b""


def test_what_stands_before_in_the_file_is_left_alone() -> None:
    plain, digest = written([b"data"])
    out = io.BytesIO(b"in front")
    out.seek(0, io.SEEK_END)

    with TemplateWriter(out, "md5", "gzip", 1) as writer:
        writer.unmatched(b"data")
        told = writer.finish(description_of(b"data", "md5"))

    assert out.getvalue() == b"in front" + plain
    assert told == digest


class Full(io.BytesIO):
    """A disk with room for the header only."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # bytes are all it gets
        if self.tell():
            raise OSError(28, "No space left on device")
        return super().write(data)


def fill(out: io.BytesIO) -> None:
    with TemplateWriter(out, "md5", "gzip", 1) as writer:
        writer.unmatched(ZEROS_AND_NOISE)
        writer.finish(description_of(ZEROS_AND_NOISE, "md5"))


def test_what_cannot_be_written_is_told_and_no_thread_is_left() -> None:
    before = threading.active_count()

    with pytest.raises(OSError, match="No space left"):
        fill(Full())

    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("compression", "most"),
    [pytest.param("gzip", 6, id="gzip"), pytest.param("bzip2", 3, id="bzip2")],
)
def test_many_cores_take_no_more_memory_than_a_few(
    compression: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)))
    before = threading.active_count()

    with TemplateWriter(io.BytesIO(), "md5", compression, 1) as writer:
        writer.unmatched(bytes(20 * MIB))
        threads = threading.active_count() - before

    assert 1 <= threads <= most
