"""Tasks on the cores of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from release_builder.errors import SurroundingsError, WrongBytesError
from release_builder.spreading import Ended, Task, run_local

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROOM = 100


class Watch:
    """What was done, in which order, and how much of it at a time."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.most = 0
        self._under_way = 0
        self._lock = threading.Lock()

    def work(self, name: str, size: int = 1) -> str:
        """Take a little time."""
        with self._lock:
            self._under_way += size
            self.most = max(self.most, self._under_way)
        time.sleep(0.02)
        with self._lock:
            self._under_way -= size
            self.done.append(name)
        return f"made {name}"


@pytest.fixture
def watch() -> Watch:
    return Watch()


def fail(error: Exception) -> None:
    raise error


def run(tasks: Sequence[Task], jobs: int = 4) -> dict[str, Ended]:
    return {ended.key: ended for ended in run_local(tasks, jobs, ROOM)}


def test_each_task_ends_with_what_its_function_returns(watch: Watch) -> None:
    tasks = [Task(name, watch.work, (name,)) for name in "abc"]

    assert run(tasks) == {name: Ended(name, f"made {name}") for name in "abc"}
    assert run([]) == {}


def test_a_task_waits_for_those_that_it_needs(watch: Watch) -> None:
    tasks = [
        Task("a", watch.work, ("a",)),
        Task("b", watch.work, ("b",), needs=("a",)),
        Task("c", watch.work, ("c",), needs=("a", "b")),
    ]

    run(tasks)

    assert watch.done == ["a", "b", "c"]


def test_no_more_run_at_a_time_than_there_are_jobs(watch: Watch) -> None:
    run([Task(str(number), watch.work, (str(number),)) for number in range(8)], jobs=3)

    assert watch.most == 3


def test_no_more_memory_is_taken_than_is_allowed(watch: Watch) -> None:
    sizes = [60, 50, 40, 30, 20, 100, 10]

    ended = run([Task(str(size), watch.work, (str(size), size), size) for size in sizes])

    assert watch.most <= ROOM
    assert len(ended) == len(sizes)


def test_a_task_that_can_never_fit_is_refused_and_the_rest_is_done(watch: Watch) -> None:
    tasks = [
        Task("large", watch.work, ("large",), memory=ROOM + 1),
        Task("needy", watch.work, ("needy",), needs=("large",)),
        Task("small", watch.work, ("small",), memory=ROOM),
    ]

    ended = run(tasks)

    assert watch.done == ["small"]
    assert isinstance(ended["large"].error, SurroundingsError)
    assert "--memory" in ended["large"].error.hint
    assert ended["needy"].error is ended["large"].error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(WrongBytesError("no delta"), WrongBytesError, id="wrong bytes"),
        pytest.param(OSError(28, "No space left on device"), SurroundingsError, id="disk full"),
    ],
)
def test_a_failure_fails_what_needs_it_and_no_more(
    watch: Watch, error: Exception, expected: type[Exception]
) -> None:
    tasks = [
        Task("bad", fail, (error,)),
        Task("needy", watch.work, ("needy",), needs=("bad",)),
        Task("needier", watch.work, ("needier",), needs=("needy",)),
        Task("good", watch.work, ("good",)),
    ]

    ended = run(tasks)

    assert isinstance(ended["bad"].error, expected)
    assert ended["needier"].error is ended["bad"].error
    assert ended["good"] == Ended("good", "made good")
    assert watch.done == ["good"]


def test_a_bug_is_no_result() -> None:
    with pytest.raises(ZeroDivisionError):
        run([Task("bug", lambda: 1 // 0)])


@pytest.mark.parametrize(
    "tasks",
    [
        pytest.param([Task("a", print), Task("a", print)], id="twice"),
        pytest.param([Task("a", print, needs=("b",)), Task("b", print)], id="too late"),
        pytest.param([Task("a", print, needs=("a",))], id="itself"),
    ],
)
def test_a_graph_without_an_end_is_refused(tasks: Sequence[Task]) -> None:
    with pytest.raises(ValueError, match="a is there twice, or before what it needs"):
        run(tasks)


STOPPED = (
    "import os, signal, threading\n"
    "from release_builder import process\n"
    "from release_builder.spreading import Task, run_local\n"
    "threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
    "tasks = [Task(str(n), process.run, (['sleep', '60'],)) for n in range(5)]\n"
    "list(run_local(tasks, 2, 0))\n"
)


def test_whoever_takes_no_more_results_waits_for_no_task_that_had_not_begun() -> None:
    tasks = [Task(str(number), str) for number in range(9)]

    for _ in range(3000):  # of which one in some hundred has such a task
        results = run_local(tasks, 4, ROOM)
        next(results)
        assert isinstance(results, Generator)
        closing = threading.Thread(target=results.close, daemon=True)
        closing.start()
        closing.join(60)
        assert not closing.is_alive()


def test_a_user_who_stops_us_does_not_wait_for_the_programs() -> None:
    started = time.monotonic()

    ended = subprocess.run(
        [sys.executable, "-c", STOPPED], check=False, capture_output=True, text=True, timeout=50
    )

    assert "KeyboardInterrupt" in ended.stderr
    assert time.monotonic() - started < 30


READING = (
    "import os, signal, sys, threading\n"
    "from pathlib import Path\n"
    "from release_builder.repository.sums import sums_of\n"
    "from release_builder.spreading import Task, run_local\n"
    "threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
    "tasks = [Task(str(n), sums_of, (Path(sys.argv[1]),)) for n in range(5)]\n"
    "list(run_local(tasks, 2, 0))\n"
)


def test_a_user_who_stops_us_does_not_wait_for_the_digests(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.touch()
    os.truncate(path, 1 << 40)  # an hour's work

    ended = subprocess.run(
        [sys.executable, "-c", READING, path],
        check=False,
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert "KeyboardInterrupt" in ended.stderr
