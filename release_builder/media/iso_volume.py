"""Volume descriptors of ISO 9660: where its trees of directories begin.

Source: ECMA-119, 2nd edition, chapter 8; Joliet Specification 1.0, "SVD Escape Sequences Field";
El Torito Specification 1.0, chapter 2. Numbers stand twice, little-endian first: that is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack_from
from typing import TYPE_CHECKING, Final

from release_builder.extents import Extent, Kind
from release_builder.media.image import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.media.image import Image

SECTOR: Final = 2048  # bytes
SYSTEM_AREA: Final = 16 * SECTOR  # the first descriptor begins after it
_MOST_DESCRIPTORS: Final = 100
_BOOT, _PRIMARY, _SUPPLEMENTARY, _END = 0, 1, 2, 255
_JOLIET: Final = (b"%/@", b"%/C", b"%/E")
_BOOT_SYSTEM: Final = b"EL TORITO SPECIFICATION"


@dataclass(frozen=True, slots=True)
class Volume:
    """One tree of directories.

    Attributes:
        block: Bytes of a logical block, in which all locations count.
        root: Offset of the root directory.
        root_length: Bytes of it.
        joliet: The names are Joliet's.
        path_tables: One extent each.
    """

    block: int
    root: int
    root_length: int
    joliet: bool
    path_tables: tuple[Extent, ...]


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What the volume descriptors tell.

    Attributes:
        extents: Of the descriptors.
        volumes: The primary volume first.
        boot_catalogs: Their offsets.
    """

    extents: tuple[Extent, ...]
    volumes: tuple[Volume, ...]
    boot_catalogs: tuple[int, ...]


def is_iso9660(image: Image) -> bool:
    """Whether the first volume descriptor is one."""
    return image.size >= SYSTEM_AREA + 6 and image.read(SYSTEM_AREA + 1, 5, "mark") == b"CD001"


def read_descriptors(image: Image) -> Descriptors:
    """The volume descriptors, up to their terminator or to the first sector that is none.

    Raises:
        MediaError: One is cut off or wrong, or the primary one is missing.
    """
    extents: list[Extent] = []
    primary: list[Volume] = []
    supplementary: list[Volume] = []
    catalogs: list[int] = []
    for offset, sector in _sectors(image):
        extents.append(Extent(offset, SECTOR, Kind.DESCRIPTOR))
        kind = sector[0]
        if kind == _PRIMARY:
            primary.append(_volume(sector, offset))
        elif kind == _SUPPLEMENTARY:
            supplementary.append(_volume(sector, offset))
        elif kind == _BOOT and sector[7:].startswith(_BOOT_SYSTEM):
            catalogs.append(int.from_bytes(sector[71:75], "little") * SECTOR)
    if not primary:
        raise MediaError(f"ISO 9660: no primary volume descriptor at offset {SYSTEM_AREA}")
    # More primary ones are copies of the first.
    return Descriptors(tuple(extents), (primary[0], *supplementary), tuple(catalogs))


def _sectors(image: Image) -> Iterator[tuple[int, bytes]]:
    offset = SYSTEM_AREA
    for _ in range(_MOST_DESCRIPTORS):
        sector = image.read(offset, SECTOR, "ISO 9660: volume descriptor")
        if sector[1:6] != b"CD001":
            return
        yield offset, sector
        if sector[0] == _END:
            return
        offset += SECTOR
    raise MediaError(f"ISO 9660: too many volume descriptors before offset {offset}")


def _volume(sector: bytes, offset: int) -> Volume:
    """The tree that a primary or supplementary volume descriptor begins.

    Layout: 88 escape sequences (3 used) | 128 block size, u16 | 132 path table size, u32 | 140
    path tables, L and optional L little-endian, then M and optional M big-endian, u32 each |
    156 root's directory record.
    """
    (block,) = unpack_from("<H", sector, 128)
    if block not in {512, 1024, SECTOR}:
        raise MediaError(f"ISO 9660: a block size of {block} in the descriptor at offset {offset}")
    (size,) = unpack_from("<I", sector, 132)
    tables = (*unpack_from("<II", sector, 140), *unpack_from(">II", sector, 148))
    ear, root, length = sector[157], *unpack_from("<I4xI", sector, 158)
    if not length:
        raise MediaError(f"ISO 9660: an empty root directory in the descriptor at offset {offset}")
    return Volume(
        block=block,
        root=(root + ear) * block,
        root_length=length,
        joliet=sector[88:91] in _JOLIET,
        path_tables=tuple(
            Extent(at * block, size, Kind.PATH_TABLE) for at in tables if at and size
        ),
    )
