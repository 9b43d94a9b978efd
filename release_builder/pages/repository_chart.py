"""How large the images of a repository are, and the deltas that lead to them: a chart as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.pages.charts import MOST_LINES, Line, Unit, chart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_TITLE: Final = "Sizes of images and rdiffs"
_DESCRIPTION: Final = "For each image by its date: its own size, and the mean of its rdiffs' sizes"


@dataclass(frozen=True, slots=True)
class ChartedImage:
    """An image.

    Attributes:
        series: What it is one of.
        built: When; with its zone.
        size: Bytes.
        rdiffs: The bytes of each delta that leads to it.
    """

    series: str
    built: datetime
    size: int
    rdiffs: tuple[int, ...]


def repository_chart(images: Sequence[ChartedImage]) -> str:
    """The text of an SVG file; of many series, it shows those that were built last.

    Raises:
        ValueError: There is no image.
    """
    last = sorted(images, key=lambda each: each.built, reverse=True)
    shown = list(dict.fromkeys(each.series for each in last))[: MOST_LINES // 2]
    lines = []
    for series in sorted(shown):
        of_series = [each for each in images if each.series == series]
        lines.append(
            Line(f"{series}: images", tuple((each.built, each.size) for each in of_series))
        )
        means = [
            (each.built, sum(each.rdiffs) / len(each.rdiffs)) for each in of_series if each.rdiffs
        ]
        if means:
            lines.append(Line(f"{series}: rdiffs", tuple(means)))
    return chart(_TITLE, _DESCRIPTION, lines, Unit.BYTES)
