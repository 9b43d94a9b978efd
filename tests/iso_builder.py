"""ISO 9660 images of a few sectors, byte by byte: also such as no program would write."""

from __future__ import annotations

import io
from struct import pack
from typing import TYPE_CHECKING

from release_builder.extents import Extent, Kind
from release_builder.media import find_layout

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTOR = 2048
TABLE, ROOT, FIRST = 20, 22, 24  # sectors of path tables, the root directory and what follows
FOLDER, MORE = 0x02, 0x80  # flags of a record
PX = b"PX\x24\x01" + bytes(32)  # what each record of a Rock Ridge tree has


def twice(code: str, number: int) -> bytes:
    """A number in both byte orders."""
    return pack(f"<{code}", number) + pack(f">{code}", number)


def record(
    name: bytes,
    block: int,
    length: int,
    *,
    flags: int = 0,
    extra: bytes = b"",
    ear: int = 0,
    interleave: tuple[int, int] = (0, 0),
) -> bytes:
    """A directory record; ``extra`` is its system use area, ``interleave`` unit and gap."""
    pad = b"" if len(name) % 2 else b"\0"
    content = bytes([ear]) + twice("I", block) + twice("I", length) + bytes(7)
    content += bytes([flags, *interleave]) + twice("H", 1) + bytes([len(name)]) + name + pad + extra
    return bytes([len(content) + 1]) + content


def entry(kind: bytes, data: bytes) -> bytes:
    """An entry of a system use area."""
    return kind + bytes([len(data) + 4, 1]) + data


def named(name: bytes, flags: int = 0) -> bytes:
    """The Rock Ridge entries of a name."""
    return PX + entry(b"NM", bytes([flags]) + name)


def sharing(skip: int = 0) -> bytes:
    """What begins the root's record of itself in a Rock Ridge tree."""
    return entry(b"SP", b"\xbe\xef" + bytes([skip])) + PX


def continued(block: int, offset: int, length: int) -> bytes:
    return entry(b"CE", twice("I", block) + twice("I", offset) + twice("I", length))


def folder(block: int, *records: bytes, length: int = SECTOR, extra: bytes = b"") -> bytes:
    """A directory; the records are laid out so that none crosses a sector."""
    data = bytearray(record(b"\0", block, length, flags=FOLDER, extra=extra))
    for each in (record(b"\1", ROOT, length, flags=FOLDER), *records):
        if len(data) % SECTOR + len(each) > SECTOR:
            data += bytes(-len(data) % SECTOR)
        data += each
    return bytes(data)


def descriptor(
    kind: int = 1,
    *,
    root: int = ROOT,
    length: int = SECTOR,
    block: int = SECTOR,
    table: int = TABLE,
    escape: bytes = b"",
) -> bytes:
    """A primary (kind 1) or supplementary (kind 2) volume descriptor."""
    data = (bytes([kind]) + b"CD001\1").ljust(88, b"\0") + escape.ljust(32, b"\0")
    data += twice("H", 1) + twice("H", 1) + twice("H", block) + twice("I", 10)
    data += pack("<II", table, 0) + pack(">II", table + SECTOR // block, 0)
    return (data + record(b"\0", root, length, flags=FOLDER)).ljust(SECTOR, b"\0")


def image(sectors: Mapping[int, bytes], count: int = 40) -> bytes:
    """An image of ``count`` sectors; a descriptor set of only a primary one where none is named."""
    content = bytearray(count * SECTOR)
    for number, data in {16: descriptor(), 17: b"\xffCD001\1", **sectors}.items():
        content[number * SECTOR : number * SECTOR + len(data)] = data
    return bytes(content)


def of_root(*records: bytes, extra: bytes = b"") -> bytes:
    """An image whose root directory has these records."""
    return image({ROOT: folder(ROOT, *records, extra=extra)})


def extents(content: bytes) -> list[Extent]:
    """All extents of an image that is of a known format."""
    layout = find_layout(io.BytesIO(content))
    assert layout is not None
    return list(layout.extents)


def of_kind(content: bytes, kind: Kind) -> list[tuple[str, int, int]]:
    """Name, offset and length of what is of one kind."""
    return [(each.name, each.offset, each.length) for each in extents(content) if each.kind is kind]


def files(content: bytes) -> list[tuple[str, int, int]]:
    return of_kind(content, Kind.FILE)


def folders(content: bytes) -> list[str]:
    return [name for name, _, _ in of_kind(content, Kind.DIRECTORY)]
