"""Members of tar archives, by tarfile of the standard library."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Final

from release_builder.extents import Extent, Kind
from release_builder.media.image import MediaError, Window, clean_path, library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.media.image import Image

_BLOCK: Final = tarfile.BLOCKSIZE  # bytes
_MAGIC: Final = slice(257, 262)
# Bytes of a name or of attributes: tarfile's time grows with the square (before Python 3.11.10).
_LONGEST_NAME: Final = 16 << 10


def is_tar(image: Image) -> bool:
    """Whether the archive begins with a header: by its magic, or in old ones by its sum."""
    if image.size < _BLOCK:
        return False
    block = image.read(0, _BLOCK, "tar: header")
    if block[_MAGIC] == b"ustar":
        return True
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def tar_extents(image: Image) -> Iterator[Extent]:
    """The headers and files of an archive; links and sparse files have no bytes of their own.

    Raises:
        MediaError: The archive is broken or cut off.
    """
    with library("tar"):
        archive = tarfile.TarFile(
            fileobj=Window(image, _LONGEST_NAME), encoding="utf-8", errors="surrogateescape"
        )
    while True:
        with library("tar"):
            member = archive.next()
        if member is None:
            break
        # They would pile up; typeshed does not know the list.
        archive.members.clear()  # type: ignore[attr-defined]
        if member.size < 0:  # the next header would be an earlier one
            raise MediaError(f"tar: the member at offset {member.offset} has a size below zero")
        yield image.checked(Extent(member.offset, member.offset_data - member.offset, Kind.HEADER))
        if member.isreg() and not member.issparse() and member.size:
            name = clean_path(member.name)
            yield image.checked(Extent(member.offset_data, member.size, Kind.FILE, name))
    _check_end(image, archive.offset)


def _check_end(image: Image, offset: int) -> None:
    """Tarfile stops at any header but the first one that is wrong, as if all were read."""
    block = image.read(offset, min(_BLOCK, max(image.size - offset, 0)), "tar: header")
    if any(block):
        raise MediaError(f"tar: the header at offset {offset} is wrong")
