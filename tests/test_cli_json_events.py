"""Progress as JSON: every line is an event of the schema, and none comes too often."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from release_builder.cli.json_events import JsonEvents
from release_builder.files import resource

if TYPE_CHECKING:
    from collections.abc import Callable

_FETCH = json.loads(resource("data/jigdo-fetch.schema.json").read_text())
SCHEMA = Draft202012Validator({"$ref": "#/$defs/event", "$defs": _FETCH["$defs"]})


class Told:
    """A monitor, what it wrote, and its clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.out = io.StringIO()
        self.monitor = JsonEvents(self.out, lambda: self.now)

    @property
    def events(self) -> list[dict[str, Any]]:
        events = [json.loads(line) for line in self.out.getvalue().splitlines()]
        for event in events:
            SCHEMA.validate(event)
        return events

    @property
    def kinds(self) -> list[str]:
        return [event["event"] for event in self.events]


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_work_begins_goes_on_and_ends(told: Told) -> None:
    told.monitor.begin("fetch cd.iso", 1000)
    told.now += 2
    told.monitor.note("3 of 7 parts")
    told.monitor.advance(400)
    told.now += 2
    told.monitor.end()

    assert told.events == [
        {"event": "begin", "what": "fetch cd.iso", "total": 1000},
        {
            "event": "progress",
            "done": 400,
            "total": 1000,
            "rate": 200,
            "eta": 3.0,
            "note": "3 of 7 parts",
        },
        {
            "event": "end",
            "done": 400,
            "total": 1000,
            "rate": 100,
            "eta": 6.0,
            "note": "3 of 7 parts",
        },
    ]


def test_progress_comes_twice_a_second_at_most(told: Told) -> None:
    told.monitor.begin("fetch")

    for _ in range(1024):  # 8 seconds
        told.now += 1 / 128
        told.monitor.advance(10)

    assert told.kinds == ["begin", *["progress"] * 16]
    assert [event["done"] for event in told.events[1:3]] == [640, 1280]


def test_of_an_unknown_total_nobody_tells_when_it_ends(told: Told) -> None:
    told.monitor.begin("read")
    told.now += 1
    told.monitor.advance(10)

    assert (told.events[-1]["total"], told.events[-1]["eta"]) == (None, None)


def test_a_total_may_be_learnt_on_the_way(told: Told) -> None:
    told.monitor.begin("sync")
    told.now += 1
    told.monitor.progress(50, 200, note="7 files")
    told.now += 1
    told.monitor.progress(100)

    first, second = told.events[1:]
    assert (first["done"], first["total"], first["note"]) == (50, 200, "7 files")
    assert (second["done"], second["total"], second["eta"]) == (100, 200, 2.0)


@pytest.mark.parametrize(
    "seconds", [pytest.param(0, id="at once"), pytest.param(3, id="after a while")]
)
def test_where_nothing_came_there_is_no_rate(told: Told, seconds: int) -> None:
    told.monitor.begin("fetch", 10)
    told.now += seconds
    told.monitor.end()

    assert (told.events[-1]["rate"], told.events[-1]["eta"]) == (0, None)


def test_what_is_taken_off_before_it_is_put_on_is_not_less_than_nothing(told: Told) -> None:
    told.monitor.begin("fetch", 100)
    told.now += 1
    told.monitor.advance(-60)
    told.now += 1
    told.monitor.advance(70)

    assert [event["done"] for event in told.events[1:]] == [0, 10]
    assert told.events[1]["rate"] == 0


def test_more_than_all_takes_no_time(told: Told) -> None:
    told.monitor.begin("read", 10)
    told.now += 1
    told.monitor.advance(30)

    assert (told.events[-1]["done"], told.events[-1]["eta"]) == (30, 0.0)


def test_another_work_begins_from_nothing(told: Told) -> None:
    told.monitor.begin("one", 10)
    told.monitor.note("old")
    told.monitor.advance(5)
    told.monitor.end()
    told.now += 10
    told.monitor.begin("two")
    told.now += 1
    told.monitor.end()

    assert told.events[-1] == {
        "event": "end",
        "done": 0,
        "total": None,
        "rate": 0,
        "eta": None,
        "note": "",
    }


@pytest.mark.parametrize(
    "tell",
    [
        pytest.param(lambda monitor: monitor.end(), id="end"),
        pytest.param(lambda monitor: monitor.advance(5), id="advance"),
        pytest.param(lambda monitor: monitor.progress(5, 10), id="progress"),
    ],
)
def test_outside_of_any_work_there_is_nothing_to_tell(
    told: Told, tell: Callable[[JsonEvents], object]
) -> None:
    tell(told.monitor)
    told.monitor.begin("read")
    told.monitor.end()
    told.now += 5
    tell(told.monitor)

    assert told.kinds == ["begin", "end"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("two\nlines\r\x85 and\u2028more", id="line ends"),
        pytest.param("caf\udce9.rpm", id="no UTF-8"),
        pytest.param('a "quote" \\ \x1b[31m', id="quotes and controls"),
    ],
)
def test_any_text_is_a_line_of_ascii(told: Told, text: str) -> None:
    told.monitor.detail(text)

    assert told.out.getvalue().isascii()
    assert told.events == [{"event": "detail", "text": text}]


def test_lines_of_several_threads_do_not_mix() -> None:
    class Pieces(io.StringIO):
        """Gives way to another thread after each piece, as a full pipe would."""

        def write(self, text: str, /) -> int:
            count = super().write(text)
            gate.wait()
            return count

    gate = threading.Barrier(2, timeout=60)
    out = Pieces()
    monitor = JsonEvents(out)
    threads = [threading.Thread(target=monitor.detail, args=("x" * 50,)) for _ in range(2)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [json.loads(line)["text"] for line in out.getvalue().splitlines()] == ["x" * 50] * 2
