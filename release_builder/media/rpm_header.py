"""The two headers in front of an RPM's payload, read with bounds.

Source: rpm, "RPM Package File Structure", format version 3 and 4. Integers are big-endian:

    96 lead | signature header | zeros up to a multiple of 8 | header | payload
    a header: 4 magic | 4 zeros | 4 entries | 4 bytes of data | entries of 16 bytes | data
    an entry: 4 tag | 4 type | 4 offset into the data | 4 count
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import rpmfile  # type: ignore[import-untyped] # it has no types

from release_builder.errors import printable
from release_builder.media.image import library

if TYPE_CHECKING:
    from collections.abc import Mapping

INT32: Final = 4
STRING: Final = 6
BINARY: Final = 7
STRINGS: Final = 8

_LEAD: Final = 96  # bytes
_LEAD_MAGIC: Final = b"\xed\xab\xee\xdb"
_MAGIC: Final = b"\x8e\xad\xe8\x01"
_INTRO: Final = struct.Struct(">4s4sII")
_ENTRY: Final = struct.Struct(">IIII")
_ENTRIES: Final = 65_535
# rpm itself takes 256 MiB; the largest headers seen have some 30, and rpmfile copies them.
_DATA: Final = 64 << 20  # bytes
_KEPT: Final = 16 << 20  # bytes of what is wanted of a header; the longest changelogs have 2 MiB
_VALUES: Final = {INT32: 1 << 17, STRING: 1, BINARY: 1 << 16, STRINGS: 1 << 17}  # count at most


@dataclass(frozen=True, slots=True)
class Shape:
    """What a header is, whatever was asked for of it.

    Attributes:
        tags: All that it has.
        entries: How many it says that it has; a tag may be there twice.
        data: Bytes of its values.
    """

    tags: frozenset[int]
    entries: int
    data: int


@dataclass(frozen=True, slots=True)
class Headers:
    """What was asked for of both headers, and where they lie.

    Attributes:
        values: By rpmfile's names; what the package does not have is absent.
        start: Offset of the main header, bytes.
        payload: Offset of the payload, where the main header ends.
        size: Bytes of the file.
        signature: The shape of the signature header.
        main: The shape of the main header.
    """

    values: Mapping[str, object]
    start: int
    payload: int
    size: int
    signature: Shape
    main: Shape

    def raw(self, name: str) -> bytes:
        """A BINARY or STRING value; empty when absent."""
        value = self.values.get(name, b"")
        return value if isinstance(value, bytes) else b""

    def text(self, name: str) -> str:
        """A STRING value; empty when absent."""
        return self.raw(name).decode("utf-8", "surrogateescape")

    def texts(self, name: str) -> tuple[str, ...]:
        """A STRINGS value; empty when absent."""
        value = self.values.get(name)
        values = value if isinstance(value, list) else []
        return tuple(each.decode("utf-8", "surrogateescape") for each in values)

    def numbers(self, name: str) -> tuple[int, ...]:
        """An INT32 value; empty when absent."""
        value = self.values.get(name, ())
        if isinstance(value, int):
            return (value,)
        return value if isinstance(value, tuple) else ()

    def number(self, name: str) -> int:
        """The first of an INT32 value; 0 when absent."""
        return next(iter(self.numbers(name)), 0)


def read_headers(
    stream: BinaryIO, file: str, signature: Mapping[int, int], header: Mapping[int, int]
) -> Headers:
    """Read the headers of an RPM.

    Args:
        stream: The file, or a window into an image; sought and read, never written.
        file: Its name, for messages.
        signature: The tags wanted of the signature header, each with its type.
        header: The same of the main header. rpmfile calls what both have by one name; do not
            ask for both.

    Raises:
        MediaError: "FILE: no RPM: why".
        OSError: The stream cannot be read.
    """
    with library(f"{printable(file)}: no RPM"):
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        lead = _exactly(stream, _LEAD, "lead")
        if not lead.startswith(_LEAD_MAGIC):
            raise ValueError("it does not begin as one")
        # rpmfile takes every count for granted and lets the main header override the signature
        # header: it gets a short copy, of what is wanted alone.
        first, signatures = _read_header(stream, size, signature, "signature header")
        start = (stream.tell() + 7) & ~7
        stream.seek(start)
        second, main = _read_header(stream, size, header, "header")
        values = rpmfile.RPMFile(fileobj=io.BytesIO(lead + first + second)).headers
        return Headers(values, start, stream.tell(), size, signatures, main)


def _read_header(
    stream: BinaryIO, size: int, wanted: Mapping[int, int], what: str
) -> tuple[bytes, Shape]:
    """One header, with no entries but the wanted ones; the stream then stands behind it."""
    magic, zeros, count, length = _INTRO.unpack(_exactly(stream, _INTRO.size, what))
    if magic != _MAGIC:
        raise ValueError(f"its {what} does not begin as one")
    if count > _ENTRIES or length > _DATA:
        raise ValueError(f"its {what} of {count:,} entries and {length:,} bytes is too large")
    if stream.tell() + count * _ENTRY.size + length > size:
        raise ValueError(f"it is cut short in its {what}")
    index = _exactly(stream, count * _ENTRY.size, what)
    data = _exactly(stream, length, what)
    kept: dict[int, bytes] = {}
    # The values alone: rpmfile copies the data for each of them, and entries may share theirs.
    values_kept = bytearray()
    tags = set()
    for tag, kind, offset, values in _ENTRY.iter_unpack(index):
        tags.add(tag)
        if tag not in wanted:
            continue
        if tag in kept or kind != wanted[tag] or not 1 <= values <= _VALUES[kind]:
            raise ValueError(f"tag {tag} of its {what} is broken")
        end = _end(data, kind, offset, values)
        if not offset <= end <= length:
            raise ValueError(f"tag {tag} of its {what} runs out of the data")
        if len(values_kept) + end - offset > _KEPT:
            raise ValueError(f"the values of its {what} are too large")
        kept[tag] = _ENTRY.pack(tag, kind, len(values_kept), values)
        values_kept += data[offset:end]
    start = _INTRO.pack(magic, zeros, len(kept), len(values_kept))
    copy = b"".join((start, *kept.values(), values_kept))
    return copy, Shape(frozenset(tags), count, length)


def _end(data: bytes, kind: int, offset: int, count: int) -> int:
    """Where a value ends; before ``offset`` when the data end first."""
    if kind not in {STRING, STRINGS}:
        return offset + count * (4 if kind == INT32 else 1)
    end = offset
    for _ in range(count):
        end = data.find(b"\0", end) + 1
        if not end:
            return -1
    return end


def _exactly(stream: BinaryIO, length: int, what: str) -> bytes:
    data = stream.read(length)
    while len(data) < length and (more := stream.read(length - len(data))):
        data += more  # an unbuffered stream may stop early
    if len(data) < length:
        raise ValueError(f"it is cut short in its {what}")
    return data
