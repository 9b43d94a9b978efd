"""Work beside the caller: in order, bounded, and gone when the caller is."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from release_builder.lanes import Lane

PATIENCE = 60  # seconds: what should happen at once has failed then


@pytest.mark.parametrize("workers", [pytest.param(1, id="one"), pytest.param(4, id="several")])
def test_results_come_in_the_order_of_submission(workers: int) -> None:
    results: list[int] = []

    def slow(number: int) -> int:
        time.sleep(0.004 * (number % 4 == 0))
        return number

    with Lane(workers, workers + 1, results.append) as lane:
        for number in range(40):
            lane.submit(partial(slow, number))
        lane.finish()

    assert results == list(range(40))


def test_one_worker_does_the_work_in_the_order_of_submission() -> None:
    done: list[int] = []

    with Lane[None](ahead=50) as lane:
        for number in range(50):
            lane.submit(partial(done.append, number))
        lane.finish()

    assert done == list(range(50))


def test_results_are_told_in_the_callers_thread() -> None:
    workers: list[int] = []
    callers: list[int] = []

    def hear(worker: int) -> None:
        workers.append(worker)
        callers.append(threading.get_ident())

    with Lane(2, 1, hear) as lane:
        for _ in range(8):
            lane.submit(threading.get_ident)
        lane.finish()

    assert callers == [threading.get_ident()] * 8
    assert threading.get_ident() not in workers


def test_the_caller_goes_on_while_work_waits() -> None:
    gate = threading.Event()
    results: list[bool] = []

    with Lane(1, 4, results.append) as lane:
        for _ in range(4):
            lane.submit(partial(gate.wait, PATIENCE))
        before = list(results)
        gate.set()
        lane.finish()

    assert before == []
    assert results == [True] * 4  # False: nobody opened the gate in time


def test_several_workers_work_at_the_same_time() -> None:
    together = threading.Barrier(3)
    places: list[int] = []

    with Lane(3, 3, places.append) as lane:
        for _ in range(3):
            lane.submit(partial(together.wait, PATIENCE))
        lane.finish()

    assert sorted(places) == [0, 1, 2]


@pytest.mark.parametrize("ahead", [pytest.param(number, id=f"{number}") for number in (0, 1, 4)])
def test_never_more_work_waits_than_was_allowed(ahead: int) -> None:
    results: list[None] = []
    waiting: list[int] = []

    with Lane(2, ahead, results.append) as lane:
        for submitted in range(1, 21):
            lane.submit(partial(time.sleep, 0.001))
            waiting.append(submitted - len(results))
        lane.finish()

    assert max(waiting) <= ahead
    assert len(results) == 20


def failing() -> None:
    raise OSError(28, "No space left on device")


def test_what_work_raised_is_raised_by_finish() -> None:
    with Lane[None]() as lane:
        lane.submit(failing)

        with pytest.raises(OSError, match="No space left"):
            lane.finish()


def test_what_work_raised_is_raised_by_a_later_submit() -> None:
    with Lane[None](ahead=2) as lane:
        lane.submit(failing)
        lane.submit(lambda: None)

        with pytest.raises(OSError, match="No space left"):
            lane.submit(lambda: None)


def test_results_before_an_error_are_told() -> None:
    results: list[str | None] = []

    with Lane(1, 4, results.append) as lane:
        lane.submit(lambda: "first")
        lane.submit(failing)

        with pytest.raises(OSError, match="No space left"):
            lane.finish()

    assert results == ["first"]


def test_what_the_callers_function_raises_reaches_the_caller() -> None:
    def refuse(result: int) -> None:
        raise ValueError(f"{result} is refused")

    with Lane(1, 4, refuse) as lane:
        lane.submit(lambda: 7)

        with pytest.raises(ValueError, match="7 is refused"):
            lane.finish()


def test_finish_without_work_is_done_and_work_may_follow_it() -> None:
    results: list[int] = []

    with Lane(1, 4, results.append) as lane:
        lane.finish()
        lane.submit(lambda: 1)
        lane.finish()
        lane.submit(lambda: 2)
        lane.finish()

    assert results == [1, 2]


def test_the_threads_end_with_the_block() -> None:
    before = threading.active_count()

    with Lane[None](3) as lane:
        for _ in range(3):
            lane.submit(lambda: None)
        lane.finish()
        inside = threading.active_count()

    assert inside > before
    assert threading.active_count() == before


def test_an_error_in_the_block_ends_the_threads_and_what_waits_is_never_done() -> None:
    before = threading.active_count()
    started = threading.Event()
    done: list[str] = []

    def first() -> None:
        started.set()
        time.sleep(0.05)
        done.append("first")

    def leave_early() -> None:
        with Lane[None]() as lane:
            lane.submit(first)
            lane.submit(partial(done.append, "second"))
            started.wait(PATIENCE)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave_early()

    assert done == ["first"]
    assert threading.active_count() == before
