"""Programs that would take too long, say too much, or leave something behind."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from release_builder import process
from release_builder.errors import SurroundingsError
from release_builder.telling.bounded import Ended, run_bounded

ENV = process.environment()


def sh(script: str, *, stdin: bytes = b"", patience: float = 10.0) -> Ended:
    return run_bounded(["sh", "-c", script], stdin, ENV, patience)


def test_a_program_reads_and_says_something() -> None:
    assert sh("cat; echo two >&2; exit 3", stdin=b"one\n") == Ended(3, "one two")


def test_only_its_last_words_are_kept() -> None:
    ended = sh("yes | head -n 2000000; echo the end")

    assert ended.status == 0
    assert ended.words.endswith("y y the end")
    assert len(ended.words) <= 2000


def test_a_program_may_leave_its_input_unread() -> None:
    assert sh("exit 0", stdin=b"x" * 1_000_000) == Ended(0, "")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("exec sleep 60", id="silent"),
        pytest.param("exec yes", id="talking"),
        pytest.param("trap '' TERM; while :; do sleep 0.1; done", id="deaf to SIGTERM"),
    ],
)
def test_a_program_that_does_not_end_is_stopped(script: str) -> None:
    begun = time.monotonic()

    ended = sh(script, patience=0.3)

    assert ended.status is None
    assert time.monotonic() - begun < 5


def test_what_it_leaves_in_the_background_is_not_waited_for_and_ended(tmp_path: Path) -> None:
    begun = time.monotonic()

    ended = sh(f"sleep 61 & echo $! >{tmp_path}/pid; echo done")

    assert ended.status == 0
    assert time.monotonic() - begun < 8
    pid = (tmp_path / "pid").read_text().strip()
    assert not is_running(pid)


def is_running(pid: str) -> bool:
    """Whether there is such a process, and it is no zombie that nobody has fetched."""
    try:
        status = Path("/proc", pid, "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(SurroundingsError, match="no-such-program"):
        run_bounded(["no-such-program"], b"", ENV)


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert sh(r"printf '\033[2J\377'").words == r"\x1b[2J\xff"
