"""Damaged images: ISO 9660 of all kinds, UDF, tar and zip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.choices import Choices

if TYPE_CHECKING:
    from collections.abc import Iterator

import io

from hostile import (
    continued_iso,
    crowded_iso,
    iso,
    iso_of,
    nested_iso,
    overlapping_iso,
    tar_header,
    tar_of,
    udf,
    zip_of,
)
from iso_builder import ROOT, SECTOR, record

from release_builder.extents import Kind
from release_builder.media import MediaError, find_layout

_IMAGES = (
    iso(
        {
            18: b"\0CD001\1EL TORITO SPECIFICATION".ljust(71, b"\0") + b"\x1c\0\0\0",
            19: b"\xffCD001\1",
            28: (b"\1" + bytes(29) + b"\x55\xaa\x88" + bytes(5) + b"\4\0\x24").ljust(64, b"\0"),
        }
    ),
    iso_of(record(b"A", 30, 5000), record(b"D", ROOT, SECTOR, flags=2)),
    nested_iso(4),
    crowded_iso(3),
    overlapping_iso(3),
    continued_iso(2),
    tar_header(b"L", 2) + b"a\0".ljust(512, b"\0") + tar_header(b"x", 0) + tar_of(),
    zip_of(3),
    udf(),
)
# Near which there is something to change.
_PLACES = tuple(
    tuple(at for at in range(0, len(image), 8) if any(image[at : at + 8])) for image in _IMAGES
)
_LONGEST_CHANGE = 64  # bytes
_MOST_EXTENTS = 1_000_000


def seeds() -> Iterator[bytes]:
    """Each image, unchanged and changed a little."""
    for which in range(len(_IMAGES)):
        yield bytes([which])
        yield bytes([which, 3, 2, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])


def one_input(content: bytes) -> None:
    """Extents that lie in the image and are named decently, or a MediaError."""
    data = Choices(content)
    which = data.number(0, len(_IMAGES) - 1)
    image, places = bytearray(_IMAGES[which]), _PLACES[which]
    while data.left:
        at = places[data.number(0, len(places) - 1)] + data.number(0, 7)
        change = data.take(data.number(0, _LONGEST_CHANGE))
        image[at : at + len(change)] = change
        if data.number(0, 31) == 1:
            del image[at:]
            break
    layout = find_layout(io.BytesIO(bytes(image)))
    if layout is None:
        return
    words = ""
    try:
        for number, extent in enumerate(layout.extents):
            assert number < _MOST_EXTENTS
            assert 0 <= extent.offset < extent.offset + extent.length <= len(image)
            names = extent.name.split("/") if extent.name or extent.kind is Kind.FILE else ()
            assert not {"", ".", ".."}.intersection(names)
            assert "\0" not in extent.name
    except MediaError as error:
        words = error.what
    assert words.isprintable()
