"""Releases that grow old, are taken back, or get another link."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from public_tree import (
    BETA,
    in_child,
    kill_before_change,
    local_shelf,
    publish,
    text_of,
    unable,
)

from release_builder.errors import BusyError, DescriptorError, SurroundingsError
from release_builder.public.local_place import LocalPlace
from release_builder.public.shelf import Shelf

OLD = "obsolete/9.0beta3"
BOTH = pytest.mark.parametrize(
    "links", [pytest.param(True, id="with links"), pytest.param(False, id="without links")]
)


def retire(shelf: Shelf, to: str = OLD) -> tuple[str, ...]:
    with shelf.locked(BETA):
        return shelf.retire(BETA, to)


def withdraw(shelf: Shelf) -> str:
    with shelf.locked(BETA):
        return shelf.withdraw(BETA)


@pytest.mark.parametrize("to", [pytest.param(OLD, id="deep"), pytest.param("old", id="flat")])
def test_a_retired_release_is_public_by_both_names(tmp_path: Path, to: str) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    for text in ("first", "second", "third"):
        publish(shelf, text)
    with shelf.locked(BETA):
        shelf.rollback(BETA)
    inode = (root / BETA / "index.html").stat().st_ino
    (root / "beta").symlink_to(BETA)

    told = retire(shelf, to)

    assert told == ("beta", "testing/9")
    assert (root / BETA).readlink() == Path("..", to)
    assert [text_of(root / name) for name in (to, BETA, "beta", "testing/9")] == ["second"] * 4
    assert (root / to / "index.html").stat().st_ino == inode
    assert [each.public for each in shelf.generations(to)] == [True]
    assert shelf.generations(BETA) == ()
    assert [path.name for path in (root / "testing/.9.0beta3").iterdir()] == [".lock"]


def test_without_links_the_old_name_of_a_retired_release_goes(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root", links=False), tmp_path / "root"
    for text in ("first", "second"):
        publish(shelf, text)

    retire(shelf)

    assert text_of(root / OLD) == "second"
    assert not (root / OLD).is_symlink()
    assert not os.path.lexists(root / BETA)
    assert [path.name for path in (root / "testing/.9.0beta3").iterdir()] == [".lock"]


def test_a_folder_from_before_is_retired_to_a_link(tmp_path: Path) -> None:
    root = tmp_path / "root"
    publish(local_shelf(root, links=False), "first")

    retire(local_shelf(root))

    assert (root / BETA).readlink() == Path("..", OLD)
    assert text_of(root / BETA) == "first"


@BOTH
def test_who_is_retired_is_told_and_retired_once_more_without_harm(
    tmp_path: Path, links: bool
) -> None:
    shelf, root = local_shelf(tmp_path / "root", links=links), tmp_path / "root"
    publish(shelf, "first")
    (root / "beta").symlink_to(BETA)
    before = shelf.is_retired(BETA, OLD)
    told = retire(shelf)
    generation = shelf.current(OLD)

    again = retire(shelf)

    assert before is False
    assert shelf.is_retired(BETA, OLD)
    assert not shelf.is_retired(BETA, "obsolete/9.0beta2")
    assert again == told
    assert shelf.current(OLD) == generation


@BOTH
def test_who_is_published_and_retired_again_takes_the_place_of_the_retired(
    tmp_path: Path, links: bool
) -> None:
    shelf, root = local_shelf(tmp_path / "root", links=links), tmp_path / "root"
    publish(shelf, "first")
    retire(shelf)

    flip = publish(shelf, "second")
    between = [text_of(root / name) for name in (BETA, OLD)]
    is_retired = shelf.is_retired(BETA, OLD)
    retire(shelf)

    assert flip.previous is None
    assert between == ["second", "first"]
    assert not is_retired
    assert text_of(root / OLD) == "second"


@BOTH
def test_a_release_is_not_retired_onto_another(tmp_path: Path, links: bool) -> None:
    shelf, root = local_shelf(tmp_path / "root", links=links), tmp_path / "root"
    publish(shelf, "one")
    publish(shelf, "other", [], OLD)

    with pytest.raises(DescriptorError, match=f"{OLD} is there already") as raised:
        retire(shelf)

    assert raised.value.hint
    assert text_of(root / BETA) == "one"
    assert text_of(root / OLD) == "other"


def test_what_was_published_since_is_not_taken_for_what_was_retired(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    publish(shelf, "one")
    retire(shelf)
    publish(shelf, "other", [], OLD)
    publish(shelf, "two")

    with pytest.raises(DescriptorError, match="is there already"):
        retire(shelf)

    assert text_of(root / OLD) == "other"


def test_what_is_not_there_cannot_be_retired(tmp_path: Path) -> None:
    with pytest.raises(DescriptorError, match=f"there is no {BETA}"):
        retire(local_shelf(tmp_path / "root"))


@pytest.mark.parametrize(
    "to", [pytest.param(f"{BETA}/", id="itself"), pytest.param(f"{BETA}/old", id="in itself")]
)
def test_a_release_is_not_retired_into_itself(tmp_path: Path, to: str) -> None:
    shelf = local_shelf(tmp_path / "root")
    publish(shelf, "one")

    with pytest.raises(DescriptorError, match="lies in it"):
        retire(shelf, to)

    assert text_of(tmp_path / "root" / BETA) == "one"


@pytest.mark.parametrize(
    ("before", "after", "can_swap"),
    [
        pytest.param(True, True, True, id="links"),
        pytest.param(False, False, True, id="folders"),
        pytest.param(False, True, True, id="a folder to a link"),
        pytest.param(False, True, False, id="a folder to a link by two renames"),
        pytest.param(True, False, True, id="a link to a folder"),
    ],
)
def test_a_retirement_that_was_cut_off_is_finished_by_the_next(
    tmp_path: Path, before: bool, after: bool, can_swap: bool
) -> None:
    prepared = tmp_path / "prepared"
    for text in ("old", "new"):
        publish(local_shelf(prepared, links=before), text)
    number, status = 0, -1

    while status:
        number += 1
        root = tmp_path / f"root{number}"
        shutil.copytree(prepared, root, symlinks=True)
        place = LocalPlace(root) if can_swap else LocalPlace(root, unable)
        shelf = Shelf(place, links=after)

        def work(shelf: Shelf = shelf, number: int = number) -> None:
            kill_before_change(number)
            retire(shelf)

        status = os.waitstatus_to_exitcode(os.waitpid(in_child(work), 0)[1])

        assert status in {0, -signal.SIGKILL}
        if can_swap:
            public = BETA if os.path.lexists(root / BETA) else OLD
            assert text_of(root / public) == "new"
            assert after is False or public == BETA
        told = retire(shelf)
        assert told == (("testing/9",) if before else ())
        assert text_of(root / OLD) == "new"
        assert (root / BETA).is_symlink() is after
        assert shelf.is_retired(BETA, OLD)
        assert shelf.generations(BETA) == ()
        assert len(shelf.generations(OLD)) == 1
        assert [path.name for path in (root / "testing/.9.0beta3").iterdir()] == [".lock"]
        shutil.rmtree(root)

    assert number > 10


@BOTH
def test_what_is_withdrawn_is_gone_and_is_not_gone_back_to(tmp_path: Path, links: bool) -> None:
    shelf, root = local_shelf(tmp_path / "root", links=links), tmp_path / "root"
    names = [publish(shelf, text, []).generation for text in ("first", "second", "third")]
    with shelf.locked(BETA):
        shelf.rollback(BETA)

    withdrawn = withdraw(shelf)
    is_gone = not os.path.lexists(root / BETA)
    fresh = publish(shelf, "fourth", [])
    with shelf.locked(BETA):
        back = shelf.rollback(BETA)

    assert withdrawn == names[1]
    assert is_gone
    assert text_of(root / f"testing/.9.0beta3/{names[1]}.back") == "second"
    assert fresh.previous is None
    assert fresh.generation > names[2]
    assert back.generation == names[0]


@BOTH
def test_a_release_is_withdrawn_and_published_over_and_over(tmp_path: Path, links: bool) -> None:
    shelf, root = local_shelf(tmp_path / "root", links=links), tmp_path / "root"

    names = []
    for text in ("first", "second"):
        publish(shelf, text)
        names.append(withdraw(shelf))

    assert [text_of(root / f"testing/.9.0beta3/{name}.back") for name in names] == [
        *("first", "second")
    ]


@pytest.mark.parametrize("there", ["nothing", "a folder of somebody else", "a link elsewhere"])
def test_only_what_we_published_is_withdrawn(tmp_path: Path, there: str) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    if there == "a folder of somebody else":
        (root / BETA).mkdir(parents=True)
    if there == "a link elsewhere":
        publish(shelf, "final", [BETA], "9.0")
    before = os.path.lexists(root / BETA)

    with pytest.raises(DescriptorError, match=f"there is no {BETA}"):
        withdraw(shelf)

    assert os.path.lexists(root / BETA) is before


@BOTH
def test_a_withdrawal_that_was_cut_off_ends_well(tmp_path: Path, links: bool) -> None:
    prepared = tmp_path / "prepared"
    names = [
        publish(local_shelf(prepared, links=links), text).generation for text in ("old", "new")
    ]
    number, status = 0, -1

    while status:
        number += 1
        root = tmp_path / f"root{number}"
        shutil.copytree(prepared, root, symlinks=True)
        shelf = local_shelf(root, links=links)

        def work(shelf: Shelf = shelf, number: int = number) -> None:
            kill_before_change(number)
            withdraw(shelf)

        status = os.waitstatus_to_exitcode(os.waitpid(in_child(work), 0)[1])

        assert status in {0, -signal.SIGKILL}
        with shelf.locked(BETA):
            is_public = (root / BETA).exists()
            assert is_public is os.path.lexists(root / BETA)
            if is_public:
                assert text_of(root / BETA) == "new"
                shelf.withdraw(BETA)
        publish(shelf, "next")
        with shelf.locked(BETA):
            assert shelf.rollback(BETA).generation == names[0]
        shutil.rmtree(root)

    assert number > 2


def test_links_are_led_to_a_release_and_stay_if_they_do(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    publish(shelf, "beta", [])
    publish(shelf, "other", ["newest"], "9.0")

    notes = shelf.lead(BETA, ["testing/9", "newest/"])
    inode = (root / "newest").lstat().st_ino
    shelf.lead(BETA, ["testing/9", "newest"])

    assert notes == ()
    assert text_of(root / "testing/9") == text_of(root / "newest") == "beta"
    assert (root / "newest").lstat().st_ino == inode


def test_without_links_none_is_led_anywhere(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root", links=False)
    publish(shelf, "beta", [])

    notes = shelf.lead(BETA, ["testing/9"])

    assert notes == ("testing/9 is left as it is: publish.links is false",)
    assert not os.path.lexists(tmp_path / "root/testing/9")


def test_no_link_is_led_to_nothing(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root")

    with pytest.raises(DescriptorError, match=f"there is no {BETA}"):
        shelf.lead(BETA, ["testing/9"])

    assert not os.path.lexists(tmp_path / "root/testing/9")


def test_a_link_that_is_a_release_of_its_own_is_refused(tmp_path: Path) -> None:
    shelf, root = local_shelf(tmp_path / "root"), tmp_path / "root"
    publish(shelf, "nine", [], "9")
    publish(shelf, "beta")

    with pytest.raises(DescriptorError, match="9 is a release of its own") as raised:
        publish(shelf, "nine point one", ["newest", "9"], "9.1")
    with shelf.locked(BETA), pytest.raises(DescriptorError, match="of its own"):
        shelf.lead(BETA, ["9"])

    assert "`link:`" in raised.value.hint
    assert text_of(root / "9") == "nine"
    assert not any(os.path.lexists(root / name) for name in ("9.1", "newest"))


@BOTH
def test_a_release_with_the_name_of_a_link_begins_with_nothing(tmp_path: Path, links: bool) -> None:
    root = tmp_path / "root"
    publish(local_shelf(root), "nine point one", ["9"], "9.1")
    shelf = local_shelf(root, links=links)

    before = shelf.current("9"), shelf.generations("9"), shelf.local("9")
    with shelf.locked("9"):
        staged = shelf.stage("9", [])
        began_with = list(staged.root.iterdir())
    flip = publish(shelf, "nine", [], "9")

    assert before == (None, (), None)
    assert began_with == []
    assert flip.previous is None
    assert text_of(root / "9") == "nine"
    assert text_of(root / "9.1") == "nine point one"


@BOTH
def test_the_real_folder_of_what_is_public_is_told(tmp_path: Path, links: bool) -> None:
    shelf = local_shelf(tmp_path / "root", links=links)
    nothing = shelf.local(BETA)
    publish(shelf, "first")

    found = shelf.local(BETA)
    publish(shelf, "second")

    assert nothing is None
    assert found is not None
    assert found == found.resolve()
    assert text_of(found) == ("first" if links else "second")
    assert shelf.local("9.0") is None


def test_who_wants_the_index_waits_for_who_has_it(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root")
    held, done = tmp_path / "held", tmp_path / "done"

    def hold() -> None:
        with shelf.index_locked():
            held.touch()
            time.sleep(0.7)
            done.touch()

    child = in_child(hold)
    while not held.exists():
        time.sleep(0.01)
    with pytest.raises(BusyError, match="another run"), shelf.index_locked(0.2):
        pass
    with shelf.index_locked():
        is_done = done.exists()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert is_done
    assert status == 0


def test_an_error_of_who_has_the_index_is_not_waited_for(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root")

    with pytest.raises(BusyError, match="something else"), shelf.index_locked():
        raise BusyError("something else")
    with shelf.index_locked(0):
        pass


def test_a_file_in_the_way_of_the_retired_is_not_replaced(tmp_path: Path) -> None:
    shelf = local_shelf(tmp_path / "root")
    publish(shelf, "one")
    (tmp_path / "root/old").write_text("precious")

    with pytest.raises(SurroundingsError, match="old is a file"):
        retire(shelf, "old")

    assert (tmp_path / "root/old").read_text() == "precious"
