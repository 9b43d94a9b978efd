"""Charts as SVG: lines over time, for a page in the light and in the dark; nothing runs in them."""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import pygal  # type: ignore[import-untyped] # it has no types
from pygal.svg import Svg  # type: ignore[import-untyped]

from release_builder.errors import printable
from release_builder.pages import render
from release_builder.pages.texts import size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# pygal adds a finder for maps, of a kind that Python 3.11 warns of at every later import.
sys.meta_path[:] = [each for each in sys.meta_path if type(each) is not pygal.PluginImportFixer]

MOST_LINES: Final = 6
"""More lines than that have no colours of their own."""

_WIDTH: Final = 480  # so that words can be read where the chart is as wide as a phone
_HEIGHT: Final = 300
_LINE_OF_LEGEND: Final = 24
_NAME: Final = 42  # characters
_X_LABELS: Final = 3
_Y_STEPS: Final = 4
_DISTINCT: Final = 0.01  # of the largest size: labels of smaller steps would read alike
_ABOVE: Final = 1.000001  # by rounding, pygal would lose the highest label
_DAY: Final = 86_400
_TIMES: Final = {
    1: "1 s",
    10: "10 s",
    60: "1 min",
    600: "10 min",
    3600: "1 h",
    6 * 3600: "6 h",
    _DAY: "1 day",
    10 * _DAY: "10 days",
}


class Unit(Enum):
    """What is drawn."""

    SECONDS = "seconds"  # on a logarithmic axis: a look at the mirror is short, a build is long
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart.

    Attributes:
        name: Stands in the legend.
        points: When, with its zone, and how much.
    """

    name: str
    points: tuple[tuple[datetime, float], ...]


def chart(title: str, description: str, lines: Sequence[Line], unit: Unit) -> str:
    """The text of an SVG file.

    Args:
        title: What a reader is told who cannot see it.
        description: The same in more words.
        lines: MOST_LINES at most, all with points.
        unit: Of what is drawn.

    Raises:
        ValueError: There are too many lines, or none.
    """
    if not 0 < len(lines) <= MOST_LINES or not all(line.points for line in lines):
        raise ValueError(f"no chart has {len(lines)} lines")
    smallest, most = (1.0, float(10 * _DAY)) if unit is Unit.SECONDS else (0.0, float("inf"))
    values = [
        [(time.timestamp(), min(max(value, smallest), most)) for time, value in line.points]
        for line in lines
    ]
    times = [time for points in values for time, _ in points]
    heights = [height for points in values for _, height in points]
    xs = _x_labels(min(times), max(times))
    ys = _time_labels(heights) if unit is Unit.SECONDS else _size_labels(heights)
    drawn = _Chart(
        (printable(title), printable(description)),
        width=_WIDTH,
        height=_HEIGHT + _LINE_OF_LEGEND * len(lines),
        x_labels=[{"value": value, "label": label} for value, label in xs.items()],
        y_labels=[{"value": value, "label": label} for value, label in ys.items()],
        range=(min(ys), max(ys) * _ABOVE),
        logarithmic=unit is Unit.SECONDS,
        legend_at_bottom=True,
        legend_at_bottom_columns=1,
        legend_box_size=12,
        truncate_legend=-1,
        dots_size=2.5,
        margin=10,
        style=pygal.style.Style(label_font_size=14, major_label_font_size=14, legend_font_size=15),
    )
    for line, points in zip(lines, values, strict=True):
        name = printable(line.name)
        drawn.add(name if len(name) <= _NAME else f"{name[: _NAME - 1]}…", sorted(points))
    return str(drawn.render(is_unicode=True, disable_xml_declaration=True)) + "\n"


class _Chart(pygal.XY):  # type: ignore[misc] # pygal has no types
    """Lines, drawn by ``_Svg``."""

    def __init__(self, told: tuple[str, str], **config: object) -> None:
        super().__init__(no_prefix=True, js=(), css=(), **config)
        self._told = told
        self.add_xml_filter(_without_notes)

    def _draw(self) -> None:
        self.svg = _Svg(self, *self._told)
        super()._draw()


class _Svg(Svg):  # type: ignore[misc] # pygal has no types
    """As pygal's, but the same for the same input, without scripts, in our own colours.

    pygal would read its style sheets from files, which a zip file does not have.
    """

    def __init__(self, graph: _Chart, title: str, description: str) -> None:
        super().__init__(graph)
        for node in [each for each in self.root if not isinstance(each.tag, str)]:
            self.root.remove(node)  # comments, one with the day
        del self.root.attrib["id"]
        self.root.attrib["role"] = "img"
        self.title.text = title
        self.root.remove(self.title)
        self.root.insert(0, self.title)  # where browsers look for a name
        self.node(tag="desc").text = description

    def add_styles(self) -> None:
        self.node(self.defs, "style").text = render("status/chart.css.j2")

    def add_scripts(self) -> None:
        """There are none."""


def _without_notes(root: Any) -> Any:  # noqa: ANN401 (pygal has no types)
    """``root`` without what pygal's script would show; that is half of the file."""
    for parent in [each for each in root.iter() if each is not root]:
        for child in list(parent):
            if child.tag in {"desc", "title"}:
                parent.remove(child)
    return root


def _x_labels(first: float, last: float) -> dict[float, str]:
    """Days, or times where there are few days."""
    if last - first < _X_LABELS * _DAY:
        last = max(last, first + 60)
        each, words = 60.0, "%m-%d %H:%M"
    else:
        each, words = float(_DAY), "%Y-%m-%d"
    places = (first + (last - first) * number / (_X_LABELS - 1) for number in range(_X_LABELS))
    moments = (place // each * each for place in places)
    return {place: datetime.fromtimestamp(place, UTC).strftime(words) for place in moments}


def _time_labels(values: Sequence[float]) -> dict[float, str]:
    """The times from below the shortest to above the longest of ``values``."""
    steps = sorted(_TIMES)
    first = max(step for step in steps if step <= min(values))
    last = min(step for step in steps if step >= max(values))
    # At least two: a single time would be an axis without a length.
    last = max(last, steps[min(steps.index(first) + 1, len(steps) - 1)])
    first = min(first, steps[steps.index(last) - 1])
    return {float(step): _TIMES[step] for step in steps if first <= step <= last}


def _size_labels(values: Sequence[float]) -> dict[float, str]:
    """Round sizes from below the smallest to above the largest of ``values``.

    Images differ by little: from zero on, all would seem to be alike.
    """
    smallest, largest = min(values), max(values)
    least = max((largest - smallest) / _Y_STEPS, largest * _DISTINCT)
    step = next(step for step in _round_sizes() if step >= least)
    first, last = int(smallest // step), int(-(-largest // step))
    count = range(first, max(last, first + 1) + 1)
    return {float(number * step): size(number * step) for number in count}


def _round_sizes() -> Iterator[int]:
    for power in itertools.count():
        yield from (10**power, 2 * 10**power, 5 * 10**power)
