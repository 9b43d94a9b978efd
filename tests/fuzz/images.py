"""Damaged images: ISO 9660 of all kinds, UDF, tar and zip.

Needs atheris (``pip install atheris``), which is no dependency of the project::

    python tests/fuzz/images.py -max_total_time=120
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore] # see above

sys.path.append(str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["release_builder"]):
    from hostile import (
        continued_iso,
        crowded_iso,
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


def one_input(content: bytes) -> None:
    """Extents that lie in the image and are named decently, or a MediaError."""
    data = atheris.FuzzedDataProvider(content)
    which = data.ConsumeIntInRange(0, len(_IMAGES) - 1)
    image, places = bytearray(_IMAGES[which]), _PLACES[which]
    while data.remaining_bytes():
        at = places[data.ConsumeIntInRange(0, len(places) - 1)] + data.ConsumeIntInRange(0, 7)
        change = data.ConsumeBytes(data.ConsumeIntInRange(0, _LONGEST_CHANGE))
        image[at : at + len(change)] = change
        if data.ConsumeIntInRange(0, 31) == 1:
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


atheris.Setup(sys.argv, one_input)
atheris.Fuzz()
