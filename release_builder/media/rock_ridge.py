"""Rock Ridge: the names of a POSIX file system beside those of ISO 9660.

Source: System Use Sharing Protocol 1.12 (IEEE P1281), chapters 4 and 5; Rock Ridge Interchange
Protocol 1.12 (IEEE P1282), chapter 4. An entry: 2 signature | 1 length of the whole | 1 version |
data.
"""

from __future__ import annotations

from struct import unpack_from
from typing import TYPE_CHECKING, Final, NamedTuple

from release_builder.media.image import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.media.image import Image
    from release_builder.media.iso_records import Record

_HEADER: Final = 4  # bytes
_SHARING: Final = b"SP\x07\x01\xbe\xef"
_XA_LENGTH: Final = 14  # bytes that CD-ROM XA puts before the first entry
_CURRENT_OR_PARENT: Final = 0x02 | 0x04
_LONGEST_NAME: Final = 4096  # bytes; POSIX systems have 255
_MOST_CONTINUATIONS: Final = 100
_LONGEST_CONTINUATION: Final = 1 << 20  # bytes


class RockRidge(NamedTuple):
    """What the entries of a directory record tell.

    Attributes:
        name: Empty when there is none.
        child: The block of the directory that lies elsewhere because it is too deep; or None.
        relocated: The record is where such a directory lies, not where it belongs.
    """

    name: bytes
    child: int | None
    relocated: bool


def find_rock_ridge(image: Image, root: Record, block: int) -> int | None:
    """How many bytes to skip before the first entry of a record; None without Rock Ridge.

    Args:
        image: The image.
        root: The root directory's record of itself.
        block: Bytes of a logical block.

    Raises:
        MediaError: An entry is wrong.
    """
    for start in (0, _XA_LENGTH):
        field = root.system_use[start:]
        if field.startswith(_SHARING) and len(field) > len(_SHARING):
            # Every record of a Rock Ridge tree has PX; others use the sharing protocol as well.
            found = any(kind == b"PX" for kind, _ in _entries(image, root.at, field, block))
            return field[6] if found else None
    return None


def read_rock_ridge(image: Image, record: Record, block: int, skip: int) -> RockRidge:
    """The entries of a directory record.

    Args:
        image: The image.
        record: The record.
        block: Bytes of a logical block.
        skip: What ``find_rock_ridge`` said.

    Raises:
        MediaError: An entry is wrong, or a continuation lies outside the image or never ends.
    """
    name, child, relocated = b"", None, False
    for kind, data in _entries(image, record.at, record.system_use[skip:], block):
        if kind == b"NM" and data and not data[0] & _CURRENT_OR_PARENT:
            name += data[1:]
            if len(name) > _LONGEST_NAME:
                raise MediaError(f"Rock Ridge: a long name in the record at offset {record.at}")
        elif kind == b"CL" and len(data) >= 4:
            child = int.from_bytes(data[:4], "little")
        elif kind == b"RE":
            relocated = True
    return RockRidge(name, child, relocated)


def _entries(image: Image, at: int, area: bytes, block: int) -> Iterator[tuple[bytes, bytes]]:
    """Signature and data of each entry, those in continuation areas included.

    Args:
        image: The image.
        at: Offset of the directory record, for messages.
        area: Its system use area.
        block: Bytes of a logical block.
    """
    for _ in range(_MOST_CONTINUATIONS):
        position, following = 0, b""
        while position + _HEADER <= len(area) and area[position]:  # zeros fill what is left
            kind, size = area[position : position + 2], area[position + 2]
            if not _HEADER <= size <= len(area) - position:
                raise MediaError(
                    f"Rock Ridge: an entry of the directory record at offset {at} cannot be"
                    f" {size} bytes long"
                )
            if kind == b"ST":
                break
            data = area[position + _HEADER : position + size]
            if kind == b"CE":
                following = data
            else:
                yield kind, data
            position += size
        if not following:
            return
        area = _continuation(image, at, following, block)
    raise MediaError(f"Rock Ridge: the directory record at offset {at} is continued without end")


def _continuation(image: Image, at: int, entry: bytes, block: int) -> bytes:
    """The area that a CE entry names: block, offset in it and length, u32 twice each."""
    if len(entry) < 24:
        raise MediaError(f"Rock Ridge: a continuation of the record at offset {at} is cut off")
    location, offset, length = unpack_from("<I4xI4xI", entry)
    if length > _LONGEST_CONTINUATION:
        raise MediaError(
            f"Rock Ridge: a continuation of the directory record at offset {at} is"
            f" {length:,} bytes long"
        )
    return image.read(location * block + offset, length, "Rock Ridge: continuation area")
