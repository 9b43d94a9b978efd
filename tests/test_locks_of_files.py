"""One process at a time, and who that is."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from release_builder import locks
from release_builder.errors import BusyError
from release_builder.locks import lock_holder, locked_beside, locked_folder, open_locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def locked_elsewhere(path: Path) -> Iterator[int]:
    """A process, by its number, holds the lock of the file or folder ``path``."""
    code = (
        "import fcntl, os, sys, time\n"
        "fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)\n"
        "print('held', flush=True); time.sleep(60)\n"
    )
    argv = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        holder.stdout.readline()
        try:
            yield holder.pid
        finally:
            holder.kill()


def test_who_writes_a_file_is_told_and_since_when(workdir: Path) -> None:
    path, second = workdir / "image.iso.tmp", timedelta(seconds=1)
    path.touch()
    before = datetime.now(UTC)

    with locked_elsewhere(path) as number, pytest.raises(BusyError) as raised:
        open_locked(path)

    found = re.search(r"process (\d+), running since (\S+)$", raised.value.what)
    assert found
    assert int(found[1]) == number
    assert before - 2 * second <= datetime.fromisoformat(found[2]) <= datetime.now(UTC) + second


def test_a_folder_that_another_process_works_in_is_left_to_it(workdir: Path) -> None:
    with (
        locked_elsewhere(workdir) as number,
        pytest.raises(BusyError, match=f"process {number},"),
        locked_folder(workdir),
    ):
        pass


def test_a_folder_that_we_have_locked_ourselves_is_ours(workdir: Path) -> None:
    with locked_folder(workdir), locked_folder(workdir):
        assert lock_holder(workdir.stat())

    assert lock_holder(workdir.stat()) is None


@pytest.mark.parametrize("told", [None, "", "1: nonsense\n"])
def test_where_the_kernel_tells_nothing_nobody_is_named(workdir: Path, told: str | None) -> None:
    if told is not None:
        (workdir / "locks").write_text(told)

    with locked_folder(workdir):
        assert lock_holder(workdir.stat(), proc=workdir) is None


def test_a_lock_beside_a_file_keeps_others_away_and_leaves_nothing(workdir: Path) -> None:
    path = workdir / "cd.jigdo"

    with locked_beside(path):
        with pytest.raises(BusyError), locked_beside(path):
            pass

        assert [each.name for each in workdir.iterdir()] == [".cd.jigdo.lock"]

    with locked_beside(path):
        pass
    assert list(workdir.iterdir()) == []


def test_of_a_name_that_leaves_no_room_for_a_lock_the_file_is_told(workdir: Path) -> None:
    path = workdir / ("x" * 250)

    with pytest.raises(OSError, match="too long") as raised, locked_beside(path):
        pass

    assert raised.value.filename == str(path)


@pytest.mark.parametrize(
    "lock",
    [
        pytest.param('exec flock "$0" "$@"', id="parent"),
        pytest.param('exec flock --close "$0" "$@"', id="parent alone"),
        pytest.param('exec 9< "$0"; flock 9; "$@"', id="parent's descriptor"),
    ],
)
def test_a_folder_that_was_locked_for_us_is_ours(workdir: Path, lock: str) -> None:
    code = (
        "import pathlib, sys; from release_builder.locks import locked_folder\n"
        "with locked_folder(pathlib.Path(sys.argv[1])): print('ours')\n"
    )

    ours = subprocess.run(
        ["sh", "-c", lock, workdir, sys.executable, "-c", code, workdir],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ours.stdout, ours.stderr) == ("ours\n", "")


def test_who_holds_the_same_number_on_another_device_is_not_meant(workdir: Path) -> None:
    status = workdir.stat()
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    (workdir / "locks").write_text(
        f"1: FLOCK  ADVISORY  WRITE 7 ff:ff:{status.st_ino} 0 EOF\n"
        f"2: FLOCK  ADVISORY  WRITE 8 {device}:{status.st_ino} 0 EOF\n"
    )

    assert lock_holder(status, proc=workdir) == (8, "")


def test_a_folder_that_another_holds_beside_us_is_not_ours(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = workdir.stat().st_ino
    (workdir / "locks").write_text(
        f"1: FLOCK  ADVISORY  READ {os.getpid()} ff:ff:{number} 0 EOF\n"
        f"2: FLOCK  ADVISORY  READ 7 ff:ff:{number} 0 EOF\n"
    )
    (workdir / "self/fdinfo").mkdir(parents=True)
    monkeypatch.setattr(locks, "_PROC", workdir)

    with locked_folder(workdir), pytest.raises(BusyError), locked_folder(workdir):
        pass
