"""Whatever happens to ``images update``, what is served is whole."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from image_builder import NAMES, content, make_image, make_images
from image_repository import BASE_URL, make_repository
from own_mounts import OWN_MOUNTS, need_own_mounts
from program import PROGRAM, killed_at

from release_builder.state.lock import hold

if TYPE_CHECKING:
    from pathlib import Path

    from image_repository import Repository

pytestmark = pytest.mark.interop

LATER = "puavo-os-amxa-buster-2022-03-01-000000-amd64.img"
SMALL = """
set -e
mount -t tmpfs -o size=2m none "$1"
shift
for each do sh -c "$each"; done
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of two images that has much to do: one was replaced, one is new, one is gone."""
    repository = make_repository(tmp_path / "here", *NAMES[:3])
    assert repository.update().status == 0
    make_image(repository.images / NAMES[1], content("replaced"))
    make_images(repository.images, LATER)
    (repository.images / NAMES[0]).unlink()
    return repository


def command(repository: Repository, *options: str) -> list[str]:
    """What follows the program's name."""
    folders = (str(repository.images), str(repository.mirror))
    return ["images", "update", "-q", *options, "-r", BASE_URL, *folders]


@pytest.mark.parametrize("options", [pytest.param([], id="plain"), ["--generations"]])
def test_killed_anywhere_it_serves_what_is_right_and_goes_on(
    repository: Repository, options: list[str]
) -> None:
    argv = command(repository, *options)
    events, wrong = 0, []
    killed = -9
    while killed == -9:
        events += 7
        killed = killed_at(events, *argv, cwd=repository.folder, watched=repository.folder).status
        ended = repository.verify()
        if ended.status:
            wrong.append((events, ended.messages()))

    assert wrong == []
    assert killed == 0
    assert events > 20
    assert {image["filename"] for image in repository.meta()} == {NAMES[1], NAMES[2], LATER}


def test_what_was_killed_ends_with_the_same_bytes(repository: Repository, tmp_path: Path) -> None:
    argv = command(repository)
    for events in (20, 50, 90):
        killed_at(events, *argv, cwd=repository.folder, watched=repository.folder)

    repository.update()

    other = make_repository(tmp_path / "other", NAMES[1], NAMES[2], LATER)
    make_image(other.images / NAMES[1], content("replaced"))
    other.update()
    repository.clean("--grace", "0")
    assert repository.served() == other.served()


def test_a_second_run_meanwhile_has_its_own_status(repository: Repository) -> None:
    with hold(repository.mirror / ".release-builder/lock"):
        ended = repository.update()

    assert ended.status == 75
    assert repository.verify().status == 0


def test_two_runs_at_once_leave_it_whole(repository: Repository) -> None:
    statuses = []
    runs = [
        threading.Thread(target=lambda: statuses.append(repository.update().status))
        for _ in range(3)
    ]

    for run in runs:
        run.start()
    for run in runs:
        run.join()

    assert set(statuses) <= {0, 75}
    assert 0 in statuses
    assert repository.verify().status == 0


def test_on_a_full_disk_what_was_served_stays(tmp_path: Path) -> None:
    need_own_mounts()
    repository = make_repository(tmp_path / "here", *NAMES[:2])
    later = make_repository(tmp_path / "later").images
    make_image(later / LATER, content("large", 1_500_000))
    repository.mirror.mkdir()
    program = " ".join(PROGRAM)
    update = f"{program} images update -q -r {BASE_URL}"
    commands = [
        f"{update} '{repository.images}' {repository.mirror}; echo $?",
        f"{update} '{later}' {repository.mirror} 2>&1; echo $?",
        f"{program} images verify -q {repository.mirror}; echo $?",
        f"{update} '{repository.images}' {repository.mirror}; echo $?",
    ]
    here = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    argv = [*OWN_MOUNTS, "sh", "-c", SMALL, "sh", str(repository.mirror), *commands]
    ended = subprocess.run(
        argv, cwd=tmp_path, env=here, check=False, capture_output=True, text=True
    )

    assert ended.stderr == ""
    statuses = [line for line in ended.stdout.splitlines() if line.isdecimal()]
    assert statuses == ["0", "3", "0", "0"]
    assert "room" in ended.stdout  # what to do about it
