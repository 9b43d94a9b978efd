"""Spans of time for people."""

from __future__ import annotations

from typing import Final

_UNITS: Final = (("days", 86_400), ("h", 3600), ("min", 60))


def span(seconds: float) -> str:
    """``seconds`` in few words, such as ``3 h``: in the largest unit of which there are two.

    What lies behind, since a clock was set back, is ``0 s``.
    """
    for unit, length in _UNITS:
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
