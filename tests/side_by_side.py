"""A table of what programs of today and ours make of the same input, for a terminal or a page."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row: TypeAlias = "tuple[int, str, str, str]"  # number, input, today, ours; lines in the last two
PROPERTY: Final = "hostile input"  # of a test's report: its row
_HEADS: Final = ("#", "input", "programs of today", "release-builder")
_WIDTHS: Final = (2, 24, 43, 42)  # columns; with their three gaps of three they make 120


def plain(rows: Iterable[Row]) -> str:
    """The table as a terminal shows it, 120 columns wide."""
    lines = [_line(_HEADS), _line(["─" * width for width in _WIDTHS])]
    for row in sorted(rows, key=lambda row: row[0]):
        cells = [_wrapped(str(cell), width) for cell, width in zip(row, _WIDTHS, strict=True)]
        height = max(map(len, cells))
        filled = [[*cell, *[""] * (height - len(cell))] for cell in cells]
        lines += [_line(cell) for cell in zip(*filled, strict=True)]
    return "\n".join(lines)


def _wrapped(cell: str, width: int) -> list[str]:
    lines: list[str] = []
    for line in cell.split("\n"):
        lines += textwrap.wrap(line, width, subsequent_indent="  ") or [""]
    return lines


def _line(cells: Sequence[str]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)]
    return "   ".join(padded).rstrip()


def markdown(rows: Iterable[Row]) -> str:
    """The table for a page."""
    lines = ["| " + " | ".join(_HEADS) + " |", "|---:|---|---|---|"]
    for row in sorted(rows, key=lambda row: row[0]):
        cells = [_escaped(str(cell)) for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _escaped(cell: str) -> str:
    for sign in "\\`*_<>|[]$":
        cell = cell.replace(sign, f"\\{sign}")
    return cell.replace("\n", "<br>")
