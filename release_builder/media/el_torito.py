"""El Torito: what a BIOS or an EFI firmware boots.

Source: El Torito Bootable CD-ROM Format Specification 1.0, chapter 2. Entries of the catalog are
32 bytes; numbers are little-endian.
"""

from __future__ import annotations

from struct import unpack_from
from typing import TYPE_CHECKING, Final

from release_builder.extents import Extent, Kind
from release_builder.media.image import MediaError
from release_builder.media.iso_volume import SECTOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.media.image import Image

_ENTRY: Final = 32  # bytes
_MOST_ENTRIES: Final = 1024
_LOAD_SECTOR: Final = 512  # bytes; sector counts are in these
_SECTIONS: Final = frozenset({0x90, 0x91})
_LAST_SECTION: Final = 0x91
_EXTENSION: Final = 0x44
_FLOPPIES: Final = {1: 1200 << 10, 2: 1440 << 10, 3: 2880 << 10}  # emulation: bytes


def read_catalog(image: Image, offset: int) -> list[Extent]:
    """The boot catalog at ``offset`` and the boot images that it names.

    A boot image is as long as its sector count says, or as the floppy that it stands for; many
    are longer, since firmware loads the first sectors only. Those that claim none are left out.

    Raises:
        MediaError: The catalog is wrong or lies, like an image of it, beyond the end.
    """
    images: list[Extent] = []
    length = SECTOR
    for number, entry in _image_entries(image, offset):
        length = -(-(number + 1) * _ENTRY // SECTOR) * SECTOR
        emulation, (sectors, block) = entry[1] & 0x0F, unpack_from("<HI", entry, 6)
        size = _FLOPPIES.get(emulation, sectors * _LOAD_SECTOR)
        image.check(block * SECTOR, 0, "El Torito: boot image")
        # Many a catalog claims more sectors than there are.
        size = min(size, image.size - block * SECTOR)
        if size:
            images.append(Extent(block * SECTOR, size, Kind.BOOT_IMAGE))
    return [image.checked(Extent(offset, length, Kind.BOOT_CATALOG)), *images]


def _image_entries(image: Image, offset: int) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each entry that names a boot image."""
    entries = _entries(image, offset)
    _, validation = next(entries)
    if validation[0] != 1 or validation[30:] != b"\x55\xaa":
        raise MediaError(f"El Torito: no boot catalog begins at offset {offset}")
    yield next(entries)
    last = False
    for _, header in entries:
        if header[0] == _EXTENSION:
            continue
        if last or header[0] not in _SECTIONS:
            return
        last = header[0] == _LAST_SECTION
        for _ in range(int.from_bytes(header[2:4], "little")):
            found = next((each for each in entries if each[1][0] != _EXTENSION), None)
            if found is None:
                return
            yield found


def _entries(image: Image, offset: int) -> Iterator[tuple[int, bytes]]:
    for number in range(_MOST_ENTRIES):
        yield number, image.read(offset + number * _ENTRY, _ENTRY, "El Torito: boot catalog")
