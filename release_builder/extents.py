"""Where the files of an image lie, as its own file system tells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What an extent holds."""

    FILE = "file"
    DIRECTORY = "directory"
    BOOT_IMAGE = "boot image"
    BOOT_CATALOG = "boot catalog"
    PATH_TABLE = "path table"
    DESCRIPTOR = "volume descriptor"
    SYSTEM_AREA = "system area"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Extent:
    """A stretch of an image that has a meaning.

    Attributes:
        offset: Of its first byte in the image.
        length: Bytes; the padding up to the next sector does not belong to it.
        kind: What it holds.
        name: Of a file or directory: its path from the root of the image, without leading slash,
            bytes of no known encoding kept by surrogateescape; else empty.
    """

    offset: int
    length: int
    kind: Kind
    name: str = ""
