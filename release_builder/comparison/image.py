"""The packages and files of an image, read where they lie in it."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.comparison.inventory import File
from release_builder.comparison.packages import SUFFIX, from_file_name, from_header
from release_builder.digests import digest_stream
from release_builder.errors import WrongBytesError, printable
from release_builder.extents import Kind
from release_builder.files import open_regular
from release_builder.media import MediaError, find_layout
from release_builder.media.rpm import read_package

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.comparison.inventory import Contents
    from release_builder.digests import Digest
    from release_builder.extents import Extent
    from release_builder.monitor import Monitor

# What the writers of images add to what is in the tree.
_MADE: Final = frozenset({"boot.cat", "TRANS.TBL"})
_SPARE: Final = 1 << 20  # bytes of files that may lie over each other, beyond the image's size


def is_image(path: Path) -> bool:
    """Whether the file at ``path`` is an image whose files can be read.

    Raises:
        OSError: It cannot be opened.
    """
    with open_regular(path) as stream:
        layout = find_layout(stream)
    return layout is not None and layout.format in {"ISO 9660", "UDF"}


def read_image(
    path: Path, into: Contents, *, changes: bool, algorithm: str, monitor: Monitor
) -> None:
    """Add the packages and files of the image at ``path`` to ``into``.

    Args:
        path: The image.
        into: Grows.
        changes: Read changelogs too.
        algorithm: Of the digests.
        monitor: Hears of the bytes that are read.

    Raises:
        WrongBytesError: Its file system is broken.
        OSError: It cannot be read.

    Cost: all files of the image are read once, from its begin to its end.
    """
    with open_regular(path) as stream:
        layout = find_layout(stream)
        if layout is None:
            raise WrongBytesError(f"{printable(str(path))} has no file system that we can read")
        files = [extent for extent in layout.extents if extent.kind is Kind.FILE]
        reader = _Reader(stream, os.fstat(stream.fileno()).st_size, algorithm, monitor)
        for extent in sorted(files, key=lambda each: (each.offset, each.length, each.name)):
            leaf = extent.name.rpartition("/")[2]
            if leaf in _MADE:
                continue
            digest = reader.digest(extent)
            if not leaf.endswith(SUFFIX):
                into.files.append(File(extent.name, extent.length, digest))
                continue
            try:
                package = read_package(_Window(stream, extent), leaf, changes=changes)
                into.packages.append(from_header(package, extent.name, digest))
            except MediaError as error:
                into.problems.append(f"{printable(path.name)}: {printable(error.what)}")
                named = from_file_name(extent.name, extent.length, digest)
                if named:
                    into.packages.append(named)
                else:
                    into.files.append(File(extent.name, extent.length, digest))


@dataclass(slots=True)
class _Reader:
    """Digests of the files of an image; hard links are read once."""

    stream: BinaryIO
    size: int
    algorithm: str
    monitor: Monitor
    read: int = 0
    last: tuple[int, int] = (-1, -1)
    last_digest: Digest | None = None

    def digest(self, extent: Extent) -> Digest:
        place = (extent.offset, extent.length)
        if self.last_digest is None or place != self.last:
            self.read += extent.length
            if self.read > 2 * self.size + _SPARE:
                raise MediaError("the files of the image lie over each other: it is broken")
            window = _Window(self.stream, extent)
            found = digest_stream(window, [self.algorithm], self.monitor.advance)
            self.last, self.last_digest = place, found[self.algorithm]
        return self.last_digest


class _Window(io.RawIOBase, BinaryIO):
    """The bytes of one file in an image."""

    def __init__(self, image: BinaryIO, extent: Extent) -> None:
        super().__init__()
        self._image = image
        self._extent = extent
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._extent.length}
        self._position = max(start[whence] + offset, 0)
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        left = max(self._extent.length - self._position, 0)
        self._image.seek(self._extent.offset + self._position)
        block = self._image.read(left if size < 0 else min(size, left))
        self._position += len(block)
        return block
