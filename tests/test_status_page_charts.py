"""What stands at the axes of the charts, and where the lines run."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from page_samples import EVIL

from release_builder.errors import printable
from release_builder.pages.charts import MOST_LINES, Line, Unit, chart

START = datetime(2014, 2, 1, 9, 30, tzinfo=UTC)


def line(*values: float, hours: float = 24.0, name: str = "sme") -> Line:
    return Line(
        name,
        tuple((START + timedelta(hours=hours * each), value) for each, value in enumerate(values)),
    )


def texts(svg: str, axis: str) -> list[str]:
    (group,) = (
        each
        for each in ET.fromstring(svg).iter()
        if each.attrib.get("class", "").startswith(f"axis {axis}")
    )
    return [str(each.text) for each in group.iter() if each.tag.endswith("}text")]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        pytest.param((0.01,), ["1 s", "10 s"], id="at once"),
        pytest.param((3, 500), ["1 s", "10 s", "1 min", "10 min"], id="seconds and minutes"),
        pytest.param((60,), ["1 min", "10 min"], id="just a minute"),
        pytest.param((9e9,), ["1 day", "10 days"], id="beyond all"),
    ],
)
def test_durations_lie_between_round_times(values: tuple[float, ...], labels: list[str]) -> None:
    assert texts(chart("", "", [line(*values)], Unit.SECONDS), "y") == labels


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        pytest.param((1,), ["1 byte", "2 bytes"], id="a byte"),
        pytest.param((721e6, 727e6), ["720.0 MB", "730.0 MB"], id="alike"),
        pytest.param((700e6, 700e6), ["700.0 MB", "710.0 MB"], id="the same, and round"),
        pytest.param(
            (1e6, 4e9), ["0 bytes", "1.0 GB", "2.0 GB", "3.0 GB", "4.0 GB"], id="far apart"
        ),
    ],
)
def test_sizes_lie_between_round_sizes(values: tuple[float, ...], labels: list[str]) -> None:
    assert texts(chart("", "", [line(*values)], Unit.BYTES), "y") == labels


@pytest.mark.parametrize(
    ("hours", "labels"),
    [
        pytest.param(24.0, ["2014-02-01", "2014-02-03", "2014-02-05"], id="days"),
        pytest.param(1.0, ["02-01 09:30", "02-01 11:30", "02-01 13:30"], id="hours"),
        pytest.param(0.0, ["02-01 09:30", "02-01 09:31"], id="one moment"),
    ],
)
def test_times_are_written_so_that_all_countries_read_them_alike(
    hours: float, labels: list[str]
) -> None:
    svg = chart("", "", [line(1, 2, 3, 2, 1, hours=hours)], Unit.BYTES)

    assert texts(svg, "x") == labels


def test_a_line_runs_from_the_oldest_to_the_newest() -> None:
    backwards = Line("sme", line(1e6, 2e6, 3e6).points[::-1])

    svg = chart("", "", [backwards], Unit.BYTES)

    assert svg == chart("", "", [line(1e6, 2e6, 3e6)], Unit.BYTES)
    xs = [float(x) for x in re.findall(r'<circle cx="([0-9.]+)"', svg)]
    ys = [float(y) for y in re.findall(r' cy="([0-9.]+)"', svg)]
    assert xs == sorted(xs)
    assert ys == sorted(ys, reverse=True)


def test_names_are_shown_whatever_they_are() -> None:
    svg = chart(EVIL, EVIL, [line(1, name=EVIL), line(1, name="x" * 99)], Unit.BYTES)

    shown = [str(each.text) for each in ET.fromstring(svg).iter() if each.text]
    assert printable(EVIL) in shown
    assert "x" * 41 + "…" in shown


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="none"),
        pytest.param([line(1)] * (MOST_LINES + 1), id="too many"),
        pytest.param([line()], id="empty"),
    ],
)
def test_a_chart_that_cannot_be_is_refused(lines: list[Line]) -> None:
    with pytest.raises(ValueError, match="no chart"):
        chart("", "", lines, Unit.BYTES)


def test_drawing_warns_of_nothing_then_and_later() -> None:
    script = (
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from release_builder.pages.charts import Line, Unit, chart\n"
        "chart('', '', [Line('', ((datetime.now(UTC), 1),))], Unit.SECONDS)\n"
        "import wave\n"
        "print('ctypes' in sys.modules)"
    )

    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], check=True, capture_output=True, text=True
    )

    assert (told.stdout, told.stderr) == ("False\n", "")
