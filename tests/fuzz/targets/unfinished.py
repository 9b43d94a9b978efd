"""Any bytes as an unfinished image; most are put together well but for a few bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.choices import Choices
from hostile import IMAGE, unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator

import io

from release_builder.jigdo.entries import TemplateError
from release_builder.jigdo.unfinished import format_unfinished, read_unfinished

_RUNS = {2: 0, 3: 16, 4: 16, 6: 24, 7: 24, 9: 40, 10: 40}  # bytes of each type behind its length
_IMAGES = {1: 16, 5: 20, 8: 36}
_MOST_RUNS = 6


def seeds() -> Iterator[bytes]:
    """One with a part in its place, and decisions."""
    yield unfinished(IMAGE, 1, 3)
    yield bytes(range(256))


def one_input(content: bytes) -> None:
    """An image and what it says of itself, or a TemplateError."""
    for whole in (content, _assembled(content)):
        try:
            unfinished = read_unfinished(io.BytesIO(whole), "t")
        except TemplateError:
            continue
        description, written = unfinished.description, unfinished.written
        assert written <= set(range(len(description.runs)))
        assert whole[description.image.length :] == format_unfinished(description, written)


def _assembled(content: bytes) -> bytes:
    """An image of zeros and its DESC part, with perhaps some bytes exchanged."""
    fuzz = Choices(content)
    entries, total = b"", 0
    for _ in range(fuzz.number(0, _MOST_RUNS)):
        kind, length = fuzz.pick([*_RUNS]), fuzz.number(0, 300)
        entries += bytes([kind]) + length.to_bytes(6, "little") + _bytes(fuzz, _RUNS[kind])
        total += length
    kind = fuzz.pick([*_IMAGES])
    entries += bytes([kind]) + total.to_bytes(6, "little") + _bytes(fuzz, _IMAGES[kind])
    size = (16 + len(entries)).to_bytes(6, "little")
    whole = bytearray(bytes(total) + b"DESC" + size + entries + size)
    if fuzz.flag():
        at = fuzz.number(0, len(whole))
        whole[at : at + fuzz.number(0, 9)] = fuzz.take(9)
    return bytes(whole)


def _bytes(fuzz: Choices, count: int) -> bytes:
    taken: bytes = fuzz.take(count)
    return taken.ljust(count, b"\1")
