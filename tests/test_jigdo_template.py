"""Templates of jigdo-file, and hostile ones built here."""

from __future__ import annotations

import bz2
import hashlib
import io
import zlib

import pytest
from golden import GOLDEN

from release_builder.digests import BLOCK, Digest
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    TemplateError,
    UnmatchedData,
    format_description,
)
from release_builder.jigdo.template import Template, read_template

HEADER = b"JigsawDownload template 1.2 test/1\r\nany words\r\n\r\n"
TEXT = b"what only the template holds. " * 100
NAME = "t.template"


def part(stream: bytes, unpacked: int, kind: bytes = b"DATA") -> bytes:
    return kind + u48(16 + len(stream)) + u48(unpacked) + stream


def u48(number: int) -> bytes:
    return number.to_bytes(6, "little")


def described(length: int) -> bytes:
    """The DESC part of an image that is all unmatched."""
    runs = (UnmatchedData(length),) if length else ()
    return format_description(Description(ImageInfo(length, Digest("md5", bytes(16)), 1024), runs))


def template(*parts: bytes, length: int = len(TEXT), header: bytes = HEADER) -> bytes:
    return header + b"".join(parts) + described(length)


def read(content: bytes) -> Template:
    return read_template(io.BytesIO(content), NAME)


def data_of(whole: Template, count: int = BLOCK) -> bytes:
    """All unmatched bytes, asked for in pieces of ``count``."""
    reader, pieces = whole.unmatched(), []
    while piece := reader.read(count):
        pieces.append(piece)
    reader.finish()
    return b"".join(pieces)


GOOD = template(part(zlib.compress(TEXT), len(TEXT)))


@pytest.mark.parametrize("case", ["md5", "sha256", "bzip2"])
def test_every_byte_that_jigdo_file_wrote_is_the_images(case: str) -> None:
    image = (GOLDEN / "image.bin").read_bytes()

    with (GOLDEN / f"{case}.template").open("rb") as stream:
        whole = read_template(stream, case)
        reader, rebuilt = whole.unmatched(), b""
        for run in whole.description.runs:
            if isinstance(run, UnmatchedData):
                rebuilt += reader.read(run.length)
            else:
                piece = image[len(rebuilt) : len(rebuilt) + run.length]
                assert hashlib.new(run.digest.algorithm, piece).digest() == run.digest.value
                rebuilt += piece
        reader.finish()

    assert rebuilt == image
    assert whole.generator == "jigdo-file/0.8.0"
    digest = whole.description.image.digest
    assert hashlib.new(digest.algorithm, image).digest() == digest.value


@pytest.mark.parametrize("case", ["md5", "sha256", "bzip2"])
def test_a_template_cut_anywhere_is_refused(case: str) -> None:
    content = (GOLDEN / f"{case}.template").read_bytes()

    for length in range(len(content)):
        with pytest.raises(TemplateError, match=f"^{NAME}: "):
            read(content[:length])


@pytest.mark.parametrize("count", [1, 7, 1000, BLOCK, 1 << 40])
def test_data_comes_in_pieces_of_any_size(count: int) -> None:
    parts = (
        part(zlib.compress(TEXT[:1000]), 1000),
        part(bz2.compress(TEXT[1000:1001]), 1, b"BZIP"),
        part(zlib.compress(TEXT[1001:]), len(TEXT) - 1001),
    )

    data = data_of(read(template(*parts)), count)

    assert data == TEXT


def test_a_piece_is_as_long_as_was_asked_but_never_above_1_mib() -> None:
    zeros = bytes(5 * BLOCK // 2)
    content = template(part(zlib.compress(zeros), len(zeros)), length=len(zeros))

    reader = read(content).unmatched()
    lengths = [len(reader.read(2 * BLOCK)) for _ in range(4)]

    assert lengths == [BLOCK, BLOCK, BLOCK // 2, 0]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((), id="no part"),
        pytest.param((part(bytes.fromhex("78da030000000001"), 0),), id="as jigdo-file has it"),
        pytest.param((part(zlib.compress(b""), 0), part(bz2.compress(b""), 0, b"BZIP")), id="two"),
    ],
)
def test_parts_without_data_are_fine(parts: tuple[bytes, ...]) -> None:
    content = template(*parts, length=0)

    data = data_of(read(content))

    assert data == b""


def test_version_and_generator_of_libjte_are_read() -> None:
    header = b"JigsawDownload template 1.1 libjte-2.0.0 \r\nJTE at <http://x/> \r\n\r\n"

    whole = read(template(length=0, header=header))

    assert (whole.version, whole.generator) == ("1.1", "libjte-2.0.0")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "is not a jigdo template", id="nothing"),
        pytest.param(b"<html>" + GOOD, "is not a jigdo template", id="web page"),
        pytest.param(GOOD.replace(b"\r\n", b"\n"), "CR LF", id="LF only"),
        pytest.param(GOOD.replace(b"words\r\n\r\n", b"words\r\nx\r\n"), "third", id="third line"),
        pytest.param(HEADER[:24] + b"1.2 " + b"x" * 2000, "CR LF", id="endless header"),
        pytest.param(GOOD.replace(b"1.2", b"one"), "names no version", id="no version"),
        pytest.param(GOOD.replace(b"1.2", b"3.0"), "version 3 needs a newer", id="version 3"),
        pytest.param(
            GOOD.replace(b"1.2", b"9" * 900),
            "version 9{20} needs a newer",
            id="version of 900 digits",
        ),
        pytest.param(HEADER, "too short", id="header only"),
        pytest.param(GOOD[:-6] + u48(1 << 47), "claim a DESC part of", id="trailing length 2^47"),
        pytest.param(GOOD[:-6] + u48(20), "does not begin with DESC", id="trailing length 20"),
        pytest.param(GOOD[:-1], "at offset", id="cut by 1"),
        pytest.param(GOOD + b"\0", "at offset", id="a byte too many"),
        pytest.param(
            template(part(b"x", 3000, b"LZMA")), "part 1 at offset 49: b'LZMA'", id="other part"
        ),
        pytest.param(
            template(b"DATA" + u48(0) + u48(3000)), "its length of 0 bytes", id="part length 0"
        ),
        pytest.param(
            template(b"DATA" + u48(16) + u48(3000)), "its length of 16 bytes", id="no stream"
        ),
        pytest.param(
            template(b"DATA" + u48(1 << 47) + u48(3000)), "cannot be right", id="part length 2^47"
        ),
        pytest.param(
            template(part(bytes((16 << 20) + 1), 3000)), "more than any program", id="part too long"
        ),
        pytest.param(
            template(part(zlib.compress(TEXT), 1 << 47)),
            "but the image needs 3,000",
            id="claim 2^47",
        ),
        pytest.param(template(), "claim 0 bytes, but the image needs 3,000", id="too little data"),
        pytest.param(
            template(part(b"x", 3000), part(b"x", 1)), "claim 3,001 bytes", id="too much data"
        ),
        pytest.param(template(b"DATA"), "part 1 at offset 49", id="half a part"),
    ],
)
def test_a_wrong_frame_is_refused_before_any_data_is_unpacked(content: bytes, words: str) -> None:
    with pytest.raises(TemplateError, match=f"^{NAME}: .*{words}"):
        read(content)


STREAM = zlib.compress(TEXT)


@pytest.mark.parametrize(
    ("stream", "kind", "words"),
    [
        pytest.param(STREAM[:10] + b"\xff" * 9 + STREAM[19:], b"DATA", "is broken", id="zlib"),
        pytest.param(STREAM[:-1] + b"\0", b"DATA", "is broken", id="wrong zlib check"),
        pytest.param(STREAM, b"BZIP", "is broken", id="zlib called bzip2"),
        pytest.param(STREAM[:-1], b"DATA", "is cut short", id="zlib cut"),
        pytest.param(bz2.compress(TEXT)[:-4], b"BZIP", "is cut short", id="bzip2 cut"),
        pytest.param(STREAM + b"more", b"DATA", "4 bytes follow", id="zlib and more"),
        pytest.param(bz2.compress(TEXT) + b"more", b"BZIP", "4 bytes follow", id="bzip2 and more"),
        pytest.param(STREAM + bytes(200_000), b"DATA", "200,000 bytes follow", id="much more"),
        pytest.param(zlib.compress(TEXT[:-1]), b"DATA", "holds 2,999 bytes, not", id="too short"),
        pytest.param(zlib.compress(TEXT + b"x"), b"DATA", "more than the claimed", id="too long"),
        pytest.param(
            zlib.compress(bytes(20 << 20)), b"DATA", "more than the claimed 3,000", id="zip bomb"
        ),
        pytest.param(
            bz2.compress(bytes(10 << 20)), b"BZIP", "more than the claimed 3,000", id="bzip2 bomb"
        ),
    ],
)
def test_wrong_data_is_refused_with_the_parts_place(stream: bytes, kind: bytes, words: str) -> None:
    whole = read(template(part(stream, len(TEXT), kind)))

    with pytest.raises(TemplateError, match=f"^{NAME}: part 1 at offset 49: .*{words}"):
        data_of(whole)


def test_the_end_of_the_last_part_is_checked_though_all_bytes_are_there() -> None:
    reader = read(template(part(STREAM + b"more", len(TEXT)))).unmatched()

    assert reader.read(len(TEXT)) == TEXT
    with pytest.raises(TemplateError, match="4 bytes follow"):
        reader.finish()


@pytest.mark.parametrize("taken", [0, 1, len(TEXT) - 1])
def test_data_that_was_not_asked_for_is_an_error(taken: int) -> None:
    reader = read(GOOD).unmatched()
    reader.read(taken)

    with pytest.raises(TemplateError, match="more data than was asked for"):
        reader.finish()


def test_two_readers_do_not_disturb_each_other() -> None:
    whole = read(GOOD)
    first, second = whole.unmatched(), whole.unmatched()

    data = first.read(10) + second.read(1000) + first.read(2990) + second.read(2000)

    assert data == TEXT[:10] + TEXT[:1000] + TEXT[10:] + TEXT[1000:]


def test_the_name_in_messages_is_printable() -> None:
    with pytest.raises(TemplateError, match=r"^a\\x1bb: "):
        read_template(io.BytesIO(b""), "a\x1bb")
