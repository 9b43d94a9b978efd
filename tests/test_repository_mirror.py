"""Whoever looks, whenever a run is cut off: nothing that a repository says is wrong."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from public_tree import in_child, kill_before_change, unable
from repository_builder import (
    FREE,
    ONE,
    THREE,
    TWO,
    assert_nothing_wrong,
    assert_serves,
    make_offer,
    serve,
)

from release_builder.errors import DescriptorError, IncompleteError
from release_builder.public.exchange import exchange
from release_builder.repository.cleaning import clean
from release_builder.repository.generations import begin, generations, remove_generation
from release_builder.repository.laying import lay
from release_builder.repository.mirror import find_mirror, served_files, served_generation
from release_builder.repository.sums import sums_of

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = {"amxa": {ONE: "one", TWO: "two"}, "free": {FREE: "free"}}
# TWO has other bytes, THREE is new, ONE is no longer there, nor is a whole series.
NEW = {"amxa": {TWO: "another two", THREE: "three"}}
LATER = 4_000_000_000


def test_a_plain_mirror_stays_a_plain_folder(tmp_path: Path) -> None:
    mirror = tmp_path / "my mirror"
    offer = make_offer(tmp_path / "images", OLD)

    published = serve(mirror, offer)

    assert_serves(mirror, offer)
    assert (len(published.added), published.replaced, published.is_changed) == (5, (), True)
    assert sorted(path.name for path in mirror.iterdir() if path.name[0] != ".") == sorted(
        ["CKSUMS", "meta", "rdiffs", ONE, TWO, FREE]
    )
    assert (mirror / ONE).samefile(tmp_path / "images" / ONE)
    assert not list(tmp_path.glob(".my*"))


def test_a_plain_mirror_takes_a_replaced_image_in(tmp_path: Path) -> None:
    serve(tmp_path / "mirror", make_offer(tmp_path / "images", OLD))
    offer = make_offer(tmp_path / "images", NEW)

    published = serve(tmp_path / "mirror", offer)

    assert_serves(tmp_path / "mirror", offer)
    assert published.replaced == (TWO,)
    assert set(published.dropped) >= {ONE, FREE}
    assert (tmp_path / "mirror" / ONE).exists()  # somebody may be fetching it
    assert not (tmp_path / "mirror/meta/free.json").exists()


@pytest.mark.parametrize("links", [pytest.param(False, id="plain"), pytest.param(True, id="links")])
def test_what_is_served_already_is_not_touched(tmp_path: Path, links: bool) -> None:
    offer = make_offer(tmp_path / "images", OLD)
    serve(tmp_path / "mirror", offer, generations=links)
    before = {path: path.stat() for path in (tmp_path / "mirror").resolve().rglob("*.*")}

    published = serve(tmp_path / "mirror", offer)

    after = {path: path.stat() for path in (tmp_path / "mirror").resolve().rglob("*.*")}
    assert not published.is_changed
    assert [(each.st_ino, each.st_ctime_ns) for each in after.values()] == [
        (each.st_ino, each.st_ctime_ns) for each in before.values()
    ]


def test_a_damaged_file_of_the_mirror_is_noticed(tmp_path: Path) -> None:
    offer = make_offer(tmp_path / "images", OLD)
    serve(tmp_path / "mirror", offer)
    (tmp_path / "mirror" / ONE).unlink()
    (tmp_path / "mirror" / ONE).write_text("on")
    (tmp_path / "mirror/meta/free.json").write_text("{")

    published = serve(tmp_path / "mirror", offer)

    assert_serves(tmp_path / "mirror", offer)
    assert published.replaced == (ONE,)


def test_a_file_that_changes_meanwhile_is_not_published(tmp_path: Path) -> None:
    serve(tmp_path / "mirror", make_offer(tmp_path / "images", OLD))
    offer = make_offer(tmp_path / "images", NEW)
    (tmp_path / "images" / THREE).write_text("thr")

    with pytest.raises(IncompleteError, match=f"{THREE} changed while"):
        serve(tmp_path / "mirror", offer)

    assert_nothing_wrong(tmp_path / "mirror")
    assert not (tmp_path / "mirror" / THREE).exists()


def test_generations_change_in_one_go_and_keep_the_owners_files(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    serve(mirror, make_offer(tmp_path / "images", OLD))
    (mirror / "index.html").write_text("hello")
    before = mirror.resolve()
    offer = make_offer(tmp_path / "images", NEW)

    serve(mirror, offer, generations=True)
    between = mirror.resolve()
    serve(mirror, make_offer(tmp_path / "images", OLD))

    assert mirror.is_symlink()
    assert before == mirror
    assert between.parent == tmp_path / ".mirror"
    assert_serves(between, offer)
    assert (mirror / "index.html").read_text() == "hello"
    assert len(generations(find_mirror(mirror))) == 3
    assert not (mirror / ".release-builder").exists()


def test_a_new_mirror_begins_with_its_first_generation(tmp_path: Path) -> None:
    offer = make_offer(tmp_path / "images", OLD)

    serve(tmp_path / "mirror", offer, generations=True)

    assert_serves(tmp_path / "mirror", offer)
    assert generations(find_mirror(tmp_path / "mirror")) == [served_generation(tmp_path / "mirror")]


def test_work_and_lock_move_along_to_generations(tmp_path: Path) -> None:
    mirror = find_mirror(tmp_path / "mirror")
    serve(mirror.path, make_offer(tmp_path / "images", OLD))
    mirror.lock.touch()
    lock = mirror.lock.stat()

    serve(mirror.path, make_offer(tmp_path / "images", NEW), generations=True)

    assert mirror.lock == tmp_path / ".mirror/work/lock"
    assert os.path.samestat(mirror.lock.stat(), lock)


def test_nothing_has_the_signature_of_something_else(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    serve(mirror, make_offer(tmp_path / "images", OLD))
    for name in ("meta/amxa.json", "meta/free.json", "CKSUMS"):
        (mirror / f"{name}.asc").touch()

    serve(mirror, make_offer(tmp_path / "images", {**NEW, "free": OLD["free"]}))
    between = [path.name for path in mirror.rglob("*.asc")]
    serve(mirror, make_offer(tmp_path / "images", NEW))

    assert between == ["free.json.asc"]
    assert not list(mirror.rglob("*.asc"))


def test_a_mount_point_cannot_become_a_link() -> None:
    with pytest.raises(DescriptorError, match="/proc is a mount point"):
        begin(find_mirror(Path("/proc")), exchange)


@dataclass(frozen=True, slots=True)
class Case:
    """A run to be cut off."""

    before: bool  # generations of what is public
    after: bool  # generations of the run
    swap: Callable[[Path, Path], bool] = exchange


@pytest.mark.slow  # each of some forty moments, and each step waits for the disk
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(False, False), id="plain"),
        pytest.param(Case(True, True), id="generations"),
        pytest.param(Case(False, True), id="plain becomes generations"),
        pytest.param(Case(False, True, unable), id="by two renames"),
    ],
)
def test_a_run_that_is_killed_anywhere_leaves_nothing_wrong_and_the_next_finishes(
    tmp_path: Path, case: Case
) -> None:
    prepared, images = tmp_path / "prepared", tmp_path / "images"
    serve(prepared / "mirror", make_offer(images, OLD), generations=case.before)
    (find_mirror(prepared / "mirror").work / "journal").touch()
    offer = make_offer(images, NEW)
    number, status, is_away = 0, -1, 0

    while status:
        number += 1
        root = tmp_path / f"root{number}"
        shutil.copytree(prepared, root, symlinks=True)

        def work(mirror: Path = root / "mirror", number: int = number) -> None:
            kill_before_change(number)
            serve(mirror, offer, generations=case.after, swap=case.swap)

        status = os.waitstatus_to_exitcode(os.waitpid(in_child(work), 0)[1])

        assert status in {0, -signal.SIGKILL}
        is_away += not (root / "mirror").exists()
        if (root / "mirror").exists():
            assert_nothing_wrong(root / "mirror")
        serve(root / "mirror", offer, generations=case.after, swap=case.swap)
        assert_serves(root / "mirror", offer)
        mirror = find_mirror(root / "mirror")
        assert (mirror.work / "journal").exists()
        clean(mirror, LATER, grace=0)
        assert {name for name, _ in served_files(mirror.path)} == set(offer.places)
        if case.after:
            assert {path.name for path in mirror.store.iterdir()} == {
                "work",
                served_generation(mirror.path),
            }
        shutil.rmtree(root)

    assert number > 20
    assert is_away == (case.swap is unable)


def test_a_folder_of_images_is_not_its_own_mirror(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)

    with pytest.raises(DescriptorError, match="is the folder of the images itself"):
        find_mirror(tmp_path / "link", tmp_path)


def test_a_link_of_the_users_own_leads_to_the_mirror(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "mirror").symlink_to("disk")

    mirror = find_mirror(tmp_path / "mirror")

    assert mirror.path == tmp_path / "disk"
    assert not mirror.has_generations


def test_an_image_of_another_file_system_is_copied(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    assert shared.stat().st_dev != tmp_path.stat().st_dev
    source, target = shared / f"release-builder-{os.getpid()}.img", tmp_path / ONE
    (tmp_path / "staging").mkdir()
    try:
        source.write_text("image")
        os.utime(source, (1, 1))

        lay(source, target, tmp_path / "staging", sums_of(source), sums_of)

        assert target.read_text() == "image"
        assert target.stat().st_mtime == 1
        assert not list((tmp_path / "staging").iterdir())
    finally:
        source.unlink()


@pytest.mark.parametrize("mode", [0o600, 0o666, 0o4644])
def test_an_image_that_not_all_may_read_or_that_all_may_write_is_copied(
    tmp_path: Path, mode: int
) -> None:
    source, staging = tmp_path / "images", tmp_path / "staging"
    staging.mkdir()
    source.write_text("image")
    source.chmod(mode)

    lay(source, tmp_path / ONE, staging, sums_of(source), sums_of)

    assert (tmp_path / ONE).stat().st_mode & 0o7777 == 0o644
    assert source.stat().st_mode & 0o7777 == mode


def test_a_file_laid_where_it_lies_already_leaves_nothing_beside(tmp_path: Path) -> None:
    source, staging = tmp_path / "images", tmp_path / "staging"
    staging.mkdir()
    source.write_text("image")
    os.link(source, tmp_path / ONE)

    lay(source, tmp_path / ONE, staging, sums_of(source), sums_of)

    assert source.stat().st_nlink == 2
    assert not list(staging.iterdir())


def test_half_a_generation_has_no_name_of_one(tmp_path: Path) -> None:
    mirror = find_mirror(tmp_path / "mirror")
    serve(mirror.path, make_offer(tmp_path / "images", OLD), generations=True)
    first = generations(mirror)[0]
    serve(mirror.path, make_offer(tmp_path / "images", NEW))

    remove_generation(mirror, first)

    assert generations(mirror) == [served_generation(mirror.path)]
