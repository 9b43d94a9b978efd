"""Directory records of ISO 9660.

Source: ECMA-119, 2nd edition, 6.8 and 9.1.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from release_builder.media.image import MediaError
from release_builder.media.iso_volume import SECTOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.media.image import Image

DIRECTORY: Final = 0x02
_MORE_EXTENTS: Final = 0x80
# 0 record length | 1 extended attribute record's length, blocks | 2 block, u32 | 10 length, u32 |
# 25 flags | 26 file unit size | 27 gap size | 32 identifier's length | 33 identifier, then a pad
# byte when its length is even, then the system use area.
_RECORD: Final = Struct("<BBI4xI11xBBB4xB")
_LONGEST_DIRECTORY: Final = 64 << 20  # bytes; half a million files
_CHUNK: Final = 32 << 10  # bytes of a directory in memory, whole sectors


class Record(NamedTuple):
    """A directory record.

    Attributes:
        at: Its own offset in the image.
        offset: Of the first byte of what it names, in the image.
        length: Bytes.
        flags: ``DIRECTORY`` and others.
        interleaved: The bytes do not lie in one piece.
        identifier: The name.
        system_use: What extensions such as Rock Ridge add.
    """

    at: int
    offset: int
    length: int
    flags: int
    interleaved: bool
    identifier: bytes
    system_use: bytes


def read_records(image: Image, offset: int, length: int, block: int) -> Iterator[Record]:
    """The records of a directory, those of itself and its parent left out.

    Args:
        image: The image.
        offset: Of the directory.
        length: Bytes of it.
        block: Bytes of a logical block.

    Raises:
        MediaError: The directory is cut off or longer than 64 MiB, or a record is wrong.
    """
    if length > _LONGEST_DIRECTORY:
        raise MediaError(f"ISO 9660: the directory at offset {offset} is {length:,} bytes long")
    end = offset + length
    while offset < end:
        stop = min((offset + _CHUNK) // SECTOR * SECTOR, end)
        chunk = image.read(offset, stop - offset, "ISO 9660: directory")
        for record in _records(chunk, offset, block):
            if record.identifier not in {b"\0", b"\1"}:
                yield record
        offset = stop


def read_first(image: Image, offset: int, block: int) -> Record:
    """The first record of the directory at ``offset``, which is that of itself.

    Raises:
        MediaError: It is cut off or wrong.
    """
    (size,) = image.read(offset, 1, "ISO 9660: directory")
    data = image.read(offset, size, "ISO 9660: directory")
    first = next(_records(data, offset, block), None)
    if first is None or first.identifier != b"\0" or not first.flags & DIRECTORY:
        raise MediaError(f"ISO 9660: no directory begins at offset {offset}")
    return first


def whole_file(record: Record, following: Iterator[Record]) -> Record | None:
    """The record of all extents of a file, which may be many when it is longer than 4 GiB.

    Args:
        record: Of the first extent.
        following: Where the records of the other extents are taken from.

    Returns:
        The record; None when the file does not lie in one piece.

    Raises:
        MediaError: The last extent is missing.
    """
    if not record.flags & _MORE_EXTENTS:
        return None if record.interleaved else record
    whole, in_one_piece = record, not record.interleaved
    while record.flags & _MORE_EXTENTS:
        following_one = next(following, None)
        if following_one is None or following_one.identifier != whole.identifier:
            raise MediaError(
                f"ISO 9660: the directory record at offset {record.at} is not a file's last, but"
                " no other of that file follows"
            )
        record = following_one
        in_one_piece &= not record.interleaved and record.offset == whole.offset + whole.length
        whole = whole._replace(length=whole.length + record.length)
    return whole if in_one_piece else None


def _records(chunk: bytes, offset: int, block: int) -> Iterator[Record]:
    """The records of a part of a directory that begins at ``offset`` and ends with a sector."""
    position = 0
    while position < len(chunk):
        size = chunk[position]
        if not size:  # the rest of a sector that the next record does not fit into
            position += block - position % block
            continue
        room = min(SECTOR - (offset + position) % SECTOR, len(chunk) - position)
        if not _RECORD.size < size <= room:
            raise MediaError(
                f"ISO 9660: the directory record at offset {offset + position} cannot be"
                f" {size} bytes long"
            )
        _, ear, location, length, flags, unit, gap, letters = _RECORD.unpack_from(chunk, position)
        name = position + _RECORD.size
        system_use = name + letters + (letters + 1) % 2
        if not letters or name + letters > position + size:
            raise MediaError(
                f"ISO 9660: the name in the directory record at offset {offset + position} cannot"
                f" be {letters} bytes long"
            )
        yield Record(
            offset + position,
            (location + ear) * block,
            length,
            flags,
            bool(unit or gap),
            chunk[name : name + letters],
            chunk[system_use : position + size],
        )
        position += size
