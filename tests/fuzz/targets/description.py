"""Any entries in the DESC part of a template or of an unfinished image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostile import RUNS, image_entry

if TYPE_CHECKING:
    from collections.abc import Iterator


from hostile import ONE, TWO, part_entry, unmatched

from release_builder.jigdo.entries import (
    TemplateError,
    format_description,
    parse_description,
)
from release_builder.jigdo.unfinished import format_unfinished, parse_unfinished


def seeds() -> Iterator[bytes]:
    """Entries of all types."""
    yield b"".join((*RUNS, image_entry()))
    yield (
        part_entry(ONE, 7) + part_entry(TWO, 4) + part_entry(ONE, 3) + image_entry(ONE + TWO + ONE)
    )
    yield part_entry(ONE, 9) + part_entry(TWO, 10) + image_entry(ONE + TWO, 8)
    yield unmatched(9) + image_entry(bytes(9), 1)


def one_input(entries: bytes) -> None:
    """What was read is written as it was, or a TemplateError."""
    length = (16 + len(entries)).to_bytes(6, "little")
    part = b"DESC" + length + entries + length
    try:
        unfinished = parse_unfinished(part)
        assert format_unfinished(unfinished.description, unfinished.written) == part
        description = parse_description(part)
    except TemplateError:
        return
    assert not unfinished.written
    assert format_description(description) == part
    assert sum(run.length for run in description.runs) == description.image.length
