from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from release_builder import process
from release_builder.errors import SurroundingsError

if TYPE_CHECKING:
    from pathlib import Path


def wait_for(log: Path, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_program_runs_beside_us_and_ends_with_the_block(workdir: Path) -> None:
    with process.start(["sleep", "100"], log=workdir / "log") as alive:
        within = alive()

    assert within
    assert not alive()


def test_what_it_prints_goes_to_the_log(workdir: Path) -> None:
    log = workdir / "log"

    with process.start(["sh", "-c", "echo out; echo err >&2; sleep 100"], log=log):
        wait_for(log, "err")

    assert log.read_text() == "out\nerr\n"


def test_its_children_end_too(workdir: Path) -> None:
    log = workdir / "log"

    with process.start(["sh", "-c", "(sleep 0.5; echo late) & echo up; wait"], log=log):
        wait_for(log, "up")

    time.sleep(0.7)
    assert log.read_text() == "up\n"


def test_an_early_end_is_seen_and_no_error(workdir: Path) -> None:
    with process.start(["false"], log=workdir / "log") as alive:
        deadline = time.monotonic() + 10
        while alive() and time.monotonic() < deadline:
            time.sleep(0.01)

        ended = not alive()

    assert ended


def test_a_missing_program_is_named(workdir: Path) -> None:
    with (
        pytest.raises(SurroundingsError, match="no-such-program"),
        process.start(["no-such-program"], log=workdir / "log"),
    ):
        pass
