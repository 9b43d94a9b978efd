"""What is packed by xz, unpacked within bounds."""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.digests import BLOCK

if TYPE_CHECKING:
    from release_builder.digests import Readable

_MEMORY: Final = 128 << 20  # bytes; xz -9 takes 65 MiB


class XzReader:
    """What a stream of xz or lzma unpacks to.

    lzma.LZMAFile takes as much memory as the stream asks for, up to 4 GiB.

    Args:
        stream: The packed bytes: one stream, as all writers of metadata make it.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream: Readable = stream
        self._unpacker = lzma.LZMADecompressor(memlimit=_MEMORY)

    def read(self, count: int = -1, /) -> bytes:
        """Up to ``count`` bytes; none at the end.

        Raises:
            EOFError: The stream is cut off.
            lzma.LZMAError: It is broken, wants too much memory, or something follows it.
        """
        while not self._unpacker.eof:
            wants = self._unpacker.needs_input
            packed = self._stream.read(BLOCK) if wants else b""
            if wants and not packed:
                raise EOFError("it is cut off")
            if unpacked := self._unpacker.decompress(packed, count):
                return unpacked
        if (self._unpacker.unused_data or self._stream.read(BLOCK)).strip(b"\0"):
            raise lzma.LZMAError("something follows the packed data")
        return b""
