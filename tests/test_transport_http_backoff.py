"""Pauses and their bounds, the end of all waiting, and the slowest pace that is borne."""

from __future__ import annotations

import pytest
from memory_client import Time

from release_builder.transport.http import Answer, HttpError
from release_builder.transport.http.backoff import (
    Deadline,
    Pace,
    bounded,
    pause_after,
    pause_before_probe,
)


@pytest.mark.parametrize(
    ("failures", "longest"),
    [
        pytest.param(0, 0.5, id="after progress"),
        pytest.param(1, 0.5, id="first"),
        pytest.param(3, 2, id="third"),
        pytest.param(7, 30, id="seventh"),
        pytest.param(5000, 30, id="thousands"),
    ],
)
def test_the_longest_pause_doubles_up_to_half_a_minute(failures: int, longest: float) -> None:
    assert pause_after(failures, 0, lambda: 1) == longest
    assert pause_after(failures, 0, lambda: 0) == 0


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        pytest.param(-5, 0, id="none"),
        pytest.param(7, 7, id="some"),
        pytest.param(1e9, 60, id="ages"),
    ],
)
def test_a_server_gets_the_pause_that_it_asks_for_up_to_a_minute(
    asked: float, granted: float
) -> None:
    assert pause_after(1, asked, lambda: 0) == granted


def test_a_deadline_ends_waits() -> None:
    time = Time()
    deadline = Deadline(10, time)
    time.now = 4

    assert deadline.left() == 6
    assert deadline.left(5) == 5
    assert deadline.left(7) == 6


def test_without_a_deadline_a_wait_is_as_long_as_asked() -> None:
    deadline = Deadline(None, Time())

    deadline.check()

    assert deadline.left() is None
    assert deadline.left(3) == 3


def test_a_deadline_is_over_when_its_time_is() -> None:
    time = Time()
    deadline = Deadline(10, time)
    time.now = 9.9
    deadline.check()
    time.now = 10

    with pytest.raises(HttpError) as caught:
        deadline.check()

    assert caught.value.answer is Answer.NO_TIME
    assert deadline.left() == 0


@pytest.mark.parametrize(
    ("amounts", "slow"),
    [
        pytest.param([1024] * 60, False, id="just fast enough"),
        pytest.param([1023] * 30, True, id="just too slow"),
        pytest.param([0] * 29 + [30720], False, id="all at the end of the window"),
        pytest.param([9999] * 30 + [1] * 30, True, id="in the second window"),
        pytest.param([1] * 29, False, id="before the window ends"),
    ],
)
def test_the_slowest_pace_is_a_kibibyte_a_second(amounts: list[int], slow: bool) -> None:
    pace = Pace(0, 30, None)

    def come() -> None:
        for second, amount in enumerate(amounts, 1):
            pace.came(amount, second)

    if not slow:
        come()
        return
    with pytest.raises(HttpError, match="slow"):
        come()


def test_probes_come_after_longer_and_longer_pauses_up_to_half_a_minute() -> None:
    assert [pause_before_probe(failed, lambda: 0.5) for failed in (0, 1, 2, 3, 4, 9999)] == [
        *(2, 4, 8, 16, 30, 30)
    ]
    assert (pause_before_probe(0, lambda: 0), pause_before_probe(0, lambda: 1)) == (1.5, 2.5)


@pytest.mark.parametrize(
    ("seconds", "waited"),
    [
        pytest.param(5, 5, id="usual"),
        pytest.param(0, 0.001, id="none"),
        pytest.param(-3, 0.001, id="less than none"),
        pytest.param(1e300, 86_400, id="ages"),
        pytest.param(float("inf"), 86_400, id="infinite"),
        pytest.param(float("nan"), 86_400, id="no number"),
    ],
)
def test_what_is_waited_is_more_than_nothing_and_a_day_at_most(
    seconds: float, waited: float
) -> None:
    assert bounded(seconds) == waited


@pytest.mark.parametrize("seconds", [float("inf"), float("nan")])
def test_a_deadline_that_is_no_number_is_none(seconds: float) -> None:
    deadline = Deadline(seconds, Time())

    deadline.check()

    assert deadline.left() is None


def test_a_far_deadline_is_waited_for_day_by_day() -> None:
    assert Deadline(1e300, Time()).left() == 86_400
