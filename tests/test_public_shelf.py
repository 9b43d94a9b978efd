from __future__ import annotations

import os
import re
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from public_tree import BETA, local_shelf, publish, text_of, unable

from release_builder.errors import (
    BusyError,
    DescriptorError,
    Status,
    SurroundingsError,
    WrongBytesError,
)
from release_builder.public.local_place import LocalPlace
from release_builder.public.shelf import Shelf, open_shelf

if TYPE_CHECKING:
    from collections.abc import Callable

STAMP = re.compile(r"\d{8}T\d{6}Z")
BOTH = pytest.mark.parametrize(
    "links", [pytest.param(True, id="with links"), pytest.param(False, id="without links")]
)


def test_a_release_is_a_relative_link_to_its_generation(tmp_path: Path) -> None:
    flip = publish(local_shelf(tmp_path / "root"), "first")

    release = tmp_path / "root" / BETA
    assert STAMP.fullmatch(flip.generation)
    assert flip.previous is None
    assert release.readlink() == Path(f".9.0beta3/{flip.generation}")
    assert text_of(release) == "first"


def test_links_lead_to_the_release_and_not_to_a_generation(tmp_path: Path) -> None:
    publish(local_shelf(tmp_path / "root"), "first", ["testing/9", "newest", "for/all/9"])

    root = tmp_path / "root"
    assert (root / "testing/9").readlink() == Path("9.0beta3")
    assert (root / "newest").readlink() == Path("testing/9.0beta3")
    assert (root / "for/all/9").readlink() == Path("../../testing/9.0beta3")


@BOTH
def test_the_next_release_takes_the_place_of_the_last(tmp_path: Path, links: bool) -> None:
    shelf = local_shelf(tmp_path / "root", links=links)

    first, second = publish(shelf, "first"), publish(shelf, "second")

    assert second.previous == first.generation < second.generation
    assert shelf.current(BETA) == second.generation
    assert text_of(tmp_path / "root" / BETA) == "second"
    old, new = shelf.generations(BETA)
    assert (old.name, old.public, new.public) == (first.generation, False, True)
    assert text_of(tmp_path / "root" / old.path) == "first"
    assert text_of(tmp_path / "root" / new.path) == "second"


def test_without_links_the_release_is_a_folder_and_links_are_left_alone(tmp_path: Path) -> None:
    flip = publish(local_shelf(tmp_path / "root", links=False), "first")

    assert (tmp_path / "root" / BETA).is_dir()
    assert not (tmp_path / "root" / BETA).is_symlink()
    assert not (tmp_path / "root/testing/9").exists()
    assert flip.notes == ("testing/9 is left as it is: publish.links is false",)


def test_all_that_is_public_can_be_read_by_all(tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        publish(local_shelf(tmp_path / "root"), "first")
        local_shelf(tmp_path / "root").replace_file("index.html", b"<html>")
    finally:
        os.umask(umask)

    testing = tmp_path / "root/testing"
    modes = {path: path.stat().st_mode & 0o777 for path in (testing, *testing.rglob("*"))}
    folders = {path for path in modes if path.is_dir()}
    locks = {path for path in modes if path.name == ".lock"}
    assert {modes[path] for path in folders} == {0o755}
    assert {modes[path] for path in modes.keys() - folders - locks} == {0o644}
    assert (tmp_path / "root/index.html").stat().st_mode & 0o777 == 0o644


def test_what_is_not_replaced_is_the_same_file_in_the_next_generation(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    publish(shelf, "first")
    before = (root / BETA / "index.html").stat()

    with shelf.locked(BETA):
        staged = shelf.stage(BETA, ["iso/x86_64/"])
        shelf.upload(staged)
        shelf.flip(staged)

    assert (root / BETA / "index.html").stat().st_ino == before.st_ino
    assert not (root / BETA / "iso/x86_64").exists()
    assert (root / BETA / "iso").is_dir()


def test_writing_what_is_staged_does_not_change_what_is_public(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root")
    publish(shelf, "first")

    with shelf.locked(BETA):
        staged = shelf.stage(BETA, [])
        staged.write("index.html", b"other")
        source = tmp_path / "source"
        source.write_bytes(b"other")
        staged.add(source, "SHA256SUMS")

    assert text_of(tmp_path / "root" / BETA) == "first"


def test_a_final_can_begin_with_its_beta(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    publish(shelf, "beta")

    with shelf.locked("9.0"):
        staged = shelf.stage("9.0", ["iso/x86_64/"], base=BETA)
        shelf.upload(staged)
        shelf.flip(staged, ["9"])

    names = ("smeos/x86_64/one.rpm", "index.html")
    assert [(root / BETA / name).samefile(root / "9" / name) for name in names] == [True] * 2
    assert not (root / "9/iso/x86_64").exists()


@BOTH
def test_a_folder_from_before_becomes_the_first_generation(tmp_path: Path, links: bool) -> None:
    root = tmp_path / "root"
    shelf = local_shelf(root, links=links)
    old = root / BETA
    (old / "iso").mkdir(parents=True)
    (old / "iso/notes.txt").write_text("old")
    os.utime(old, (1_400_000_000, 1_400_000_000))
    assert shelf.current(BETA) == "20140513T165320Z"

    flip = publish(shelf, "new", [])

    assert flip.previous == "20140513T165320Z"
    assert text_of(old) == "new"
    assert (root / BETA / "iso/notes.txt").read_text() == "old"
    assert (root / "testing/.9.0beta3/20140513T165320Z/iso/notes.txt").read_text() == "old"
    assert [generation.public for generation in shelf.generations(BETA)] == [False, True]
    assert (len(flip.notes) == 1 and "was a folder" in flip.notes[0]) is links


def test_links_can_be_given_up_and_taken_up_again(tmp_path: Path) -> None:
    root = tmp_path / "root"

    flips = [
        publish(local_shelf(root, links=links), str(links), [])
        for links in (True, False, True, False)
    ]

    names = [flip.generation for flip in flips]
    found = local_shelf(root).generations(BETA)
    assert [generation.name for generation in found] == names
    assert [text_of(root / each.path) for each in found] == ["True", "False", "True", "False"]
    assert (root / BETA).is_dir()


@pytest.mark.parametrize(
    "can_swap", [pytest.param(True, id="in one go"), pytest.param(False, id="by two renames")]
)
def test_without_links_another_time_of_the_folder_changes_nothing(
    tmp_path: Path, can_swap: bool
) -> None:
    root = tmp_path / "root"
    place = LocalPlace(root) if can_swap else LocalPlace(root, unable)
    root.mkdir()
    shelf = Shelf(place, links=False)
    names = [publish(shelf, text).generation for text in ("one", "two")]
    os.utime(root / BETA, (10**9, 10**9))
    touched = shelf.current(BETA)

    names.append(publish(shelf, "three").generation)
    os.utime(root / f"testing/.9.0beta3/{names[1]}", (10**9, 10**9))
    with shelf.locked(BETA):
        back = shelf.rollback(BETA)

    assert touched == names[1]
    assert [each.name for each in shelf.generations(BETA)] == names
    assert (back.generation, back.previous) == (names[1], names[2])
    assert text_of(root / BETA) == "two"


def test_a_folder_that_is_no_moment_is_no_generation(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    publish(shelf, "one")
    (root / "testing/.9.0beta3/20261399T000000Z").mkdir()

    flip = publish(shelf, "two")

    assert [each.name for each in shelf.generations(BETA)] == [flip.previous, flip.generation]
    assert text_of(root / BETA) == "two"


@BOTH
def test_rollback_goes_one_further_back_each_time(tmp_path: Path, links: bool) -> None:
    shelf, release = local_shelf(tmp_path / "root", links=links), tmp_path / "root" / BETA
    names = [publish(shelf, text).generation for text in ("first", "second", "third")]

    with shelf.locked(BETA):
        back = shelf.rollback(BETA, ["testing/9"])
        seen = [text_of(release)]
        further = shelf.rollback(BETA, ["testing/9"])
        seen.append(text_of(release))
        with pytest.raises(DescriptorError, match="no older generation"):
            shelf.rollback(BETA)

    assert seen == ["second", "first"]
    assert (back.previous, back.generation) == (names[2], names[1])
    assert (further.previous, further.generation) == (names[1], names[0])
    assert [each.name for each in shelf.generations(BETA)] == names
    assert text_of(release) == "first"


@BOTH
def test_what_was_taken_back_is_not_gone_back_to_later(tmp_path: Path, links: bool) -> None:
    shelf, release = local_shelf(tmp_path / "root", links=links), tmp_path / "root" / BETA
    publish(shelf, "good")
    publish(shelf, "bad")
    with shelf.locked(BETA):
        shelf.rollback(BETA)

    publish(shelf, "better")
    with shelf.locked(BETA):
        shelf.rollback(BETA)

    assert text_of(release) == "good"
    assert len(shelf.generations(BETA)) == 2


def test_who_reads_what_was_taken_back_can_go_on_until_it_is_removed(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    names = [publish(shelf, text).generation for text in ("good", "bad")]
    folder = os.open(root / BETA, os.O_RDONLY)
    with shelf.locked(BETA):
        shelf.rollback(BETA)

    publish(shelf, "better")
    with shelf.locked(BETA):
        kept = shelf.keep(BETA, 1)
        found = os.listdir(folder)  # noqa: PTH208 (a folder that is open)
        removed = shelf.keep(BETA, 0)
    os.close(folder)

    assert kept == ()
    assert sorted(found) == ["SHA256SUMS", "index.html", "iso", "smeos"]
    assert removed == (names[0], f"{names[1]}.back")
    assert len(list((root / "testing/.9.0beta3").iterdir())) == 2


def test_keep_removes_the_oldest_but_never_the_public_one(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root")
    names = [publish(shelf, str(number)).generation for number in range(5)]
    with shelf.locked(BETA):
        for _ in range(4):
            shelf.rollback(BETA)

        removed = shelf.keep(BETA, 1), shelf.keep(BETA, 1), shelf.keep(BETA, 0)

    assert removed == (tuple(names[1:4]), (), (names[4],))
    assert text_of(tmp_path / "root" / BETA) == "0"


def test_keep_removes_a_damaged_generation_but_never_the_public_one(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root")
    names = [publish(shelf, str(number)).generation for number in range(4)]
    with shelf.locked(BETA):
        removed = [shelf.keep(BETA, 3, names[at]) for at in (3, 1)]

        back = shelf.rollback(BETA).generation, shelf.rollback(BETA).generation

    assert removed == [(), (names[1],)]
    assert back == (names[2], names[0])


def test_keep_spares_what_somebody_links_to(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    names = [publish(shelf, str(number)).generation for number in range(4)]
    (root / "testing/pinned").symlink_to(f".9.0beta3/{names[0]}")
    (root / "iso").symlink_to(f"testing/.9.0beta3/{names[1]}/iso")

    with shelf.locked(BETA):
        removed = shelf.keep(BETA, 0)

    assert removed == (names[2],)
    assert text_of(root / "testing/pinned") == "0"


def test_a_link_is_dropped_and_nothing_else_is(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    publish(shelf, "one")
    (root / "testing/folder").mkdir()

    for name in ("testing/9", "testing/folder", "testing/absent"):
        shelf.drop_link(name)

    assert not (root / "testing/9").is_symlink()
    assert (root / "testing/folder").is_dir()
    assert text_of(root / BETA) == "one"


def test_a_running_download_of_what_is_removed_goes_on(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    publish(shelf, "old")

    with (root / BETA / "index.html").open("rb", buffering=0) as download:
        start = download.read(5)
        publish(shelf, "new")
        with shelf.locked(BETA):
            shelf.keep(BETA, 0)
        rest = download.read()

    assert start + rest == b"index.html of old\n"


def test_a_second_run_at_the_same_time_is_told_to_wait(tmp_path: Path) -> None:
    one, two = local_shelf(tmp_path / "root"), local_shelf(tmp_path / "root")

    with one.locked(BETA):
        with pytest.raises(BusyError, match="another run") as raised, two.locked(BETA):
            pass
        with two.locked("9.0"):
            pass
    with two.locked(BETA):
        pass

    assert raised.value.status is Status.BUSY


@pytest.mark.parametrize(
    ("folder", "links"),
    [
        pytest.param("file", ["9"], id="a file where the release shall be"),
        pytest.param("9.0", ["file"], id="a file where a link shall be"),
        pytest.param("9.0", ["9", "folder"], id="a folder where a link shall be"),
    ],
)
def test_what_is_in_the_way_is_not_replaced(tmp_path: Path, folder: str, links: list[str]) -> None:
    root = tmp_path / "root"
    shelf = local_shelf(root)
    (root / "file").write_text("precious")
    (root / "folder").mkdir()

    with pytest.raises(SurroundingsError, match=r"(file|folder) is ") as raised:
        publish(shelf, "first", links, folder)

    assert raised.value.hint == "move it away"
    assert (root / "file").read_text() == "precious"
    assert not any(os.path.lexists(root / name) for name in ("9", "9.0"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../9.0", id="above the root"),
        pytest.param("/9.0", id="absolute"),
        pytest.param("", id="empty"),
        pytest.param(".", id="the root"),
        pytest.param("testing/.9.0", id="hidden"),
        pytest.param("testing/\0", id="NUL"),
    ],
)
def test_a_release_lies_below_the_root_and_is_seen(tmp_path: Path, name: str) -> None:
    shelf = local_shelf(tmp_path / "root")

    with pytest.raises(WrongBytesError), shelf.locked(name):
        pass

    assert list(tmp_path.joinpath("root").iterdir()) == []


def test_a_folder_that_leads_out_of_the_root_is_refused(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root/testing").symlink_to("../elsewhere")

    with pytest.raises(WrongBytesError, match="leads out of"):
        publish(shelf, "first")

    assert list(tmp_path.joinpath("elsewhere").iterdir()) == []


def test_small_files_are_read_and_replaced_below_the_root(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    publish(shelf, "first")

    shelf.replace_file("index.html", b"old")
    shelf.replace_file("index.html", b"new \xff\0")

    assert shelf.read("index.html") == b"new \xff\0"
    assert shelf.read("testing/9/index.html") == b"index.html of first\n"
    assert shelf.read("none") is None
    assert shelf.read("index.html/none") is None
    assert sorted(root.iterdir()) == [root / "index.html", root / "testing"]
    with pytest.raises(WrongBytesError):
        shelf.read("../outside")


def test_the_root_is_made_but_not_what_it_lies_in(tmp_path: Path) -> None:
    made = open_shelf(PurePosixPath(tmp_path, "root"), scratch=tmp_path)
    unmounted = open_shelf(PurePosixPath(tmp_path, "disk/web"), scratch=tmp_path)

    publish(made, "first")
    with pytest.raises(SurroundingsError, match="No such file"):
        publish(unmounted, "first")

    assert text_of(tmp_path / "root" / BETA) == "first"
    assert not (tmp_path / "disk").exists()


def test_what_is_staged_can_be_dropped(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root")
    publish(shelf, "first")

    with shelf.locked(BETA):
        staged = shelf.stage(BETA, [])
        shelf.discard(staged)

    assert not staged.root.exists()
    assert text_of(tmp_path / "root" / BETA) == "first"


@pytest.mark.parametrize(
    ("link", "owner"),
    [
        pytest.param("testing", 65534, id="folder, another user's"),
        pytest.param("testing/.9.0beta3", 65534, id="store, another user's"),
        pytest.param("testing/.9.0beta3", os.geteuid(), id="store, ours"),
    ],
)
def test_no_lock_is_made_behind_a_link_that_leads_out_of_the_root(
    tmp_path: Path, link: str, owner: int
) -> None:
    shelf, elsewhere = local_shelf(tmp_path / "root"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    planted = tmp_path / "root" / link
    planted.parent.mkdir(exist_ok=True)
    planted.symlink_to(elsewhere)
    if owner != os.geteuid():
        give_away(planted, owner)

    with pytest.raises(WrongBytesError, match=f"'{link}' is a link that leads") as raised:
        publish(shelf, "first")

    assert raised.value.hint.startswith("remove it")
    assert list(elsewhere.iterdir()) == []


def give_away(link: Path, owner: int) -> None:
    if os.geteuid():
        pytest.skip("only root gives a link to another user")
    os.lchown(link, owner, owner)


def test_the_lock_of_the_index_does_not_lie_behind_a_link_out_of_the_root(tmp_path: Path) -> None:
    shelf, elsewhere = local_shelf(tmp_path / "root"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "root/.release-builder").symlink_to(elsewhere)

    refused = pytest.raises(WrongBytesError, match=r"'\.release-builder' is a link")
    with refused, shelf.index_locked():
        pass

    assert list(elsewhere.iterdir()) == []


def test_a_folder_behind_a_link_that_stays_in_the_root_is_used(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    (root / "releases/testing").mkdir(parents=True)
    (root / "testing").symlink_to("releases/testing")

    publish(shelf, "first")

    assert text_of(root / "releases" / BETA) == "first"


def make_socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, make_socket])
def test_what_is_no_file_is_not_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    shelf, name = local_shelf(tmp_path / "root"), tmp_path / "root/index.json"
    make(name)

    with pytest.raises(WrongBytesError, match=f"{name} is no file") as raised:
        shelf.read("index.json")

    assert raised.value.hint == "remove it"
