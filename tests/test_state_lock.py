from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from release_builder.errors import BusyError, Status, SurroundingsError
from release_builder.state.lock import hold

if TYPE_CHECKING:
    from pathlib import Path

HOLD = (
    "import sys, time; from pathlib import Path\n"
    "from release_builder.state.lock import hold\n"
    "with hold(Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(60)\n"
)
HOLD_WITH_CHILD = (
    "import subprocess, sys; from pathlib import Path\n"
    "from release_builder.state.lock import hold\n"
    "with hold(Path(sys.argv[1])) as lock:\n"
    "    child = subprocess.Popen(['sleep', '60'], pass_fds=[lock.fileno()], stdout=2)\n"
    "    print(child.pid, flush=True); child.wait()\n"
)


def python(code: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_lock_file_says_who_holds_it_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"

    with hold(path):
        during = path.read_text()

    assert re.fullmatch(
        rf"process {os.getpid()} on \S+ since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\n", during
    )
    assert path.read_text() == during


def test_shorter_words_leave_nothing_of_longer_ones(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("x" * 1000)

    with hold(path):
        assert "x" * 10 not in path.read_text()


def test_a_lock_that_was_let_go_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(3):
        with hold(tmp_path / "lock") as lock:
            assert lock.fileno() > 2


def test_a_second_process_learns_who_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with python(HOLD, path) as holder:
        assert said(holder) == "held"
        with pytest.raises(BusyError) as raised, hold(path):
            pass
        holder.kill()

    assert re.search(rf"{path}: process {holder.pid} on \S+ since \d{{4}}-", raised.value.what)
    assert raised.value.status is Status.BUSY
    assert raised.value.hint


def test_kill_9_lets_the_lock_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with python(HOLD, path) as holder:
        assert said(holder) == "held"
        holder.send_signal(signal.SIGKILL)

    with hold(path):
        now = path.read_text()

    assert now.startswith(f"process {os.getpid()} ")


def test_a_program_that_inherited_the_lock_keeps_it_when_its_parent_dies(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with python(HOLD_WITH_CHILD, path) as parent:
        child = int(said(parent))
        parent.send_signal(signal.SIGKILL)

    try:
        with pytest.raises(BusyError, match=f"process {parent.pid} "), hold(path):
            pass
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_program_that_inherits_nothing_does_not_keep_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path / "lock"):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)

    try:
        with hold(tmp_path / "lock") as lock:
            assert lock.fileno() > 2
    finally:
        child.kill()
        child.wait()


def test_an_error_inside_passes_through_and_lets_the_lock_go(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="inside"), hold(tmp_path / "lock"):
        raise OSError("inside")

    with hold(tmp_path / "lock") as lock:
        assert lock.fileno() > 2


def test_what_a_stranger_wrote_into_the_lock_cannot_disturb_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with hold(path):
        path.write_bytes(b"\x1b[2Jgone\xff" + b"x" * 10_000)
        with pytest.raises(BusyError) as raised, hold(path):
            pass

    assert "\\x1b[2Jgone" in raised.value.what
    assert len(raised.value.what) < 2000


def test_a_link_in_the_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "lock").symlink_to("precious")

    with pytest.raises(SurroundingsError, match="cannot lock"), hold(tmp_path / "lock"):
        pass

    assert (tmp_path / "precious").read_text() == "precious"


def test_a_fifo_in_the_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lock")

    with pytest.raises(SurroundingsError, match="not a regular file"), hold(tmp_path / "lock"):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(SurroundingsError) as raised, hold(tmp_path / "file" / "lock"):
        pass

    assert str(tmp_path / "file" / "lock") in raised.value.what
    assert raised.value.hint
