"""``refresh`` where it once kept silent, spoke too soon, or went on for too long."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from program import PROGRAM, Ended, release_builder

from release_builder.courtesy import splay
from release_builder.state.digest_cache import state_folder
from release_builder.state.history import open_history

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builders import Mirror

pytestmark = pytest.mark.interop

_NOBODY = "rsync://127.0.0.1:9/smeserver/releases/"


@pytest.fixture
def silent_mirror() -> Iterator[str]:
    """The URL of a server that takes every connection, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"rsync://127.0.0.1:{server.getsockname()[1]}/smeserver/"


@pytest.fixture
def tracking(mirror: Mirror, workdir: Path) -> Path:
    path = workdir / "sme.yaml"
    root = f"{mirror.url}releases/"
    path.write_text(f"track: testing/9\narch: x86_64\nmirror: {root}\nworkdir: .\n")
    return path


def refresh(*arguments: str | Path, cwd: Path) -> Ended:
    return release_builder("refresh", "--no-splay", *arguments, cwd=cwd)


def is_silent(ended: Ended) -> bool:
    return not ended.stdout and not ended.stderr


def test_a_mirror_that_is_followed_and_away_for_nights_is_told_when_it_was_for_too_long(
    tracking: Path, workdir: Path
) -> None:
    refresh(tracking, cwd=workdir)

    nights = [refresh("--mirror", _NOBODY, tracking, cwd=workdir) for _ in range(3)]
    old = refresh("--mirror", _NOBODY, "--max-age", "0", tracking, cwd=workdir)

    assert [night.status for night in nights] == [1, 1, 1]
    assert all(map(is_silent, nights)), nights[1].stderr
    assert "not refreshed for too long" in old.stderr
    assert "last good   never" not in old.stderr


def test_a_night_without_the_mirror_is_not_critical_for_nagios(
    tracking: Path, workdir: Path
) -> None:
    refresh(tracking, cwd=workdir)

    refresh("--mirror", _NOBODY, tracking, cwd=workdir)

    told = release_builder("status", "--max-age", "26h", tracking, cwd=workdir)
    assert told.status == 1
    assert told.stdout.startswith("RELEASES WARNING - smeserver 9.0beta3 x86_64: last success ")


def test_the_state_folder_is_what_a_hint_tells_to_change(tracking: Path, workdir: Path) -> None:
    (workdir.parent / "state").write_text("no folder")

    ended = refresh(tracking, cwd=workdir)

    assert ended.status == 3
    assert "RELEASE_BUILDER_STATE" in ended.stderr
    assert "--workdir" not in ended.stderr


def test_who_is_to_be_told_is_told_though_no_plan_can_be_made(
    tracking: Path, workdir: Path
) -> None:
    hook = workdir / "hook"
    hook.write_text(f"#!/bin/sh\ncat > {workdir}/told\n")
    hook.chmod(0o755)
    with tracking.open("a") as text:
        text.write(f"notify: {{command: {hook}}}\n")

    refresh("--mirror", _NOBODY, tracking, cwd=workdir)

    assert "could not be read to the end" in (workdir / "told").read_text()


def test_a_hook_that_hangs_undoes_no_success(mirror: Mirror, workdir: Path) -> None:
    descriptor = workdir / "sme9.yaml"
    notify = "notify: {command: sleep 1000, when: always}\n"
    descriptor.write_text(f"{mirror.descriptor}workdir: .\n{notify}")

    ended = refresh("--deadline", "6s", "--json", descriptor, cwd=workdir)

    assert ended.status == 0
    assert "no time was left to tell others" in ended.messages()


def test_a_mirror_that_hangs_silences_no_other_release(
    mirror: Mirror, silent_mirror: str, workdir: Path
) -> None:
    folder = workdir / "releases.d"
    folder.mkdir()
    for name, url in (("1", silent_mirror), ("2", mirror.release_url), ("3", mirror.release_url)):
        text = mirror.descriptor.replace(mirror.release_url, url)
        (folder / f"{name}.yaml").write_text(f"{text}workdir: {name}\n")

    ended = refresh("--deadline", "2s", folder, cwd=workdir)

    assert ended.status == 1
    assert ended.stderr.count("the deadline of 2 s has passed") == 3
    with open_history(state_folder(os.environ), read_only=True) as history:
        assert {run.descriptor[-6:] for run in history.runs()} == {"1.yaml", "2.yaml", "3.yaml"}


@pytest.fixture
def two_arches(mirror: Mirror, silent_mirror: str, workdir: Path) -> Path:
    path = workdir / "both.yaml"
    text = mirror.descriptor.replace(mirror.release_url, silent_mirror)
    path.write_text(text.replace("arch: x86_64", "arch: [x86_64, i386]"))
    return path


def test_the_deadline_is_that_of_all_arches(two_arches: Path, workdir: Path) -> None:
    began = time.monotonic()

    ended = refresh("--deadline", "2s", "--json", two_arches, cwd=workdir)

    assert ended.status == 1
    assert time.monotonic() - began < 20  # rsync itself would wait for 30 s
    first_steps = [release["steps"][0] for release in ended.document["releases"]]
    assert [step["outcome"] for step in first_steps] == ["incomplete", "incomplete"]


def test_a_stopped_refresh_begins_no_other_arch(two_arches: Path, workdir: Path) -> None:
    argv = [*PROGRAM, "refresh", "--no-splay", "-v", str(two_arches)]
    with subprocess.Popen(argv, cwd=workdir, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        line = b""
        while b"rsync -" not in line:
            line = run.stderr.readline()
            assert line
        time.sleep(0.3)
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=60)

    assert run.returncode == 130
    assert b"rsync -" not in said


def test_what_an_editor_has_open_is_no_descriptor(mirror: Mirror, workdir: Path) -> None:
    folder = workdir / "releases.d"
    folder.mkdir()
    (folder / "sme9.yaml").write_text(f"{mirror.descriptor}workdir: {workdir}\n")
    (folder / ".#sme9.yaml").symlink_to("somebody@somewhere.4711")

    ended = refresh(folder, cwd=workdir)

    assert ended.status == 0
    assert is_silent(ended)


def test_a_success_that_is_yet_to_come_is_no_reason_to_be_quiet(
    mirror: Mirror, workdir: Path
) -> None:
    descriptor = workdir / "sme9.yaml"
    descriptor.write_text(f"{mirror.descriptor}workdir: .\n")
    argv = ["faketime", "2099-01-01", *PROGRAM, "refresh", "--no-splay", str(descriptor)]
    subprocess.run(argv, cwd=workdir, check=True)

    ended = refresh("--mirror", _NOBODY, descriptor, cwd=workdir)

    assert ended.status == 1
    assert "not refreshed for too long" in ended.stderr


def test_a_host_waits_no_longer_than_it_may_take(mirror: Mirror, workdir: Path) -> None:
    names = (workdir / f"{number}.yaml" for number in range(100))
    late = next(name for name in names if splay(1, socket.gethostname(), str(name)) > 0.6)
    late.write_text(f"{mirror.descriptor}workdir: .\n")

    ended = release_builder("refresh", "--splay", "10d", "--deadline", "12s", late, cwd=workdir)

    assert ended.status == 0, ended.stderr
