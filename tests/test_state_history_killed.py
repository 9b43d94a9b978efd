"""Runs that began: those under way, those that were killed, those that came to an end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from test_state_history import DESCRIPTOR, RUN, START, record, state

from release_builder.state.history import HISTORY_FILE, KILLED, RecordedRun, Standing, open_history
from release_builder.state.history_processes import is_gone, this_process

BEGUN = RecordedRun(
    command="refresh",
    descriptor=DESCRIPTOR,
    product="smeserver",
    version="9.0beta3",
    arch="x86_64",
    started=RUN.started,
)
_KILLED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_state_history_killed import BEGUN
from release_builder.state.history import open_history
with open_history(Path(sys.argv[2])) as history:
    history.begin(BEGUN)
    os.kill(os.getpid(), 9)
"""


def kill_a_run(folder: Path) -> None:
    """Have ``BEGUN`` begun by a process that is killed then."""
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, Path(__file__).parent, folder], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL


def test_a_run_under_way_is_told_with_its_process_but_is_no_run_yet(tmp_path: Path) -> None:
    record(tmp_path, RUN)

    with open_history(tmp_path) as history:
        number = history.begin(BEGUN)
        with open_history(tmp_path, read_only=True) as other:
            (found,) = other.under_way()
            assert found.run == replace(BEGUN, id=number)
            assert found.process == f"process {os.getpid()} on {socket.gethostname()}"
            assert len(other.runs()) == 1
            assert other.releases()[0].standing(RUN.ended) is Standing.FRESH


def test_a_run_that_ends_is_recorded_under_the_number_that_it_began_with(tmp_path: Path) -> None:
    with open_history(tmp_path) as history:
        number = history.begin(BEGUN)
        other = history.begin(replace(BEGUN, arch="i386"))

        assert history.record(RUN) == number != other

        assert history.runs() == (replace(RUN, id=number),)
        assert [each.run.arch for each in history.under_way()] == ["i386"]


def test_a_run_of_a_descriptor_ends_with_the_first_of_its_releases(tmp_path: Path) -> None:
    with open_history(tmp_path) as history:
        number = history.begin(RecordedRun(command="refresh", descriptor=DESCRIPTOR, started=START))

        assert history.record(RUN) == number != history.record(replace(RUN, arch="i386"))

        assert history.under_way() == ()
        assert [run.arch for run in history.runs()] == ["i386", "x86_64"]


def test_what_began_and_has_nothing_to_record_leaves_no_trace(tmp_path: Path) -> None:
    with contextlib.suppress(KeyboardInterrupt), open_history(tmp_path) as history:
        history.begin(BEGUN)
        raise KeyboardInterrupt

    with open_history(tmp_path) as history:
        assert history.under_way() == ()
        assert history.runs() == ()
        assert history.releases() == ()


def test_a_killed_run_is_a_failure_of_the_release(tmp_path: Path) -> None:
    record(tmp_path, RUN)

    kill_a_run(tmp_path)

    found = state(tmp_path)
    assert found.standing(RUN.ended) is Standing.FAILING
    assert found.failures == 1
    assert found.last_run
    assert found.last_run.status == KILLED
    assert "killed" in found.last_run.problem
    with open_history(tmp_path, read_only=True) as history:
        assert history.under_way() == ()


def test_a_first_run_that_is_killed_makes_the_release_known(tmp_path: Path) -> None:
    kill_a_run(tmp_path)

    assert state(tmp_path).standing(RUN.ended) is Standing.NEVER


def test_the_next_run_tells_once_that_one_was_killed(tmp_path: Path) -> None:
    kill_a_run(tmp_path)

    with open_history(tmp_path) as history:
        history.begin(replace(BEGUN, descriptor="/etc/other.yaml"))
        assert history.notes == []
        history.begin(BEGUN)
        history.record(RUN)
        (note,) = history.notes
    assert note.startswith(
        "the refresh of smeserver 9.0beta3 x86_64 that began 2026-01-02 03:04 UTC was killed"
    )
    with open_history(tmp_path) as history:
        history.begin(BEGUN)
        assert history.notes == []
        assert [run.status for run in history.runs()] == [0, KILLED]


def test_a_process_that_is_no_process_is_told_of(tmp_path: Path) -> None:
    record(tmp_path, RUN)
    with contextlib.closing(sqlite3.connect(tmp_path / HISTORY_FILE)) as database, database:
        database.execute("UPDATE runs SET process = 'a butterfly'")

    with open_history(tmp_path, read_only=True) as history:
        assert history.runs() == ()
        assert "cannot be read" in history.notes[0]


def test_this_process_is_not_gone() -> None:
    assert not is_gone(this_process())


@pytest.mark.parametrize(
    ("place", "word", "gone"),
    [
        pytest.param(0, "4194305", True, id="a number that no process has"),
        pytest.param(0, "1" * 30, True, id="a number too large for any"),
        pytest.param(1, "another.example", False, id="of another host"),
        pytest.param(2, "an-earlier-boot", True, id="before the last boot"),
        pytest.param(2, "-", False, id="of an unknown boot"),
        pytest.param(3, "1", True, id="the number is another process's now"),
        pytest.param(3, "-", False, id="of an unknown beginning"),
    ],
)
def test_whether_a_process_is_gone(place: int, word: str, *, gone: bool) -> None:
    words = this_process().split()
    words[place] = word

    assert is_gone(" ".join(words)) is gone


def test_a_process_that_has_ended_but_was_not_waited_for_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        words = [str(child.pid), *this_process().split()[1:3], "-"]

        assert is_gone(" ".join(words))
