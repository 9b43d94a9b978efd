"""How an image starts a computer."""

from __future__ import annotations

import io

import pytest

from release_builder.media.bootable import Bootable, read_bootable
from release_builder.media.image import Image, MediaError

SECTOR = 2048
CATALOG = 20


def validation(platform: int = 0) -> bytes:
    return bytes([1, platform]) + bytes(28) + b"\x55\xaa"


def entry(first: int = 0x88) -> bytes:
    return bytes([first]) + bytes(31)


def section(first: int, platform: int, count: int) -> bytes:
    return bytes([first, platform]) + count.to_bytes(2, "little") + bytes(28)


def image(catalog: bytes | None, *, volume_id: str = "SME", mbr: bytes = bytes(512)) -> Image:
    """The sectors of an image that are of interest here, as ECMA-119 and El Torito lay them out."""
    data = bytearray(24 * SECTOR)
    data[:512] = mbr
    primary = bytearray(SECTOR)
    primary[:7] = b"\x01CD001\x01"
    primary[40:72] = volume_id.ljust(32).encode()
    primary[128:130] = SECTOR.to_bytes(2, "little")
    root = b"\x22\x00" + (22).to_bytes(4, "little") + bytes(4) + SECTOR.to_bytes(4, "little")
    primary[156 : 156 + len(root)] = root
    boot = bytearray(SECTOR)
    boot[:7] = b"\x00CD001\x01"
    boot[7:30] = b"EL TORITO SPECIFICATION"
    boot[71:75] = CATALOG.to_bytes(4, "little")
    end = b"\xffCD001\x01".ljust(SECTOR, b"\0")
    sectors = [primary, boot, end] if catalog is not None else [primary, end]
    for number, sector in enumerate(sectors, 16):
        data[number * SECTOR : (number + 1) * SECTOR] = sector
    if catalog is not None:
        data[CATALOG * SECTOR : CATALOG * SECTOR + len(catalog)] = catalog
    return Image(io.BytesIO(data))


BIOS = validation() + entry()


@pytest.mark.parametrize(
    ("catalog", "platforms"),
    [
        pytest.param(None, (), id="nothing"),
        pytest.param(BIOS, ("BIOS",), id="BIOS"),
        pytest.param(BIOS + section(0x91, 0xEF, 1) + entry(), ("BIOS", "UEFI"), id="both"),
        pytest.param(validation(0xEF) + entry(), ("UEFI",), id="UEFI alone"),
        pytest.param(validation() + entry(0), (), id="not to be started"),
        pytest.param(
            BIOS + section(0x90, 2, 1) + entry() + section(0x91, 0xEF, 2) + entry() + entry(0),
            ("BIOS", "platform 0x02", "UEFI"),
            id="sections",
        ),
        pytest.param(
            BIOS + section(0x91, 0xEF, 1) + entry() + section(0x91, 0xEF, 1) + entry(),
            ("BIOS", "UEFI"),
            id="after the last",
        ),
    ],
)
def test_the_platforms_of_the_boot_catalog_are_told(
    catalog: bytes | None, platforms: tuple[str, ...]
) -> None:
    assert read_bootable(image(catalog)) == Bootable("SME", platforms, hybrid=False)


def test_a_first_sector_with_code_and_a_partition_makes_a_hybrid() -> None:
    mbr = b"\xeb" + bytes(445) + b"\x80\0\0\0\x17" + bytes(11) + bytes(48) + b"\x55\xaa"

    assert read_bootable(image(BIOS, mbr=mbr)).hybrid
    assert not read_bootable(image(BIOS, mbr=b"\0" + mbr[1:])).hybrid
    assert not read_bootable(image(BIOS, mbr=mbr[:510] + b"\0\0")).hybrid


def test_a_volume_id_may_have_blanks_in_it() -> None:
    assert read_bootable(image(None, volume_id="CentOS 7 x86_64")).volume_id == "CentOS 7 x86_64"


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(MediaError, match="no ISO 9660 image"):
        read_bootable(Image(io.BytesIO(bytes(40 * SECTOR))))
