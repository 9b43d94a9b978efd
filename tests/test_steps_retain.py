"""What retention removes of a workdir, and what it never touches."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import Mirror, next_release
from golden import GOLDEN

from release_builder import api
from release_builder.monitor import Monitor
from release_builder.plan import Options
from release_builder.report import Outcome, StepResult
from release_builder.state.digest_cache import no_cache
from release_builder.steps import Context
from release_builder.steps.retain import run
from release_builder.steps.room import make_room

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_builder.plan import Plan

SIZE = (GOLDEN / "image.bin").stat().st_size
NOW = time.time()
DAY = 86_400


def leaf(version: str) -> str:
    return f"smeserver-{version}-x86_64.iso"


def plan_of(folder: Path, *lines: str, dry: bool = False, version: str = "9.0") -> Plan:
    descriptor = folder / "sme.yaml"
    basic = [f"version: {version}", "arch: x86_64", "mirror: /nowhere/", "workdir: ./box"]
    descriptor.write_text("\n".join([*basic, *lines, ""]))
    (plan,) = api.plans([descriptor], Options(dry_run=dry))
    return plan


def retain(plan: Plan) -> StepResult:
    return run(Context(plan, None, no_cache(), Monitor()))


def make(plan: Plan, version: str, days: float = 1.0) -> Path:
    """The image of ``version`` and its pair, as a run left them ``days`` ago."""
    path = plan.workdir.image / leaf(version)
    for folder in (path.parent, plan.workdir.pair):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(GOLDEN / "image.bin", path)
    for kind in ("jigdo", "template"):
        pair = plan.workdir.pair / path.with_suffix(f".{kind}").name
        shutil.copyfile(GOLDEN / f"md5.{kind}", pair)
    os.utime(path, (NOW, NOW - days * DAY))
    return path


def put_aside(plan: Plan, *names: str) -> None:
    plan.workdir.aside.mkdir(parents=True, exist_ok=True)
    for name in names:
        (plan.workdir.aside / name).write_bytes(bytes(100))
        time.sleep(0.02)  # longer than a tick of the file system's clock


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def plan(workdir: Path) -> Plan:
    """A workdir with the final and three betas, the last of which is the newest."""
    plan = plan_of(workdir, "retain: {images: 1}")
    make(plan, "9.0", 0)
    for number in (1, 2, 3):
        make(plan, f"9.0beta{number}", 10 - number)
    return plan


def test_so_many_images_stay_besides_the_current_one(plan: Plan) -> None:
    blocks = sum((plan.workdir.image / leaf(f"9.0beta{each}")).stat().st_blocks for each in (1, 2))
    pairs = sum(each.stat().st_blocks for each in plan.workdir.pair.glob("*beta[12]*"))

    result = retain(plan)

    assert names(plan.workdir.image) == [leaf("9.0"), leaf("9.0beta3")]
    assert result.outcome is Outcome.DONE
    assert result.counts == {"files_removed": 6, "bytes_freed": (blocks + pairs) * 512}
    assert "1 newer than it stays" in result.findings[0].message


def test_the_pairs_of_images_that_went_go_too(plan: Plan) -> None:
    retain(plan)

    stems = {Path(name).stem for name in names(plan.workdir.pair)}
    assert stems == {"smeserver-9.0-x86_64", "smeserver-9.0beta3-x86_64"}


def test_the_next_run_finds_nothing_to_clear_away(plan: Plan) -> None:
    retain(plan)

    result = retain(plan)

    assert result.outcome is Outcome.UNCHANGED
    assert result.counts == {"files_removed": 0, "bytes_freed": 0}


def test_a_dry_run_says_the_same_and_removes_nothing(plan: Plan) -> None:
    dry = replace(plan, options=Options(dry_run=True))
    before = names(plan.workdir.image), names(plan.workdir.pair)

    told = retain(dry)
    after = names(plan.workdir.image), names(plan.workdir.pair)
    done = retain(plan)

    assert before == after
    assert told.outcome is Outcome.UNCHANGED
    assert list(told.counts.values()) == list(done.counts.values())
    assert [each.path for each in told.findings] == [each.path for each in done.findings]
    assert "would go" in told.summary


def test_images_that_are_too_old_go_though_they_are_few(workdir: Path) -> None:
    plan = plan_of(workdir, "retain: {images: 5, days: 30}")
    make(plan, "9.0", 100)
    make(plan, "9.0beta1", 31)
    make(plan, "9.0beta2", 29)

    retain(plan)

    assert names(plan.workdir.image) == [leaf("9.0"), leaf("9.0beta2")]


def test_where_the_current_image_is_not_made_yet_the_newest_one_stands_for_it(
    workdir: Path,
) -> None:
    plan = plan_of(workdir, "retain: {images: 0, days: 1}")
    make(plan, "9.0beta1", 20)
    make(plan, "9.0beta2", 10)

    retain(plan)

    assert names(plan.workdir.image) == [leaf("9.0beta2")]


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("box/image/latest.iso", id="in image"),
        pytest.param("box/image/deep/er/latest.iso", id="in a folder of image"),
        pytest.param("box/latest.iso", id="in the workdir"),
        pytest.param("latest.iso", id="beside the workdir"),
        pytest.param("public/testing/iso/x86_64/latest.iso", id="in the public tree"),
    ],
)
def test_what_a_link_leads_to_stays(workdir: Path, place: str) -> None:
    plan = plan_of(workdir, "retain: {images: 0}", f"publish: {{root: {workdir}/public}}")
    make(plan, "9.0")
    linked, other = make(plan, "9.0beta1"), make(plan, "9.0beta2")
    (workdir / place).parent.mkdir(parents=True, exist_ok=True)
    (workdir / place).symlink_to(linked)

    retain(plan)

    assert linked.exists()
    assert not other.exists()
    assert f"{linked.stem}.jigdo" in names(plan.workdir.pair)


def spoiled(path: Path) -> None:
    path.write_bytes(bytes(SIZE))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param(leaf("9.0beta1"), spoiled, id="other bytes under an image's name"),
        pytest.param("my-smeserver-9.0beta1-x86_64.iso", None, id="before the name"),
        pytest.param("smeserver-9.0beta1-x86_64.iso.bak", None, id="behind the name"),
        pytest.param("smeserver-9.0beta1-i386.iso", None, id="another arch"),
        pytest.param("smeserver-mine-x86_64.iso", None, id="no version"),
        pytest.param("notes.txt", None, id="something else"),
    ],
)
def test_what_a_user_put_there_stays(
    workdir: Path, name: str, change: Callable[[Path], None] | None
) -> None:
    plan = plan_of(workdir, "retain: {images: 0, days: 1}")
    make(plan, "9.0")
    file = make(plan, "9.0beta1", 50).rename(plan.workdir.image / name)
    if change:
        change(file)
        os.utime(file, (NOW, NOW - 50 * DAY))

    retain(plan)

    assert name in names(plan.workdir.image)


def test_an_image_without_its_pair_stays_and_is_told_of(workdir: Path) -> None:
    plan = plan_of(workdir, "retain: {images: 0}")
    make(plan, "9.0")
    file = make(plan, "9.0beta1")
    os.truncate(file, SIZE - 1)

    result = retain(plan)

    assert file.exists()
    assert "no pair here shows" in result.findings[0].message


def test_a_link_in_the_place_of_an_image_stays(plan: Plan, workdir: Path) -> None:
    elsewhere = (plan.workdir.image / leaf("9.0beta1")).rename(workdir / "kept.iso")
    (plan.workdir.image / leaf("9.0beta1")).symlink_to(elsewhere)

    retain(plan)

    assert (plan.workdir.image / leaf("9.0beta1")).is_symlink()
    assert elsewhere.exists()


@pytest.mark.parametrize(
    ("version", "days", "stays"),
    [
        pytest.param("9.0", 100, True, id="of this version"),
        pytest.param("9.0beta3", 6, True, id="of another, young"),
        pytest.param("9.0beta3", 8, False, id="of another, long left"),
    ],
)
def test_an_unfinished_image_stays_while_a_run_may_go_on_with_it(
    workdir: Path, version: str, days: int, *, stays: bool
) -> None:
    plan = plan_of(workdir, "retain: {images: 0}")
    make(plan, "9.0")
    partial = plan.workdir.image / f"{leaf(version)}.partial"
    partial.write_bytes(bytes(10))
    os.utime(partial, (NOW, NOW - days * DAY))

    retain(plan)

    assert partial.exists() is stays


def test_of_images_moved_aside_the_last_one_stays(plan: Plan) -> None:
    mine = "my.iso"
    put_aside(plan, leaf("9.0"), leaf("9.0beta3"), mine, f"{leaf('9.0')}.2", "9.0.jigdo")
    linked = f"{leaf('9.0')}.3"
    (plan.workdir.aside / linked).symlink_to(plan.workdir.aside / "nowhere")

    retain(plan)

    assert names(plan.workdir.aside) == ["9.0.jigdo", mine, f"{leaf('9.0')}.2", linked]


def test_a_pair_stays_that_the_mirror_has_under_this_name(plan: Plan) -> None:
    folder = plan.workdir.tree / "iso/x86_64"
    folder.mkdir(parents=True)
    name = "smeserver-9.0beta1-x86_64.jigdo"  # the final's pair under the beta's name
    (folder / name).touch()

    retain(plan)

    assert name in names(plan.workdir.pair)


def test_an_image_without_a_version_in_its_name_is_the_current_one(workdir: Path) -> None:
    plan = plan_of(workdir, "image: nightly.iso", "retain: {images: 0, days: 1}")
    current = make(plan, "9.0", 50).rename(plan.workdir.image / "nightly.iso")
    put_aside(plan, "nightly.iso", "nightly.iso.2")

    retain(plan)

    assert current.exists()
    assert names(plan.workdir.aside) == ["nightly.iso.2"]


def test_a_version_that_the_arch_has_in_its_name_is_told_apart(workdir: Path) -> None:
    plan = plan_of(workdir, "retain: {images: 0}", version="6")
    make(plan, "6")
    old = make(plan, "5.9")

    retain(plan)

    assert not old.exists()
    assert (plan.workdir.image / leaf("6")).exists()


def test_in_an_empty_workdir_there_is_nothing_to_do(workdir: Path) -> None:
    assert retain(plan_of(workdir)).outcome is Outcome.UNCHANGED


def test_room_is_made_by_the_oldest_images_first(plan: Plan) -> None:
    oldest = plan.workdir.image / leaf("9.0beta1")
    size = oldest.stat().st_blocks * 512

    freed = make_room(plan, size, no_cache())

    assert freed == size
    assert names(plan.workdir.image) == [leaf(each) for each in ("9.0", "9.0beta2", "9.0beta3")]
    assert f"{oldest.stem}.jigdo" not in names(plan.workdir.pair)


def test_room_is_made_by_what_was_moved_aside_too(plan: Plan) -> None:
    put_aside(plan, leaf("9.0"))
    os.utime(plan.workdir.aside / leaf("9.0"), (NOW, NOW - 100 * DAY))

    make_room(plan, 1, no_cache())

    assert names(plan.workdir.aside) == []
    assert len(names(plan.workdir.image)) == 4


def test_where_all_old_images_are_not_enough_none_goes(plan: Plan) -> None:
    assert make_room(plan, 1 << 40, no_cache()) == 0

    assert len(names(plan.workdir.image)) == 4


def test_no_room_is_made_by_an_image_that_has_another_name_elsewhere(
    plan: Plan, workdir: Path
) -> None:
    for number in (1, 2, 3):
        os.link(plan.workdir.image / leaf(f"9.0beta{number}"), workdir / f"public{number}.iso")

    assert make_room(plan, 1, no_cache()) == 0
    assert len(names(plan.workdir.image)) == 4


def test_room_is_never_made_by_the_only_image_that_users_have(workdir: Path) -> None:
    plan = plan_of(workdir)
    make(plan, "9.0beta1")

    assert make_room(plan, 1, no_cache()) == 0
    assert names(plan.workdir.image) == [leaf("9.0beta1")]


def test_room_is_not_made_by_what_a_link_leads_to(plan: Plan) -> None:
    (plan.workdir.root / "stable.iso").symlink_to(plan.workdir.image / leaf("9.0beta1"))

    make_room(plan, 1, no_cache())

    assert names(plan.workdir.image) == [leaf(each) for each in ("9.0", "9.0beta1", "9.0beta3")]


@pytest.mark.interop
def test_real_betas_come_and_go(mirror: Mirror, workdir: Path) -> None:
    descriptor = workdir / "sme.yaml"
    keeping = "workdir: box\nretain: {images: 1}\n"
    for version in ("9.0beta3", "9.0beta4", "9.0beta5"):
        if version != mirror.release.recipe.version:
            mirror = Mirror(next_release(mirror.release, version), mirror.url)
        descriptor.write_text(mirror.descriptor + keeping)
        report = api.carry_out("build", api.plans([descriptor], Options()), Monitor())
        assert report.exit_status == 0

    report = api.carry_out("refresh", api.plans([descriptor], Options(), ["retain"]), Monitor())
    again = api.carry_out("build", api.plans([descriptor], Options()), Monitor())

    assert report.releases[0].steps[0].counts["files_removed"] == 3
    assert names(workdir / "box/image") == [leaf("9.0beta4"), leaf("9.0beta5")]
    assert len(names(workdir / "box/pair")) == 4
    assert {step.outcome for step in again.releases[0].steps} == {Outcome.UNCHANGED}
