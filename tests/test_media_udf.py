"""UDF images, made by pycdlib, without the ISO 9660 file system that it puts beside."""

from __future__ import annotations

import binascii
import io
import sys
from struct import pack

import pycdlib
import pytest
from builders import noise
from iso_builder import SECTOR, extents, files, folders

from release_builder.extents import Extent, Kind
from release_builder.media import MediaError, find_layout
from release_builder.media.image import Image
from release_builder.media.udf import _BesideIso9660

CONTENT = {"a": noise(5000, 1), "d/näme 1": noise(3, 2), "d/e/日本": noise(2048, 3), "d/empty": b""}
FILE_ENTRY = pack("<HH", 261, 2)


def bridge() -> bytes:
    """UDF and ISO 9660 in one."""
    disc = pycdlib.PyCdlib()
    disc.new(udf="2.60")
    disc.add_directory("/D", udf_path="/d")
    disc.add_directory("/D/E", udf_path="/d/e")
    for number, (name, data) in enumerate(CONTENT.items()):
        disc.add_fp(io.BytesIO(data), len(data), f"/F{number}.;1", udf_path=f"/{name}")
    out = io.BytesIO()
    disc.write_fp(out)
    return out.getvalue()


def udf_only(both: bytes) -> bytes:
    """The sectors from 16 on without those of ISO 9660."""
    sectors = [both[at * SECTOR : (at + 1) * SECTOR] for at in range(16, 24)]
    kept = [sector for sector in sectors if sector[1:6] in {b"BEA01", b"NSR02", b"TEA01"}]
    assert len(kept) == 3
    return both[: 16 * SECTOR] + b"".join(kept).ljust(8 * SECTOR, b"\0") + both[24 * SECTOR :]


WHOLE = udf_only(bridge())


def test_the_bytes_of_each_file_are_found_where_they_lie() -> None:
    found = {name: WHOLE[at : at + size] for name, at, size in files(WHOLE)}

    assert found == {name: data for name, data in CONTENT.items() if data}
    assert folders(WHOLE) == ["", "d", "d/e"]


def test_what_marks_the_image_is_found_as_well() -> None:
    found = extents(WHOLE)

    assert found[:4] == [
        Extent(0, 32768, Kind.SYSTEM_AREA),
        Extent(32768, 2048, Kind.DESCRIPTOR),
        Extent(34816, 2048, Kind.DESCRIPTOR),
        Extent(36864, 2048, Kind.DESCRIPTOR),
    ]


def test_a_bridge_is_read_as_iso_9660() -> None:
    layout = find_layout(io.BytesIO(bridge()))

    assert layout is not None
    assert layout.format == "ISO 9660"
    assert {each.name for each in layout.extents if each.kind is Kind.FILE} == {"F0", "F1", "F2"}


def test_without_pycdlib_what_to_install_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycdlib", None)

    layout = find_layout(io.BytesIO(WHOLE))

    assert layout is not None
    assert layout.format == "UDF"
    with pytest.raises(MediaError, match=r"pip install release-builder\[udf\]"):
        next(layout.extents)


def test_without_pycdlib_a_bridge_is_read_as_iso_9660(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycdlib", None)

    layout = find_layout(io.BytesIO(bridge()))

    assert layout is not None
    assert layout.format == "ISO 9660"


def with_pieces(pieces: bytes, flags: int = 0) -> bytes:
    """The image, with the file ``a`` lying in these pieces (length and block each)."""
    _, at, size = files(WHOLE)[0]
    assert size == 5000
    start = next(
        offset
        for offset in range(0, len(WHOLE), SECTOR)
        if WHOLE[offset:].startswith(FILE_ENTRY)
        and WHOLE[offset + 56 : offset + 64] == pack("<Q", 5000)
    )
    entry = bytearray(WHOLE[start : start + SECTOR])
    assert pack("<II", 5000, at // SECTOR - 257) == entry[176:184]
    entry[34:36] = pack("<H", flags)
    entry[172:176] = pack("<I", len(pieces))
    entry[176 : 176 + len(pieces)] = pieces
    length = 160 + len(pieces)
    entry[8:12] = pack("<HH", binascii.crc_hqx(entry[16 : 16 + length], 0), length)
    entry[4] = (sum(entry[:16]) - entry[4]) % 256
    return WHOLE[:start] + bytes(entry) + WHOLE[start + SECTOR :]


def block_of(name: str) -> int:
    """The block of a file, from the start of the partition."""
    return next(at for found, at, _ in files(WHOLE) if found == name) // SECTOR - 257


FIRST = block_of("a")


@pytest.mark.parametrize(
    ("pieces", "flags", "found"),
    [
        pytest.param(pack("<IIII", 2048, FIRST, 2952, FIRST + 1), 0, [5000], id="that adjoin"),
        pytest.param(
            pack("<IIIIII", 2048, FIRST, 2952, FIRST + 1, 0, 0), 0, [5000], id="and an empty one"
        ),
        pytest.param(pack("<II", 8192, FIRST), 0, [5000], id="longer than the file"),
        pytest.param(pack("<IIII", 2048, FIRST, 2952, FIRST + 2), 0, [], id="that do not"),
        pytest.param(pack("<IIII", 2000, FIRST, 3000, FIRST + 1), 0, [], id="part of a block"),
        pytest.param(noise(16), 3, [], id="inside the file entry"),
        pytest.param(pack("<II", 0, FIRST), 0, [], id="none"),
    ],
)
def test_a_file_is_found_when_it_lies_in_one_piece(
    pieces: bytes, flags: int, found: list[int]
) -> None:
    content = with_pieces(pieces, flags)

    assert [size for name, _, size in files(content) if name == "a"] == found


def test_an_image_without_a_root_directory_has_no_files() -> None:
    """pycdlib takes a blank file entry for one that was removed."""
    root = WHOLE.index(FILE_ENTRY, 257 * SECTOR)

    found = extents(WHOLE[:root] + bytes(SECTOR) + WHOLE[root + SECTOR :])

    assert {each.kind for each in found} == {Kind.SYSTEM_AREA, Kind.DESCRIPTOR}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            with_pieces(pack("<II", 5000, 9999)), "file 'a' at offset 21004288 ends", id="outside"
        ),
        pytest.param(WHOLE[: 40 * SECTOR], "^UDF, as pycdlib reads it: ", id="cut off"),
        pytest.param(
            WHOLE[: 257 * SECTOR] + bytes(SECTOR) + WHOLE[258 * SECTOR :],
            "^UDF, as pycdlib reads it: ",
            id="no file set",
        ),
    ],
)
def test_a_broken_image_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        extents(content)


def test_long_directories_are_refused_before_they_take_long() -> None:
    image = Image(io.BytesIO(WHOLE + bytes(4 << 20)))
    stream = _BesideIso9660(image, 3)
    stream.read(3 << 19)
    stream.seek(0)

    with pytest.raises(MediaError, match="directories are too long"):
        stream.read(3 << 19)
