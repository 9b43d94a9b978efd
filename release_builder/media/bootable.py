"""How an image starts a computer, as the image itself says.

Source: ECMA-119, 2nd edition, 8.4 (volume identifier: 32 bytes at offset 40 of the primary
descriptor); El Torito Bootable CD-ROM Format Specification 1.0, figures 2 to 5 (platforms), and
the UEFI Specification, "ISO-9660 and El Torito" (platform 0xEF); the MBR of a PC (four entries of
16 bytes at offset 446, 0x55 0xAA at 510).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.media.image import MediaError
from release_builder.media.iso_volume import SECTOR, SYSTEM_AREA, is_iso9660, read_descriptors

if TYPE_CHECKING:
    from release_builder.media.image import Image

_ENTRY: Final = 32  # bytes
_PLATFORMS: Final = {0x00: "BIOS", 0xEF: "UEFI"}
_BOOTABLE: Final = 0x88
_SECTIONS: Final = frozenset({0x90, 0x91})
_LAST_SECTION: Final = 0x91
_MBR_ENTRIES: Final = range(446, 510, 16)


@dataclass(frozen=True, slots=True)
class Bootable:
    """How an image starts a computer.

    Attributes:
        volume_id: What the volume is called, without the blanks at its end.
        platforms: What has a boot image in it: ``BIOS``, ``UEFI``, or a platform's number.
        hybrid: Whether it also starts from a USB stick: the first sector is an MBR.
    """

    volume_id: str
    platforms: tuple[str, ...]
    hybrid: bool


def read_bootable(image: Image) -> Bootable:
    """How the ISO 9660 image ``image`` starts a computer.

    Raises:
        MediaError: It is none, or its structures are wrong.
        OSError: It cannot be read.
    """
    if not is_iso9660(image):
        raise MediaError("it is no ISO 9660 image")
    descriptors = read_descriptors(image)
    name = image.read(SYSTEM_AREA + 40, 32, "volume id").decode("ascii", "surrogateescape")
    platforms: list[str] = []
    for offset in descriptors.boot_catalogs:
        platforms += _platforms(image.read(offset, SECTOR, "El Torito: boot catalog"))
    return Bootable(name.rstrip(" \0"), tuple(platforms), _has_mbr(image.read(0, 512, "MBR")))


def _platforms(catalog: bytes) -> list[str]:
    """Of the entries that can be started; the first belongs to the validation entry's platform."""
    entries = [catalog[at : at + _ENTRY] for at in range(0, len(catalog), _ENTRY)]
    found = [entries[0][1]] if entries[1][0] == _BOOTABLE else []
    at = 2
    while at < len(entries) and entries[at][0] in _SECTIONS:
        count = int.from_bytes(entries[at][2:4], "little")
        section = entries[at + 1 : at + 1 + count]
        found += [entries[at][1] for entry in section if entry[0] == _BOOTABLE]
        if entries[at][0] == _LAST_SECTION:
            break
        at += 1 + count
    return [_PLATFORMS.get(platform, f"platform {platform:#04x}") for platform in found]


def _has_mbr(sector: bytes) -> bool:
    """Whether it has code, and a partition that is told."""
    told = any(sector[at + 4] for at in _MBR_ENTRIES)
    return sector[510:] == b"\x55\xaa" and told and any(sector[:440])
