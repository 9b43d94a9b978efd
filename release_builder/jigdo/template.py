"""The .template file: a header, compressed parts with the unmatched data, and the DESC part.

Source: jigdo, doc/TechDetails.txt, and what jigdo-file 0.8 and libjte 2.0 write::

    header    three lines, each ended by CR LF, the third empty
    0..n x    4 DATA (zlib) or BZIP (bzip2) | 6 length of the part | 6 length unpacked | stream
    1 x       DESC, up to the end of the file (see entries)

The streams unpacked, one after the other, are the bytes of all unmatched runs in image order; a
run may cross parts. jigdo-file writes a part of 0 bytes unpacked when nothing is unmatched.
"""

from __future__ import annotations

import bz2
import io
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.digests import BLOCK
from release_builder.errors import printable
from release_builder.jigdo.entries import (
    LONGEST_DESCRIPTION,
    Description,
    TemplateError,
    parse_description,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_HEADER: Final = 1024  # bytes; writers need about 150
_FIRST_LINE: Final = re.compile(rb"JigsawDownload template (\d+)(\.\d+)*( .*)?")
_NEWEST_VERSION: Final = 2
_PART_HEADER: Final = 16  # bytes
_LONGEST_PART: Final = 16 << 20  # bytes, compressed; the writers stay near 1 MiB
_PIECE: Final = 1 << 16  # compressed bytes that are read at a time
_UNPACKED: Final = 1 << 18  # unpacked bytes that are made at a time


@dataclass(frozen=True, slots=True)
class Template:
    """A template whose frame was checked; what its parts hold is checked while it is read.

    Attributes:
        name: For messages.
        version: Of the format, such as ``1.2``.
        generator: The program that wrote it, such as ``jigdo-file/0.8.0``.
        description: What the image is made of.
    """

    name: str
    version: str
    generator: str
    description: Description
    _stream: BinaryIO = field(repr=False)
    _data: range = field(repr=False)  # offsets of the data parts

    def unmatched(self) -> UnmatchedReader:
        """The bytes of all unmatched runs, from the first on.

        The stream that the template was read from must still be open.
        """
        parts = _parts(self._stream, self._data, self.name)
        return UnmatchedReader(
            self.name, (piece for part in parts for piece in part.unpack(self._stream))
        )


class UnmatchedReader:
    """The bytes of all unmatched runs, in image order, as a stream that checks itself."""

    def __init__(self, name: str, pieces: Iterator[bytes]) -> None:
        self._name = name
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, count: int, /) -> bytes:
        """The next ``count`` bytes, but at most 1 MiB; fewer only at the end of the data.

        Raises:
            TemplateError: A part is not what it claims; the message names it and its offset.
        """
        taken: list[bytes | memoryview] = []
        want = min(count, BLOCK)
        while want:
            if not self._rest:
                piece: bytes = next(self._pieces, b"")
                if not piece:
                    break
                self._rest = memoryview(piece)
            taken.append(self._rest[:want])
            self._rest = self._rest[want:]
            want -= len(taken[-1])
        return b"".join(taken)

    def finish(self) -> None:
        """Check that all data was taken and that the last part ends well.

        Raises:
            TemplateError: Something is left, or the end of the last part is broken.
        """
        if self._rest or any(self._pieces):
            raise TemplateError(f"{self._name}: holds more data than was asked for")


def read_template(stream: BinaryIO, name: str) -> Template:
    """Read what a template says, not yet its data.

    Args:
        stream: The file, seekable; it is not closed.
        name: For messages.

    Raises:
        TemplateError: It is no template, a newer one, cut short, or it contradicts itself; the
            message begins with ``name``.

    Cost: memory for the description; one read of 16 bytes for each data part.
    """
    name = printable(name)
    version, generator, begin = _header(_read_at(stream, 0, _LONGEST_HEADER), name)
    size = stream.seek(0, io.SEEK_END)
    length = int.from_bytes(_read_at(stream, max(size - 6, begin), 6), "little")
    end = size - length
    if length > LONGEST_DESCRIPTION or end < begin:
        raise TemplateError(
            f"{name}: its last 6 bytes, at offset {max(size - 6, 0)}, claim a DESC part of"
            f" {length:,} bytes: the file is cut short or damaged"
        )
    try:
        description = parse_description(_read_at(stream, end, length))
    except TemplateError as error:
        raise TemplateError(f"{name}: DESC part at offset {end}: {error.what}") from error
    data = range(begin, end)
    claimed = sum(part.unpacked for part in _parts(stream, data, name))
    if claimed != description.unmatched_length:
        raise TemplateError(
            f"{name}: its data parts claim {claimed:,} bytes, but the image needs"
            f" {description.unmatched_length:,} of them"
        )
    return Template(name, version, generator, description, stream, data)


@dataclass(frozen=True, slots=True)
class _Part:
    """One data part: where it lies, what it claims."""

    where: str  # names template, part and offset
    kind: bytes
    offset: int  # of the compressed stream
    packed: int  # bytes
    unpacked: int  # bytes

    def unpack(self, stream: BinaryIO) -> Iterator[bytes]:
        """The data in pieces, none of them empty; exactly ``unpacked`` bytes or an error."""
        unpacker = bz2.BZ2Decompressor() if self.kind == b"BZIP" else _ZlibDecompressor()
        packed, due = range(self.offset, self.offset + self.packed), self.unpacked
        while not unpacker.eof:
            packed_piece = b""
            if unpacker.needs_input:
                packed_piece = _read_at(stream, packed.start, min(_PIECE, len(packed)))
                packed = packed[len(packed_piece) :]
                if not packed_piece:
                    raise TemplateError(f"{self.where}: its compressed stream is cut short")
            try:
                # One byte more than is due shows a stream that holds more, and stops a bomb.
                piece = unpacker.decompress(packed_piece, min(_UNPACKED, due + 1))
            except (zlib.error, OSError) as error:
                raise TemplateError(f"{self.where}: its compressed stream is broken") from error
            due -= len(piece)
            if due < 0:
                raise TemplateError(f"{self.where}: holds more than the claimed {self.unpacked:,}")
            if piece:
                yield piece
        if due:
            raise TemplateError(
                f"{self.where}: holds {self.unpacked - due:,} bytes, not {self.unpacked:,}"
            )
        if left := len(packed) + len(unpacker.unused_data):
            raise TemplateError(f"{self.where}: {left:,} bytes follow its compressed stream")


class _ZlibDecompressor:
    """zlib's decompressor with the interface of bz2's."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj()
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        # A full piece may leave more behind inside zlib, though all input was taken.
        self.needs_input = not self._zlib.unconsumed_tail and len(piece) < max_length
        return piece


def _parts(stream: BinaryIO, data: range, name: str) -> Iterator[_Part]:
    """Walk the data parts, which must fill ``data`` exactly; nothing is kept of them."""
    number, offset = 0, data.start
    while offset < data.stop:
        number += 1
        where = f"{name}: part {number} at offset {offset}"
        header = _read_at(stream, offset, _PART_HEADER)
        kind, length = header[:4], int.from_bytes(header[4:10], "little")
        if kind not in {b"DATA", b"BZIP"}:
            raise TemplateError(f"{where}: {kind!r} is no kind of part")
        packed = length - _PART_HEADER
        if packed <= 0 or offset + length > data.stop:
            raise TemplateError(f"{where}: its length of {length:,} bytes cannot be right")
        if packed > _LONGEST_PART:
            raise TemplateError(f"{where}: {packed:,} bytes are more than any program writes")
        unpacked = int.from_bytes(header[10:], "little")
        yield _Part(where, kind, offset + _PART_HEADER, packed, unpacked)
        offset += length


def _header(start: bytes, name: str) -> tuple[str, str, int]:
    """Version, generator and length in bytes of the header that ``start`` begins with."""
    if not start.startswith(b"JigsawDownload template "):
        raise TemplateError(f"{name}: is not a jigdo template")
    first, *others = start.split(b"\r\n", 3)
    if b"\n" in first or len(others) != 3 or others[1]:
        raise TemplateError(
            f"{name}: its header is not three lines with CR LF, the third empty",
            hint="fetch the template again, in binary mode",
        )
    line = _FIRST_LINE.fullmatch(first)
    if not line:
        raise TemplateError(f"{name}: its first line names no version")
    if int(line[1]) > _NEWEST_VERSION:
        raise TemplateError(
            f"{name}: its format version {line[1][:20].decode()} needs a newer program",
            hint="update release-builder",
        )
    version, _, generator = first.removeprefix(b"JigsawDownload template ").partition(b" ")
    length = len(first) + 2 + len(others[0]) + 2 + 2
    return version.decode(), generator.decode("utf-8", "surrogateescape").strip(), length


def _read_at(stream: BinaryIO, offset: int, count: int) -> bytes:
    stream.seek(offset)
    return stream.read(count)
