"""An image that jigdo-file, or we in its stead, could not finish: the ``.tmp`` file.

Source: what jigdo-file 0.8 writes::

    image     as long as the image will be; zeros where parts are missing
    1 x       DESC (see entries), in which files that are in their place have types of their own
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.errors import printable
from release_builder.jigdo.entries import (
    ENTRY_SIZES,
    LONGEST_DESCRIPTION,
    Description,
    MatchedFile,
    TemplateError,
    format_description,
    parse_description,
)

if TYPE_CHECKING:
    from collections.abc import Container

_WRITTEN: Final = {4: 3, 7: 6, 10: 9}  # type of a file in its place → of one that is not
_HINT: Final = "delete it: what it has will be copied again"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What an unfinished image says of itself.

    Attributes:
        description: What the image is made of.
        written: Numbers of the runs, from 0, that are parts in their place.
    """

    description: Description
    written: frozenset[int]


def parse_unfinished(part: bytes) -> Unfinished:
    """Decode the DESC part of an unfinished image; like parse_description otherwise."""
    plain, written = bytearray(part), set()
    offset, number = 10, 0
    while offset < len(plain) - 6:
        if plain[offset] in _WRITTEN:
            plain[offset] = _WRITTEN[plain[offset]]
            written.add(number)
        offset += 1 + ENTRY_SIZES.get(plain[offset], len(plain))
        number += 1
    return Unfinished(parse_description(bytes(plain)), frozenset(written))


def format_unfinished(description: Description, written: Container[int]) -> bytes:
    """Encode the DESC part of an unfinished image: the inverse of parse_unfinished."""
    part = bytearray(format_description(description))
    types = {plain: kind for kind, plain in _WRITTEN.items()}
    offset = 10
    for number, run in enumerate(description.runs):
        kind = part[offset]
        if isinstance(run, MatchedFile) and number in written:
            part[offset] = types[kind]
        offset += 1 + ENTRY_SIZES[kind]
    return bytes(part)


def read_unfinished(stream: BinaryIO, name: str) -> Unfinished:
    """Read what an unfinished image says of itself.

    Args:
        stream: The file, seekable.
        name: For messages.

    Raises:
        TemplateError: It is none; the message begins with ``name``.
    """
    name = printable(name)
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(size - 6, 0))
    length = int.from_bytes(stream.read(6), "little")
    if not 6 < length <= min(size, LONGEST_DESCRIPTION):
        raise TemplateError(
            f"{name}: no unfinished image: it does not end in a DESC part", hint=_HINT
        )
    stream.seek(size - length)
    try:
        unfinished = parse_unfinished(stream.read(length))
    except TemplateError as error:
        what = f"{name}: no unfinished image: DESC part at offset {size - length}: {error.what}"
        raise TemplateError(what, hint=_HINT) from error
    if unfinished.description.image.length != size - length:
        raise TemplateError(
            f"{name}: the image in it has {size - length:,} bytes,"
            f" it should have {unfinished.description.image.length:,}",
            hint=_HINT,
        )
    return unfinished
