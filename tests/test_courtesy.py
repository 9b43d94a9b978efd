"""Tests of manners: hosts spread, others first, and an end to everything."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from release_builder.courtesy import ending_after, splay
from release_builder.errors import OutOfTimeError, Status
from release_builder.report import failed_step


def test_a_host_waits_the_same_time_every_night() -> None:
    assert splay(600, "host", "/etc/a.yaml") == splay(600, "host", "/etc/a.yaml")


def test_hosts_are_spread_over_the_whole_time() -> None:
    waits = [splay(600, f"host{number}", "/etc/a.yaml") for number in range(1000)]

    assert all(0 <= wait < 600 for wait in waits)
    for minute in range(10):
        assert 60 < sum(60 * minute <= wait < 60 * (minute + 1) for wait in waits) < 140


def test_names_that_only_join_alike_wait_each_their_own_time() -> None:
    assert splay(600, "host", "a") != splay(600, "hosta", "")


def test_whoever_steps_back_is_nice_but_only_once() -> None:
    program = (
        "import os; from release_builder.courtesy import step_back;"
        "step_back(); first = os.nice(0); step_back(); print(first, os.nice(0))"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    expected = max(10, os.nice(0))
    assert said.split() == [str(expected), str(expected)]


def test_what_takes_too_long_ends() -> None:
    started = time.monotonic()

    with pytest.raises(OutOfTimeError), ending_after(0.1):
        time.sleep(5)

    assert time.monotonic() - started < 2


def test_what_ends_in_time_is_left_in_peace_afterwards() -> None:
    with ending_after(0.05):
        pass

    time.sleep(0.1)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_no_time_is_left(seconds: float) -> None:
    with pytest.raises(OutOfTimeError), ending_after(seconds):
        time.sleep(5)


def test_a_deadline_that_comes_in_a_finaliser_comes_once_more() -> None:
    class Slow:
        def __del__(self) -> None:
            time.sleep(0.5)

    def work() -> None:
        Slow()
        time.sleep(20)

    hook = sys.unraisablehook

    with pytest.raises(OutOfTimeError), ending_after(0.1):
        work()

    assert sys.unraisablehook is hook


def test_without_a_deadline_nothing_ends() -> None:
    with ending_after(None):
        time.sleep(0.01)


def test_a_step_that_ran_out_of_time_is_incomplete_and_says_how_long_it_had() -> None:
    (finding,) = failed_step("sync", OutOfTimeError(3600)).findings

    assert finding.severity.status is Status.INCOMPLETE
    assert finding.message == "the deadline of 60 min has passed"
    assert "--deadline" in finding.hint
