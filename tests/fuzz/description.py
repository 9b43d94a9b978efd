"""Any entries in the DESC part of a template or of an unfinished image.

Needs atheris (``pip install atheris``), which is no dependency of the project::

    python tests/fuzz/description.py -max_total_time=120
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore] # see above

with atheris.instrument_imports(include=["release_builder"]):
    from release_builder.jigdo.entries import (
        TemplateError,
        format_description,
        parse_description,
    )
    from release_builder.jigdo.unfinished import format_unfinished, parse_unfinished


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


atheris.Setup(sys.argv, one_input)
atheris.Fuzz()
