"""Members of zip archives, by zipfile of the standard library."""

from __future__ import annotations

import zipfile
from struct import unpack_from
from typing import TYPE_CHECKING, Final

from release_builder.extents import Extent, Kind
from release_builder.media.image import MediaError, Window, clean_path, library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.media.image import Image

_LOCAL_MAGIC: Final = b"PK\x03\x04"
_LOCAL_HEADER: Final = 30  # bytes; the lengths of name and extra field stand at 26 and 28
_LONGEST_DIRECTORY: Final = 16 << 20  # bytes; some 150,000 members
_ENCRYPTED: Final = 0x01


def is_zip(image: Image) -> bool:
    """Whether the archive begins with a member."""
    return image.size >= 4 and image.read(0, 4, "zip: header") == _LOCAL_MAGIC


def zip_extents(image: Image) -> Iterator[Extent]:
    """The headers of an archive and its files, as far as they are stored and not packed.

    Raises:
        MediaError: The archive is broken or cut off.

    Cost: memory for all members, about 600 bytes each: zipfile keeps them.
    """
    with library("zip"):
        archive = zipfile.ZipFile(Window(image, _LONGEST_DIRECTORY))
    for member in archive.infolist():
        at = member.header_offset
        header = image.read(at, _LOCAL_HEADER, "zip: header")
        if not header.startswith(_LOCAL_MAGIC):
            raise MediaError(f"zip: no member begins at offset {at}")
        length = _LOCAL_HEADER + sum(unpack_from("<HH", header, 26))
        yield image.checked(Extent(at, length, Kind.HEADER))
        packed = member.compress_type != zipfile.ZIP_STORED or member.flag_bits & _ENCRYPTED
        if member.compress_size and not packed:
            name = clean_path(member.filename)
            yield image.checked(Extent(at + length, member.compress_size, Kind.FILE, name))
    directory = archive.start_dir
    yield image.checked(Extent(directory, image.size - directory, Kind.HEADER))
