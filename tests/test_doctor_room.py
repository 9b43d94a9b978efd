"""How much room the doctor says that a release takes."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from release_builder.api.releases import plans
from release_builder.doctor.checkup import Examination, Mark
from release_builder.doctor.folders import check_workdir
from release_builder.doctor.room import Room, room_for
from release_builder.errors import Status
from release_builder.files import free_space
from release_builder.plan import Options

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.plan import Plan

SIZE = 3 << 20  # bytes of the mirror's only package
PLACE = "smeos/x86_64"


@pytest.fixture
def mirror(workdir: Path) -> Path:
    """A mirror that has one package of the release."""
    package = workdir / "mirror" / PLACE / "Packages" / "a.rpm"
    package.parent.mkdir(parents=True)
    package.write_bytes(os.urandom(SIZE))
    return workdir / "mirror"


def planned(workdir: Path, free: int = 0, *, mirror: str = "mirror/") -> Plan:
    path = workdir / "sme9.yaml"
    path.write_text(
        f"version: 9.0beta3\narch: x86_64\nmirror: {mirror}\nretain: {{free: {free}}}\n"
    )
    (plan,) = plans([path], Options(), [])
    return plan


def image_of(plan: Plan, name: str) -> Path:
    path = plan.workdir.image / name
    path.parent.mkdir(parents=True)
    path.write_bytes(os.urandom(SIZE))
    return path


def test_a_first_build_needs_room_for_the_tree_and_the_image(workdir: Path, mirror: Path) -> None:
    room = room_for(planned(workdir))

    assert room == Room(wanted=2 * SIZE, needed=2 * SIZE)


def test_what_is_there_already_needs_no_more_room(workdir: Path, mirror: Path) -> None:
    plan = planned(workdir, free=SIZE)
    shutil.copytree(mirror, plan.workdir.tree)
    image_of(plan, plan.release.image)

    room = room_for(plan)

    assert room == Room(wanted=2 * SIZE, needed=0)


def test_an_unfinished_image_counts_as_far_as_it_is(workdir: Path, mirror: Path) -> None:
    plan = planned(workdir)
    taken = image_of(plan, f"{plan.release.image}.partial").stat().st_blocks * 512

    room = room_for(plan)

    assert room.needed == SIZE + max(0, SIZE - taken)


def test_what_can_be_cleared_away_is_no_lack(workdir: Path, mirror: Path) -> None:
    plan = planned(workdir)
    taken = image_of(plan, "smeserver-9.0beta2-x86_64.iso").stat().st_blocks * 512

    room = room_for(plan)

    assert room == Room(wanted=2 * SIZE, needed=2 * SIZE - taken)


@pytest.mark.parametrize("mirror", ["gone/", "http://127.0.0.1:9/"])
def test_where_no_mirror_tells_the_usual_is_wanted_and_nothing_known(
    workdir: Path, mirror: str
) -> None:
    room = room_for(planned(workdir, mirror=mirror))

    assert room.wanted > 0
    assert room.needed == 0


def test_a_folder_too_small_for_a_refresh_is_a_lack(workdir: Path, mirror: Path) -> None:
    os.truncate(next(mirror.rglob("a.rpm")), 2 * free_space(workdir))

    (check,) = check_workdir(planned(workdir))

    assert check.mark is Mark.MISSING
    assert " needed" in check.says
    found = Examination("Linux", (check,), ("build", "refresh"))
    assert found.exit_status is Status.SURROUNDINGS
    assert next(each.lacks for each in found.commands if each.command == "refresh")


def test_a_folder_too_small_for_the_next_release_is_a_warning(workdir: Path, mirror: Path) -> None:
    plan = planned(workdir, free=2 * free_space(workdir))
    shutil.copytree(mirror, plan.workdir.tree)
    image_of(plan, plan.release.image)

    (check,) = check_workdir(plan)

    assert check.mark is Mark.WARNING
    assert " wanted" in check.says
