"""One process at a time, and who that is."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

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
