"""What every message of ours must be, whatever bytes it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_builder.errors import ReleaseBuilderError

_WORDS = 2000  # characters of our own
_SHOWN = 16  # characters that a byte may become, being quoted and named twice


def check_error(error: ReleaseBuilderError, content: bytes, place: str = "") -> None:
    """See that an error is fit for a terminal, names the place, and is not without end."""
    assert error.what.startswith(place), error.what
    for line in f"{error.what}\n{error.hint}".split("\n"):
        check_line(line)
    assert len(error.what) + len(error.hint) <= _WORDS + _SHOWN * len(content)


def check_line(line: str) -> None:
    """See that a line is fit for a terminal."""
    assert line.isprintable(), ascii(line)
