"""Boot catalogs, honest ones and others."""

from __future__ import annotations

import io
from struct import pack

import pytest
from iso_builder import FIRST, ROOT, SECTOR, extents, folder, image, of_kind, record

from release_builder.extents import Extent, Kind
from release_builder.media import MediaError, find_layout

CATALOG = 30
VALID = b"\1" + bytes(29) + b"\x55\xaa"
EXTENSION = b"\x44".ljust(32, b"\0")


def boot(block: int, sectors: int = 4, emulation: int = 0) -> bytes:
    """An entry that names a boot image."""
    return (b"\x88" + bytes([emulation]) + bytes(4) + pack("<HI", sectors, block)).ljust(32, b"\0")


def section(count: int, *, last: bool = True) -> bytes:
    return (bytes([0x91 if last else 0x90, 0xEF]) + pack("<H", count)).ljust(32, b"\0")


def bootable(*entries: bytes, records: tuple[bytes, ...] = (), count: int = 40) -> bytes:
    """An image with a catalog of these entries."""
    mark = b"\0CD001\1EL TORITO SPECIFICATION".ljust(71, b"\0") + pack("<I", CATALOG)
    return image(
        {
            17: mark,
            18: b"\xffCD001\1",
            ROOT: folder(ROOT, *records),
            CATALOG: b"".join(entries),
        },
        count,
    )


def boot_images(content: bytes) -> list[tuple[int, int]]:
    """Sector and length of each."""
    return [(offset // SECTOR, size) for _, offset, size in of_kind(content, Kind.BOOT_IMAGE)]


def test_a_catalog_and_its_image_are_found_though_no_file_names_them() -> None:
    content = bootable(VALID, boot(FIRST))

    assert of_kind(content, Kind.BOOT_CATALOG) == [("", CATALOG * SECTOR, SECTOR)]
    assert boot_images(content) == [(FIRST, 2048)]


def test_what_is_a_file_as_well_is_found_as_the_file() -> None:
    records = (record(b"BOOT.CAT", CATALOG, SECTOR), record(b"BOOT.IMG", FIRST, 9000))
    content = bootable(VALID, boot(FIRST), records=records)

    found = [extent.name for extent in extents(content) if extent.kind is Kind.FILE]

    assert found == ["BOOT.CAT", "BOOT.IMG"]
    assert of_kind(content, Kind.BOOT_CATALOG) == []
    assert boot_images(content) == []


@pytest.mark.parametrize(
    ("entries", "images"),
    [
        pytest.param([section(1), boot(26)], [24, 26], id="one"),
        pytest.param([section(2), boot(26), boot(27)], [24, 26, 27], id="two images"),
        pytest.param(
            [section(1, last=False), boot(26), section(1), boot(27)], [24, 26, 27], id="two"
        ),
        pytest.param(
            [section(2), boot(26), EXTENSION, EXTENSION, boot(27), EXTENSION],
            [24, 26, 27],
            id="extensions",
        ),
        pytest.param(
            [section(1, last=False), boot(26), EXTENSION, section(1), boot(27)],
            [24, 26, 27],
            id="extension before a section",
        ),
        pytest.param([section(1), boot(26), section(1), boot(27)], [24, 26], id="after the last"),
        pytest.param([bytes(32), boot(26)], [24], id="no section"),
        pytest.param([section(1), boot(26, sectors=0)], [24], id="no sectors"),
    ],
)
def test_the_images_of_all_sections_are_found(entries: list[bytes], images: list[int]) -> None:
    content = bootable(VALID, boot(24), *entries)

    assert boot_images(content) == [(block, 2048) for block in images]


@pytest.mark.parametrize(
    ("emulation", "size"),
    [
        pytest.param(0, 5 * 512, id="none"),
        pytest.param(1, 1_228_800, id="1.2 MB"),
        pytest.param(2, 1_474_560, id="1.44 MB"),
        pytest.param(3, 2_949_120, id="2.88 MB"),
        pytest.param(0x14, 5 * 512, id="hard disk, flags above"),
    ],
)
def test_an_image_is_as_long_as_what_it_stands_for(emulation: int, size: int) -> None:
    content = bootable(VALID, boot(FIRST, 5, emulation), count=1500)

    assert boot_images(content) == [(FIRST, size)]


def test_an_image_that_claims_too_many_sectors_ends_with_the_disc() -> None:
    assert boot_images(bootable(VALID, boot(38, 0xFFFF))) == [(38, 2 * SECTOR)]


def test_a_catalog_of_two_sectors_is_that_long() -> None:
    content = bootable(VALID, boot(FIRST), section(62), *[boot(FIRST)] * 62)

    assert of_kind(content, Kind.BOOT_CATALOG) == [("", CATALOG * SECTOR, 2 * SECTOR)]


def test_a_section_that_never_ends_is_read_to_a_limit_only() -> None:
    entries = [boot(FIRST)] * 2000
    content = bootable(VALID, boot(FIRST), section(0xFFFF), *entries, count=80)

    assert of_kind(content, Kind.BOOT_CATALOG) == [("", CATALOG * SECTOR, 1024 * 32)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(bootable(), f"no boot catalog begins at offset {30 * SECTOR}", id="zeros"),
        pytest.param(bootable(b"\1" + bytes(31), boot(24)), "no boot catalog", id="no signature"),
        pytest.param(bootable(b"\2" + VALID[1:], boot(24)), "no boot catalog", id="no header"),
        pytest.param(bootable(VALID, boot(41)), "boot image at offset 83968", id="image outside"),
        pytest.param(
            bootable(VALID, boot(24))[: 30 * SECTOR + 40], "boot catalog at offset", id="cut off"
        ),
        pytest.param(
            bootable(VALID, boot(24))[: 30 * SECTOR + 100], "boot catalog at offset", id="cut later"
        ),
    ],
)
def test_a_broken_catalog_is_refused_with_the_place(content: bytes, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        extents(content)


def test_a_broken_catalog_loses_no_file() -> None:
    content = bytearray(bootable(VALID, boot(FIRST), records=(record(b"A", FIRST, 9000),)))
    content[CATALOG * SECTOR + 30] = 0
    layout = find_layout(io.BytesIO(content))
    assert layout is not None

    found: list[Extent] = []
    with pytest.raises(MediaError, match="no boot catalog begins"):
        found.extend(layout.extents)

    assert [each.name for each in found if each.kind is Kind.FILE] == ["A"]
