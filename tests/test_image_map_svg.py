"""The picture of an image: true to the bytes, whatever their number and names."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from release_builder.jigdo.image_map import Origin, Stretch
from release_builder.jigdo.map_layout import Label, map_picture
from release_builder.jigdo.map_strip import COLOURS, COLUMNS, LEFT, TOP, Strip
from release_builder.pages import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SVG = "{http://www.w3.org/2000/svg}"
PART, FILE, PADDING, UNKNOWN = (
    Origin.PART,
    Origin.FILE_IN_TEMPLATE,
    Origin.PADDING,
    Origin.UNKNOWN,
)
MB = 1_000_000


def stretches(*pieces: tuple[Origin, int], name: str = "a name") -> tuple[Stretch, ...]:
    """Stretches that lie one behind the other."""
    found: list[Stretch] = []
    for origin, length in pieces:
        offset = found[-1].end if found else 0
        found.append(Stretch(offset, length, origin, name, "" if origin is PART else "a reason"))
    return tuple(found)


def many(count: int) -> tuple[Stretch, ...]:
    """Small parts with padding between them, and here and there a file."""
    pieces = [(PART, 40_000 + 7 * number % 9000) for number in range(count // 2)]
    between = [FILE if number % 50 == 0 else PADDING for number in range(count // 2)]
    both = zip(pieces, ((origin, 1000) for origin in between), strict=True)
    return stretches(*(piece for two in both for piece in two))


def draw(image: Sequence[Stretch], name: str = "image.iso", packed: int | None = 9 * MB) -> str:
    return render("image-map.svg.j2", **map_picture(image, name, packed))


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg.encode())


def texts(svg: str, tag: str = "text") -> list[str]:
    return ["".join(each.itertext()) for each in parse(svg).iter(f"{SVG}{tag}")]


def columns(image: Sequence[Stretch]) -> dict[tuple[int, int], list[tuple[str, int]]]:
    """Colour and height of what is drawn in each cell (row, column), the lowest first."""
    strip = Strip(image[-1].end)
    found: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for line in strip.lines(image):
        for row, column in _cells_of(line.path, strip):
            found.setdefault((row, column), []).append((line.colour, line.height))
    return found


def _cells_of(path: str, strip: Strip) -> Iterator[tuple[int, int]]:
    x = y = 0.0
    for command, first, second, width in re.findall(r"([Mm])(\d+) ([\d.]+)h(\d+)", path):
        x, y = (float(first), float(second)) if command == "M" else (x + int(first), y)
        row = min(range(strip.rows), key=lambda row: abs(strip.middle(row) - y))
        for column in range(int(width)):
            yield row, int(x) - LEFT + column
        x += int(width)


FULL = Strip(20 * MB).lines(stretches((PART, 20 * MB)))[0].height


@pytest.mark.parametrize(
    ("length", "row", "rows"),
    [
        pytest.param(0, COLUMNS, 1, id="nothing"),
        pytest.param(1, COLUMNS, 1, id="a byte"),
        pytest.param(40_000, COLUMNS, 40, id="a byte a cell"),
        pytest.param(40_001, 2 * COLUMNS, 21, id="a byte too many"),
        pytest.param(728 * MB, 20 * MB, 37, id="CD"),
        pytest.param(4700 * MB, 200 * MB, 24, id="DVD"),
        pytest.param((1 << 48) - 1, 8_000_000 * MB, 36, id="all that jigdo can"),
    ],
)
def test_rows_are_round_numbers_of_bytes(length: int, row: int, rows: int) -> None:
    strip = Strip(length)

    assert (strip.row, strip.rows) == (row, rows)


def test_every_cell_of_the_image_is_drawn_and_no_other() -> None:
    image = many(5000)

    drawn = columns(image)

    strip = Strip(image[-1].end)
    count = -(-image[-1].end // strip.cell)
    assert drawn.keys() == {divmod(number, COLUMNS) for number in range(count)}


def test_each_cell_has_the_colour_of_its_bytes() -> None:
    image = stretches((FILE, MB), (PART, 2 * MB), (UNKNOWN, 17 * MB))  # 2, 4 and 34 rows

    drawn = columns(image)

    assert {drawn[cell][0][0] for cell in drawn if cell < (2, 0)} == set(COLOURS[FILE])
    assert {drawn[cell][0][0] for cell in drawn if (2, 0) <= cell < (6, 0)} <= set(COLOURS[PART])
    assert {drawn[cell][0][0] for cell in drawn if cell >= (6, 0)} == set(COLOURS[UNKNOWN])


def test_parts_side_by_side_differ_in_shade_whatever_lies_between() -> None:
    image = stretches((PART, 6 * MB), (PART, 6 * MB), (PADDING, 2 * MB), (PART, 6 * MB))

    drawn = columns(image)

    shades = [drawn[row, 0][0][0] for row in (0, 12, 28)]
    assert shades[0] != shades[1] != shades[2]
    assert set(shades) == set(COLOURS[PART])


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param([(PART, 499), (FILE, 1)], [(PART, FULL), (FILE, 3)], id="a byte"),
        pytest.param(
            [(PART, 1), (FILE, 499)], [(PART, FULL), (FILE, FULL - 1)], id="a byte of a part"
        ),
        pytest.param([(PART, 499), (PADDING, 1)], [(PART, FULL), (PADDING, 1)], id="padding"),
        pytest.param([(PART, 250), (FILE, 250)], [(PART, FULL), (FILE, FULL // 2)], id="half"),
        pytest.param(
            [(PART, 250), (PADDING, 240), (FILE, 10)],
            [(PART, FULL), (FILE, FULL // 2)],
            id="padding gives way",
        ),
        pytest.param([(PADDING, 400), (FILE, 100)], [(FILE, FULL)], id="no part"),
        pytest.param([(UNKNOWN, 300), (FILE, 200)], [(UNKNOWN, FULL)], id="majority"),
    ],
)
def test_a_mixed_cell_shows_the_share_of_the_template(
    pieces: list[tuple[Origin, int]], expected: list[tuple[Origin, int]]
) -> None:
    image = stretches(*pieces, (PART, 20 * MB - 500))

    cell = columns(image)[0, 0]

    assert [height for _, height in cell] == [height for _, height in expected]
    for (colour, _), (origin, _) in zip(cell, expected, strict=True):
        assert colour in COLOURS[origin]


def test_no_byte_of_the_template_vanishes_among_thousands_of_parts() -> None:
    image = many(50_000)
    strip = Strip(image[-1].end)

    drawn = columns(image)

    parts = set(COLOURS[PART])
    for each in image:
        if each.origin is not PART:
            cell = drawn[divmod(each.offset // strip.cell, COLUMNS)]
            assert any(colour not in parts and height >= 1 for colour, height in cell)


@pytest.mark.parametrize("count", [0, 2, 1000, 50_000])
def test_the_picture_stays_small_and_the_same(count: int) -> None:
    image = many(count)

    svg = draw(image)

    assert svg == draw(image)
    assert len(list(parse(svg).iter())) < 2500
    assert len(svg) < MB


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("<b>&amp;\"'.iso", "<b>&amp;\"'.iso", id="markup"),
        pytest.param("]]></text><script>", "]]></text><script>", id="script"),
        pytest.param("a\0b\x1b\ufffe", "a\\x00b\\x1b\\ufffe", id="no characters of XML"),
        pytest.param("a\udcff\ud800", "a\\xff\\ud800", id="no UTF-8"),
        pytest.param("a\nb\u202ec", "a\\x0ab\\u202ec", id="what turns lines"),
        pytest.param("été {{ 7 * 7 }}", "été {{ 7 * 7 }}", id="a template's marks"),
    ],
)
def test_odd_names_come_out_as_they_are_or_readable(name: str, shown: str) -> None:
    svg = draw(stretches((PART, MB), (FILE, MB), name=name), name)

    heading, *told = texts(svg, "title")
    assert heading == shown
    assert [each.splitlines()[0] for each in told] == [shown, shown]
    assert texts(svg).count(shown) == 2  # the title, the biggest run


def test_nothing_is_asked_of_the_network_or_of_scripts() -> None:
    svg = draw(many(100))

    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<script|<image|<use|href|@import|url\(", svg)


def test_title_and_summary_say_why_one_looks() -> None:
    svg = draw(stretches((PART, 688 * MB), (FILE, 40 * MB)), "image.iso")

    assert texts(svg)[:2] == [
        "image.iso",
        "728,000,000 bytes, of which the template has 40 MB (5.5 %), packed into 9 MB",
    ]


def test_the_packed_size_may_be_unknown() -> None:
    assert "packed" not in draw(stretches((PART, MB), (FILE, MB)), packed=None)


def test_the_legend_has_bytes_share_and_count_of_each_origin() -> None:
    svg = draw(stretches((PART, 600), (FILE, 199_000), (PART, 400)))

    words = " ".join(texts(svg))
    assert "parts 1 kB 0.5 % 2 unmatched files 199 kB 99.5 % 1" in words
    assert UNKNOWN.value not in words


def test_the_biggest_runs_stand_in_the_table_and_beside_their_rows() -> None:
    image = stretches((PART, 5 * MB), (FILE, 2 * MB), (PART, 8 * MB), (FILE, 5 * MB))

    svg = draw(image)

    assert "1 5 MB 71.4 % a name at 15,000,000 a reason" in " ".join(texts(svg))
    assert "2 2 MB 28.6 % a name at 5,000,000 a reason" in " ".join(texts(svg))
    marks = {mark.text: mark.y for mark in _marks(image)}
    assert marks == {"1": Strip(20 * MB).middle(30), "2": Strip(20 * MB).middle(10)}


def test_runs_that_begin_in_one_row_share_its_mark() -> None:
    image = stretches((FILE, 1000), (PART, 1000), (FILE, 2000), (PART, 20 * MB - 4000))

    assert [mark.text for mark in _marks(image)] == ["1 2"]


def _marks(image: Sequence[Stretch]) -> list[Label]:
    marks = map_picture(image, "image.iso", None)["marks"]
    assert isinstance(marks, list)
    return marks


def test_runs_of_padding_are_no_news() -> None:
    svg = draw(stretches((PART, 5000), (PADDING, 1144)))

    assert "The biggest runs in the template" not in texts(svg)


def test_an_area_covers_its_stretch_over_several_rows() -> None:
    strip = Strip(20 * MB)  # rows of 500 kB
    each = Stretch(499_500, 501_000, FILE, "x", "why")

    target = strip.target(each)

    corners = re.findall(r"M(\d+) (\d+)h(\d+)v", target.path)
    pitch = strip.middle(1) - strip.middle(0)
    assert [(int(x) - LEFT, (int(y) - TOP) / pitch, int(w)) for x, y, w in corners] == [
        (999, 0, 1),
        (0, 1, 1000),
        (0, 2, 1),
    ]
    assert target.text == "x\nunmatched files: why\n501,000 bytes at offset 499,500"


def test_small_areas_lie_above_big_ones() -> None:
    image = stretches((PART, 10), (FILE, 5 * MB), (PART, 900), (UNKNOWN, 7 * MB))

    told = texts(draw(image), "title")[1:]

    sizes = [int(each.splitlines()[-1].split()[0].replace(",", "")) for each in told]
    assert sizes == [7 * MB, 5 * MB, 900, 10]


def test_a_name_too_long_for_the_page_keeps_both_ends_and_is_told_in_full() -> None:
    name = "begin" + "x" * 500 + ".rpm"

    svg = draw(stretches((PART, 1000), (FILE, 5000), name=name))

    (shown,) = (each for each in texts(svg) if each.startswith("begin"))
    assert len(shown) == 75
    assert shown.endswith(".rpm")
    assert sum(each.startswith(f"{name}\n") for each in texts(svg, "title")) == 2
