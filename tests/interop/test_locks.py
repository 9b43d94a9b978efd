"""Locks that are removed, that outlive who took them, or that the file system does not keep."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fetching import release_of
from image_builder import NAMES, make_images
from own_mounts import OWN_MOUNTS, need_own_mounts
from program import PROGRAM, release_builder
from web_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builders import Mirror

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop

LOCKLESS = Path(__file__).with_name("no_locks.c")
# Says that it is there, and then nothing: a mirror that is stuck.
STUCK = """#!/bin/sh
case "$*" in *--version*) exec {rsync} "$@";; esac
echo $$ > "{here}/pid"
mv "{here}/pid" "{here}/stuck"
exec sleep 60
"""
HOLD = """
import sys, time
from pathlib import PurePosixPath, Path
from release_builder.public.shelf import open_shelf
root = Path(sys.argv[1])
with open_shelf(PurePosixPath(root), scratch=root.parent).locked("testing/9.0beta3"):
    print("held", flush=True)
    time.sleep(60)
"""
READ_ONLY = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"'


@pytest.fixture
def descriptor(mirror: Mirror, workdir: Path) -> Path:
    path = workdir / "sme.yaml"
    path.write_text(
        f"{mirror.descriptor}workdir: work\npublish: {{root: public, preflight: off}}\n"
    )
    return path


@pytest.fixture
def stuck(descriptor: Path, workdir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A build whose rsync hangs."""
    tools = workdir / "tools"
    tools.mkdir()
    fake = tools / "rsync"
    fake.write_text(STUCK.format(rsync=shutil.which("rsync"), here=workdir))
    fake.chmod(0o755)
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    argv = [*PROGRAM, "sync", str(descriptor)]
    with subprocess.Popen(argv, env=env, stderr=subprocess.DEVNULL) as run:
        while not (workdir / "stuck").exists():
            assert run.poll() is None
            time.sleep(0.02)
        yield run
        run.kill()
        os.kill(int((workdir / "stuck").read_text()), signal.SIGKILL)


@pytest.fixture(scope="module")
def lockless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which no file can be locked."""
    library = tmp_path_factory.mktemp("lockless") / "no_locks.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, LOCKLESS], check=True)
    return {"LD_PRELOAD": str(library)}


def test_who_comes_second_is_told_who_is_at_work_and_since_when(
    stuck: subprocess.Popen[bytes], descriptor: Path, workdir: Path
) -> None:
    ended = release_builder("build", descriptor, cwd=workdir)

    assert ended.status == 75
    assert f"process {stuck.pid} on " in ended.stderr
    assert " since 20" in ended.stderr
    assert "wait for it to end" in ended.stderr


def test_a_lock_that_is_removed_during_a_run_lets_no_second_one_in(
    stuck: subprocess.Popen[bytes], descriptor: Path, workdir: Path
) -> None:
    (workdir / "work/.lock").unlink()

    ended = release_builder("build", descriptor, cwd=workdir)

    assert ended.status == 75
    assert f"process {stuck.pid}, running since 20" in ended.stderr


def test_what_a_killed_run_left_running_keeps_the_lock(
    stuck: subprocess.Popen[bytes], descriptor: Path, workdir: Path
) -> None:
    stuck.send_signal(signal.SIGKILL)
    stuck.wait()

    ended = release_builder("build", descriptor, cwd=workdir)

    assert ended.status == 75
    assert "if that process is gone, a program that it started still runs" in ended.stderr


def test_the_lock_of_a_public_release_that_is_removed_lets_no_second_one_in(
    descriptor: Path, workdir: Path
) -> None:
    assert release_builder("build", descriptor, cwd=workdir).status == 0
    argv = [sys.executable, "-c", HOLD, str(workdir / "public")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        (lock,) = (workdir / "public").rglob(".lock")
        before = release_builder("publish", descriptor, cwd=workdir)
        lock.unlink()

        after = release_builder("publish", descriptor, cwd=workdir)
        holder.kill()

    for ended in (before, after):
        assert ended.status == 75, ended.stderr
        assert f"process {holder.pid}, running since 20" in ended.stderr
    assert release_builder("publish", descriptor, cwd=workdir).status == 0


def test_where_files_cannot_be_locked_that_is_said(
    descriptor: Path, workdir: Path, lockless: dict[str, str]
) -> None:
    env = os.environ | lockless
    make_images(workdir / "images", NAMES[0])
    update = ("images", "update", "-r", "https://images.example", "images", "mirror")
    with serve(workdir, log=False) as web:
        release_of(2).lay_out(workdir, f"A={web.url}tree/")
        fetch = ("jigdo", "fetch", "-o", "out", f"{web.url}cd.jigdo")
        for command in (("build", str(descriptor)), update, fetch):
            ended = release_builder(*command, cwd=workdir, env=env)

            assert ended.status == 3, ended
            assert "No locks available" in ended.stderr
            assert "its file system keeps no locks" in ended.stderr
            assert str(workdir) in ended.stderr or "out/" in ended.stderr
    assert not list(workdir.glob("*/*.iso"))


def test_where_the_state_may_only_be_read_it_is_read(
    descriptor: Path, workdir: Path, small_release: Release
) -> None:
    need_own_mounts()
    state = os.environ["RELEASE_BUILDER_STATE"]
    assert release_builder("build", descriptor, cwd=workdir).status == 0

    ended = {
        command[0]: subprocess.run(
            [*OWN_MOUNTS, "sh", "-ec", READ_ONLY, "sh", state, *PROGRAM, *command],
            cwd=workdir,
            check=False,
            capture_output=True,
            text=True,
        )
        for command in (("status", str(descriptor)), ("history",), ("build", str(descriptor)))
    }

    assert [each.returncode for each in ended.values()] == [0, 0, 3]
    assert small_release.recipe.version in ended["history"].stdout
    assert "cannot keep the state" in ended["build"].stderr
    assert "RELEASE_BUILDER_STATE" in ended["build"].stderr
