"""What is inside an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from release_builder.media.image import Image, MediaError
from release_builder.media.iso9660 import iso_extents
from release_builder.media.iso_volume import is_iso9660
from release_builder.media.tar import is_tar, tar_extents
from release_builder.media.udf import is_udf, udf_extents
from release_builder.media.zip import is_zip, zip_extents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.extents import Extent

__all__ = ["Layout", "MediaError", "find_layout"]

# An image may be of more than one: an ISO 9660 image bears UDF beside it (a bridge), or whatever
# its maker put in front of it.
_FORMATS = (
    ("ISO 9660", is_iso9660, iso_extents),
    ("UDF", is_udf, udf_extents),
    ("tar", is_tar, tar_extents),
    ("zip", is_zip, zip_extents),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the files of an image lie.

    Attributes:
        format: ``ISO 9660``, ``UDF``, ``tar`` or ``zip``.
        extents: In the order found, none empty, all inside the image; they are read while one
            iterates, once. Files that share their bytes are named one by one, with the same offset
            and length. A MediaError when the file system is broken, or UDF and pycdlib missing.
    """

    format: str
    extents: Iterator[Extent]


def find_layout(stream: BinaryIO) -> Layout | None:
    """Where the files of an image lie, or None when it is of no format that we know.

    Args:
        stream: The image, seekable. It must stay open, and unchanged, while the extents are
            iterated; its position may be moved in between.

    Raises:
        MediaError: The image became shorter meanwhile.
        OSError: The stream cannot be read.
    """
    image = Image(stream)
    for name, is_format, extents in _FORMATS:
        if is_format(image):
            return Layout(name, extents(image))
    return None
