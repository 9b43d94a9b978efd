"""The bytes of an image: every read is bounded, whatever a broken file system asks for."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.errors import WrongBytesError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.extents import Extent

_SPARE: Final = 1 << 20  # bytes that may be read beyond twice the image
_PATHS: Final = 4  # characters for each byte of the image


class MediaError(WrongBytesError):
    """The file system or archive inside an image is broken."""


class Image:
    """An image that is read at offsets; the stream stays its owner's.

    Attributes:
        size: Bytes.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = stream.seek(0, io.SEEK_END)
        # The structures of an honest file system do not overlap, so no reader needs the image
        # twice; those of a hostile one can send a reader over the same bytes without end.
        self._left = 2 * self.size + _SPARE
        self._path_left = _PATHS * self.size + _SPARE

    def read(self, offset: int, length: int, what: str) -> bytes:
        """Exactly ``length`` bytes from ``offset``.

        Raises:
            MediaError: They are not all in the image, or its structures were read so often that
                they must overlap. ``what`` names what was sought.
            OSError: The stream cannot be read.
        """
        self.check(offset, length, what)
        self._left -= length
        if self._left < 0:
            raise MediaError(f"{what} at offset {offset}: the structures of the image overlap")
        self._stream.seek(offset)
        data = self._stream.read(length)
        while len(data) < length and (more := self._stream.read(length - len(data))):
            data += more  # an unbuffered stream may stop early
        if len(data) < length:
            raise MediaError(f"{what} at offset {offset}: the image became shorter meanwhile")
        return data

    def path(self, folder: str, name: str) -> str:
        """The path of ``name`` in ``folder``, which is empty for the root.

        Raises:
            MediaError: All paths together are much longer than the image: many names in a deep
                folder would take any memory.
        """
        path = f"{folder}/{name}" if folder else name
        self._path_left -= len(path)
        if self._path_left < 0:
            raise MediaError("the paths in the image are too many and too long")
        return path

    def check(self, offset: int, length: int, what: str) -> None:
        """Raise MediaError unless ``length`` bytes at ``offset`` are inside the image."""
        if not 0 <= offset <= offset + length <= self.size:
            raise MediaError(
                f"{what} at offset {offset} ends at {offset + length}, outside the image"
                f" of {self.size} bytes",
                hint="the image may be cut off: compare its size with the original's",
            )

    def checked(self, extent: Extent) -> Extent:
        """``extent``, when it is inside the image.

        Raises:
            MediaError: It is not.
        """
        if not 0 <= extent.offset <= extent.offset + extent.length <= self.size:
            name = f" '{printable(extent.name)}'" if extent.name else ""
            self.check(extent.offset, extent.length, f"{extent.kind.value}{name}")
        return extent


class Window(io.RawIOBase):
    """An image as the stream that libraries want, for reading only.

    Args:
        image: The image.
        longest: The most bytes that one read may want, where the image has them: libraries take
            the lengths that they find for granted.
    """

    def __init__(self, image: Image, longest: int) -> None:
        super().__init__()
        self._image = image
        self._longest = longest
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to ``offset``, which may lie beyond the end; a MediaError when before the start."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._image.size}
        position = start[whence] + offset
        if position < 0:
            raise MediaError(f"offset {position} is before the start of the image")
        self._position = position
        return position

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to ``size`` bytes; fewer only at the end of the image.

        Raises:
            MediaError: They are more than ``longest``.
        """
        count = max(self._image.size - self._position, 0)
        if size is not None and size >= 0:
            count = min(count, size)
        if count > self._longest:
            raise MediaError(f"{count:,} bytes at offset {self._position} are too long for a table")
        data = self._image.read(self._position, count, "table") if count else b""
        self._position += count
        return data


@contextmanager
def library(name: str) -> Iterator[None]:
    """Turn whatever a library makes of broken bytes into a MediaError.

    Args:
        name: Of the format, to begin the message with.
    """
    try:
        yield
    except (MediaError, OSError, MemoryError):
        raise
    except Exception as error:
        words = printable(str(error)) or type(error).__name__
        raise MediaError(f"{name}: {words}") from error


def clean_name(name: str) -> str:
    """One name of a path: an underscore for each slash and NUL, and for names that are none."""
    if "/" in name or "\0" in name:
        name = name.replace("/", "_").replace("\0", "_")
    return "_" if name in {"", ".", ".."} else name


def clean_path(path: str) -> str:
    """The path of a member of an archive, from the root: ``./a//b/../c`` becomes ``a/b/_/c``."""
    names = [clean_name(name) for name in path.split("/") if name not in {"", "."}]
    return "/".join(names) or "_"
