"""The picture of an image: the strip of its bytes, and beside it what the strip is told by."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.filesize import decimal

from release_builder.errors import printable
from release_builder.jigdo.image_map import Origin, Stretch, biggest_unmatched, totals
from release_builder.jigdo.map_strip import COLOURS, COLUMNS, HEIGHT, LEFT, TOP, Strip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PAGE_WIDTH, _PAGE_HEIGHT = 1122, 794  # pixels: A4, landscape, at 96 dots an inch
_TOLD_PARTS, _TOLD_OTHERS = 300, 500  # stretches that tell what they are
_TOLD_RUNS: Final = 8
_LONGEST_TITLE, _LONGEST_NAME, _LONGEST_REASON = 70, 75, 99  # characters


@dataclass(frozen=True, slots=True)
class Label:
    """Words beside a row.

    Attributes:
        y: How far down, in pixels.
        text: The words.
    """

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class LegendLine:
    """An origin, and how much of the image it is.

    Attributes:
        colours: As CSS writes them.
        name: Of the origin.
        size: Bytes, as people say it.
        share: Of the image.
        count: Stretches.
    """

    colours: tuple[str, ...]
    name: str
    size: str
    share: str
    count: str


@dataclass(frozen=True, slots=True)
class RunLine:
    """One of the biggest runs of the template.

    Attributes:
        colour: As CSS writes it.
        offset: In the image, in bytes.
        size: Bytes, as people say it.
        share: Of all that is in the template.
        name: What it is; printable.
        reason: Why it is in the template; printable.
    """

    colour: str
    offset: str
    size: str
    share: str
    name: str
    reason: str


def map_picture(
    stretches: Sequence[Stretch], name: str, unmatched_packed: int | None
) -> dict[str, object]:
    """All values that ``image-map.svg.j2`` asks for.

    Args:
        stretches: Of map_image.
        name: Of the image, as people know it.
        unmatched_packed: Bytes of the template file, if that is known.

    Returns:
        The values by their names there. However many stretches there are, the picture has at most
        about 1,000 elements, each of which may have a title.

    Cost: a few microseconds for a stretch and for each of up to 40,000 cells.
    """
    length = stretches[-1].end if stretches else 0
    sums = totals(stretches)
    unmatched = length - (sums[Origin.PART].length if Origin.PART in sums else 0)
    runs = [
        run
        for run in biggest_unmatched(stretches, _TOLD_RUNS)
        if run.origin is not Origin.PADDING  # after every part: no news
    ]
    strip = Strip(length)
    return {
        "width": _PAGE_WIDTH,
        "height": _PAGE_HEIGHT,
        "left": LEFT,
        "right": LEFT + COLUMNS,
        "bottom": TOP + HEIGHT,
        "image": _shortened(name, _LONGEST_TITLE),
        "summary": _summary(length, unmatched, unmatched_packed),
        "scale": f"a row: {_size(strip.row)}; a column: {_size(strip.cell)}",
        "labels": [
            Label(strip.middle(row), _size(row * strip.row) if row else "0")
            for row in strip.labelled_rows()
        ],
        "lines": strip.lines(stretches),
        "targets": [strip.target(each) for each in _told(stretches)],
        "marks": _marks(strip, runs),
        "legend": [
            LegendLine(
                COLOURS[origin],
                origin.value,
                _size(total.length),
                _share(total.length, length),
                f"{total.count:,}",
            )
            for origin, total in sums.items()
        ],
        "runs": [_run_line(run, unmatched) for run in runs],
    }


def _summary(length: int, unmatched: int, packed: int | None) -> str:
    text = f"{length:,} bytes, of which the template has {_size(unmatched)}"
    text += f" ({_share(unmatched, length)})"
    return text if packed is None else f"{text}, packed into {_size(packed)}"


def _told(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The stretches that tell what they are, small ones last, so that they lie above."""
    by_kind: tuple[list[Stretch], list[Stretch]] = ([], [])
    for each in stretches:
        by_kind[each.origin is Origin.PART].append(each)
    others, parts = by_kind
    told = heapq.nlargest(_TOLD_PARTS, parts, key=_length)
    told += heapq.nlargest(_TOLD_OTHERS, others, key=_length)
    return sorted(told, key=_length, reverse=True)


def _length(stretch: Stretch) -> int:
    return stretch.length


def _marks(strip: Strip, runs: Iterable[Stretch]) -> list[Label]:
    """The numbers of the runs, beside the rows in which they begin."""
    numbers: dict[int, list[str]] = {}
    for number, run in enumerate(runs, 1):
        numbers.setdefault(run.offset // strip.row, []).append(str(number))
    return [Label(strip.middle(row), " ".join(each)) for row, each in numbers.items()]


def _run_line(run: Stretch, unmatched: int) -> RunLine:
    return RunLine(
        colour=COLOURS[run.origin][0],
        offset=f"{run.offset:,}",
        size=_size(run.length),
        share=_share(run.length, unmatched),
        name=_shortened(run.name or run.origin.value, _LONGEST_NAME),
        reason=_shortened(run.reason, _LONGEST_REASON),
    )


def _size(count: int) -> str:
    return decimal(count).replace(".0 ", " ")


def _share(count: int, whole: int) -> str:
    percent = 100 * count / whole if whole else 0
    return "< 0.1 %" if 0 < percent < 0.1 else f"{percent:.1f} %"


def _shortened(text: str, longest: int) -> str:
    """``text`` printable; too long, without its middle, for the ends of names tell most."""
    text = printable(text)
    head = longest // 2
    return text if len(text) <= longest else f"{text[:head]}…{text[head + 1 - longest :]}"
