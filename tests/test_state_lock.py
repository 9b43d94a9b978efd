from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from release_builder.errors import BusyError, Status, SurroundingsError
from release_builder.state.lock import hold, holder

if TYPE_CHECKING:
    from pathlib import Path

HOLD = (
    "import sys, time; from pathlib import Path\n"
    "from release_builder.state.lock import hold\n"
    "with hold(Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(60)\n"
)
HOLD_WITH_FOLDER = HOLD.replace("[1])", "[1]), with_folder=True")
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


@pytest.mark.parametrize("way", ["removed", "replaced", "moved away"])
def test_a_lock_that_somebody_took_away_lets_nobody_in(tmp_path: Path, way: str) -> None:
    path = tmp_path / "lock"
    with python(HOLD_WITH_FOLDER, path) as holder:
        assert said(holder) == "held"
        if way == "moved away":
            path.rename(tmp_path / "other")
        else:
            path.unlink()
        if way == "replaced":
            path.write_bytes(b"")

        with (
            pytest.raises(BusyError, match=f"process {holder.pid}, running since 20"),
            hold(path, with_folder=True),
        ):
            pass
        holder.kill()

    with hold(path, with_folder=True):
        assert path.read_text().startswith(f"process {os.getpid()} ")


def test_in_a_folder_that_may_not_be_written_an_old_lock_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with hold(folder / "lock", with_folder=True):
        pass
    folder.chmod(0o555)

    with hold(folder / "lock", with_folder=True) as lock:
        assert lock.fileno() > 2


def test_a_lock_that_another_host_left_is_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("process 1 on elsewhere since 2010-01-01T00:00:00+00:00\n")

    with hold(path, with_folder=True):
        assert path.read_text().startswith(f"process {os.getpid()} ")


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


def test_the_holder_is_told_and_the_lock_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    before = holder(path)
    with hold(path):
        during = holder(path)
    after = holder(path)

    assert before == after == ""
    assert during == path.read_text().strip()


@pytest.mark.parametrize("words", ["", "process 1 on elsewhere since 2010-01-01T00:00:00+00:00\n"])
def test_a_holder_who_left_no_words_is_told_by_number(tmp_path: Path, words: str) -> None:
    path = tmp_path / "lock"
    path.write_text(words)

    with path.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        told = holder(path)

    assert told == f"process {os.getpid()}"


def test_who_waits_for_a_lock_does_not_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    number = path.stat().st_ino
    (tmp_path / "locks").write_text(f"1: -> FLOCK  ADVISORY  WRITE 7 08:01:{number} 0 EOF\n")

    assert holder(path, proc=tmp_path) == ""


def test_a_process_that_the_kernel_cannot_name_is_told_by_its_words(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("process 7 on host since 2030-01-01T04:15:00+00:00\n")
    number = path.stat().st_ino
    (tmp_path / "locks").write_text(f"1: FLOCK  ADVISORY  WRITE -1 00:2a:{number} 0 EOF\n")

    assert holder(path, proc=tmp_path) == "process 7 on host since 2030-01-01T04:15:00+00:00"


def test_where_the_kernel_tells_nothing_no_holder_is_known(tmp_path: Path) -> None:
    with hold(tmp_path / "lock"):
        assert holder(tmp_path / "lock", proc=tmp_path / "no proc") == ""


def test_what_is_no_plain_file_has_no_holder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lock")

    assert holder(tmp_path / "lock") == ""
