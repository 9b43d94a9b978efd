"""The strip in the picture of an image: its bytes in rows, in the colours of their origins.

A row has a round number of bytes and COLUMNS cells, each one pixel wide. What is drawn depends on
the cells, not on the number of stretches. In a cell with bytes of parts and of the template those
of the template stand at the bottom, as high as their share of it, but never so low that nobody
sees them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from release_builder.errors import printable
from release_builder.jigdo.image_map import Origin, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

COLUMNS: Final = 1000  # cells in a row
LEFT, TOP, HEIGHT = 70, 84, 430  # pixels: where the strip begins, and how high it may be

_MOST_ROWS: Final = 40
_ROW_GAP: Final = 2  # pixels
_TALLEST_ROW: Final = 22  # pixels, gap included
_LEAST_MARK: Final = 3  # pixels
_EASY_DIGITS: Final = (1, 2, 3, 4, 5, 6, 8)  # to count rows with

# Strong colours for the template, after Okabe and Ito, who chose them for colour-blind readers;
# for parts two calm ones, in turn, that their borders be seen. Archives have headers, file systems
# path tables: no picture has both.
COLOURS: Final = {
    Origin.PART: ("#c3d3e0", "#dbe6ee"),
    Origin.FILE_IN_TEMPLATE: ("#d55e00",),
    Origin.BOOT_IMAGE: ("#e69f00",),
    Origin.BOOT_CATALOG: ("#882255",),
    Origin.DIRECTORY: ("#0072b2",),
    Origin.PATH_TABLE: ("#56b4e9",),
    Origin.DESCRIPTOR: ("#009e73",),
    Origin.SYSTEM_AREA: ("#f0e442",),
    Origin.HEADER: ("#56b4e9",),
    Origin.UNKNOWN: ("#222222",),
    Origin.PADDING: ("#8a8f98",),
}

_Ink: TypeAlias = tuple[Origin, int]  # an index of the origin's colours
_Cell: TypeAlias = Counter[_Ink]  # bytes of each
_PADDING: Final[_Ink] = (Origin.PADDING, 0)


@dataclass(frozen=True, slots=True)
class Line:
    """All that has one colour and height.

    Attributes:
        colour: As CSS writes it.
        height: Pixels.
        path: Along the middle of its height, as SVG writes it.
    """

    colour: str
    height: int
    path: str


@dataclass(frozen=True, slots=True)
class Target:
    """An area that tells what it is when it is pointed at.

    Attributes:
        path: Its outline, as SVG writes it.
        text: What it tells, in a few lines; printable.
    """

    path: str
    text: str


class Strip:
    """Maps the bytes of an image to pixels.

    Args:
        length: Of the image, in bytes.

    Attributes:
        cell: Bytes.
        row: Bytes.
        rows: How many there are.
    """

    def __init__(self, length: int) -> None:
        self.cell = _round_up(-(-length // (COLUMNS * _MOST_ROWS)))
        self.row = self.cell * COLUMNS
        self.rows = max(-(-length // self.row), 1)
        self._pitch = min(HEIGHT // self.rows, _TALLEST_ROW)
        self._height = self._pitch - _ROW_GAP

    def middle(self, row: int) -> float:
        """How far down the middle of a row is, in pixels."""
        return TOP + row * self._pitch + self._height / 2

    def labelled_rows(self) -> range:
        """Every row, or every fifth where they are many."""
        return range(0, self.rows, 1 if self._pitch == _TALLEST_ROW else 5)

    def lines(self, stretches: Iterable[Stretch]) -> list[Line]:
        """What to draw, in this order: of the template upon the parts."""
        found: dict[tuple[_Ink, int], list[list[int]]] = {}
        for number, cell in enumerate(_cells(stretches, self.cell)):
            for each in self._lines_of(cell):
                pieces = found.setdefault(each, [])
                if pieces and pieces[-1][1] == number and number % COLUMNS:
                    pieces[-1][1] += 1
                else:
                    pieces.append([number, number + 1])
        order = tuple(Origin)
        keys = sorted(found, key=lambda key: (order.index(key[0][0]), key[0][1], key[1]))
        return [
            Line(COLOURS[origin][shade], height, self._path(found[(origin, shade), height], height))
            for (origin, shade), height in keys
        ]

    def target(self, stretch: Stretch) -> Target:
        """The area of a stretch."""
        first, end = stretch.offset // self.cell, -(-stretch.end // self.cell)
        path = ""
        for row in range(first // COLUMNS, -(-end // COLUMNS)):
            left = max(first - row * COLUMNS, 0)
            width = min(end - row * COLUMNS, COLUMNS) - left
            y = TOP + row * self._pitch
            path += f"M{LEFT + left} {y}h{width}v{self._height}h{-width}z"
        why = f"{stretch.origin.value}: {stretch.reason}" if stretch.reason else ""
        place = f"{stretch.length:,} bytes at offset {stretch.offset:,}"
        return Target(
            path, "\n".join(printable(each) for each in (stretch.name, why, place) if each)
        )

    def _lines_of(self, cell: _Cell) -> Iterator[tuple[_Ink, int]]:
        """Ink and height of the one or two lines of a cell."""
        parts = {ink: count for ink, count in cell.items() if ink[0] is Origin.PART}
        others = {ink: count for ink, count in cell.items() if ink not in parts}
        if parts:
            yield max(parts, key=parts.__getitem__), self._height
        if others:
            # Padding is everywhere, and never why a template is large.
            least = _LEAST_MARK if others.keys() - {_PADDING} else 1
            share = round(self._height * sum(others.values()) / cell.total())
            height = min(max(share, least), self._height - 1) if parts else self._height
            yield max(others, key=lambda ink: (ink != _PADDING, others[ink])), height

    def _path(self, pieces: Iterable[Sequence[int]], height: int) -> str:
        path: list[str] = []
        last_row, last_end = -1, 0
        for first, end in pieces:
            row, width = first // COLUMNS, end - first
            if row == last_row:
                path.append(f"m{first - last_end} 0h{width}")
            else:
                y = TOP + row * self._pitch + self._height - height / 2
                path.append(f"M{LEFT + first % COLUMNS} {y:g}h{width}")
            last_row, last_end = row, end
        return "".join(path)


def _cells(stretches: Iterable[Stretch], length: int) -> Iterator[_Cell]:
    """What is in each piece of ``length`` bytes."""
    cell = _Cell()
    shade = 0
    for stretch in stretches:
        shade ^= stretch.origin is Origin.PART
        ink = stretch.origin, shade if stretch.origin is Origin.PART else 0
        at = stretch.offset
        while at < stretch.end:
            end = min(stretch.end, at - at % length + length)
            cell[ink] += end - at
            at = end
            if not at % length:
                yield cell
                cell = _Cell()
    if cell:
        yield cell


def _round_up(number: int) -> int:
    """The next number with one digit other than 0, and that an easy one."""
    power = 1
    while number > max(_EASY_DIGITS) * power:
        power *= 10
    return next(digit * power for digit in _EASY_DIGITS if digit * power >= number)
