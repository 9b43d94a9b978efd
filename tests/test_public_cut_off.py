"""Whoever looks, whenever somebody is killed: the old release or the new one, whole."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from public_tree import (
    BETA,
    FILES,
    SUMS,
    check,
    in_child,
    kill_before_change,
    local_shelf,
    publish,
    text_of,
    unable,
)

from release_builder.public.exchange import exchange
from release_builder.public.local_place import LocalPlace
from release_builder.public.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FLIPS = 200
NEW, BACK, AWAY = {"old", "new"}, {"old", "older"}, {"away"}


def interrupt_before_rename(number: int) -> None:
    """Have this process end as by Ctrl-C as it is about to rename for the ``number``-th time."""
    left = number

    def watch(event: str, _arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event == "os.rename":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

    sys.addaudithook(watch)


def published(shelf: Shelf) -> None:
    publish(shelf, "new")


def gone_back(shelf: Shelf) -> None:
    with shelf.locked(BETA):
        shelf.rollback(BETA)


def tidied(shelf: Shelf) -> None:
    with shelf.locked(BETA):
        shelf.keep(BETA, 0)


@dataclass(frozen=True, slots=True)
class Case:
    """A run to be cut off, and what may be public then."""

    change: Callable[[Shelf], object]
    before: bool  # links, of what is public
    after: bool  # links, of the run
    seen: set[str]
    swap: Callable[[Path, Path], bool] = exchange


def assert_nothing_left_over(root: Path, shelf: Shelf) -> None:
    """What never was public is gone, and a folder that is public is known to be ours."""
    public, store = root / BETA, root / "testing/.9.0beta3"
    stored = {text_of(path) for path in store.glob("*Z")}
    assert "new" not in stored or text_of(public) == "new"
    assert public.is_symlink() or str((store / "public").readlink()) == shelf.current(BETA)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(published, True, True, NEW), id="publish"),
        pytest.param(Case(published, False, False, NEW), id="publish without links"),
        pytest.param(Case(published, False, True, NEW), id="publish in place of a folder"),
        pytest.param(Case(published, True, False, NEW), id="publish in place of a link"),
        pytest.param(
            Case(published, False, False, NEW | AWAY, unable), id="publish by two renames"
        ),
        pytest.param(Case(published, False, True, NEW | AWAY, unable), id="folder by two renames"),
        pytest.param(Case(gone_back, True, True, BACK), id="rollback"),
        pytest.param(Case(gone_back, False, False, BACK), id="rollback without links"),
        pytest.param(
            Case(gone_back, False, False, BACK | AWAY, unable), id="rollback by two renames"
        ),
        pytest.param(Case(tidied, True, True, {"old"}), id="keep"),
    ],
)
def test_a_killed_run_leaves_the_old_or_the_new_release_and_the_next_succeeds(
    tmp_path: Path, case: Case
) -> None:
    prepared = tmp_path / "prepared"
    for text in ("older", "old"):
        publish(local_shelf(prepared, links=case.before), text)
    seen: set[str] = set()
    number, status = 0, -1

    while status:
        number += 1
        root = tmp_path / f"root{number}"
        shutil.copytree(prepared, root, symlinks=True)
        shelf = Shelf(LocalPlace(root, case.swap), links=case.after)

        def work(shelf: Shelf = shelf, number: int = number) -> None:
            kill_before_change(number)
            case.change(shelf)

        status = os.waitstatus_to_exitcode(os.waitpid(in_child(work), 0)[1])

        is_away = not (root / BETA).exists()
        seen.add("away" if is_away else text_of(root / BETA))
        with shelf.locked(BETA):
            assert text_of(root / BETA) in {"older", "old", "new"}
            assert_nothing_left_over(root, shelf)
        publish(shelf, "next")
        assert text_of(root / BETA) == "next"
        generations = shelf.generations(BETA)
        assert {text_of(root / each.path) for each in generations} <= {
            "older",
            "old",
            "new",
            "next",
        }
        stored = {each.name for each in generations if each.path != BETA}
        in_store = {path.name for path in (root / "testing/.9.0beta3").iterdir()}
        withdrawn = {name for name in in_store if name.endswith(".back")}
        assert in_store - {"public"} == stored | withdrawn | {".lock"}
        assert {text_of(root / "testing/.9.0beta3" / name) for name in withdrawn} <= {"old", "new"}
        with shelf.locked(BETA):
            shelf.keep(BETA, 1)
        shutil.rmtree(root)
        assert status in {0, -signal.SIGKILL}

    assert seen == case.seen


@pytest.mark.parametrize(
    "change", [pytest.param(published, id="publish"), pytest.param(gone_back, id="rollback")]
)
@pytest.mark.parametrize(
    "swap", [pytest.param(exchange, id="in one go"), pytest.param(unable, id="by two renames")]
)
def test_without_links_a_killed_run_mixes_no_generations_up_whatever_the_times_of_folders(
    tmp_path: Path, change: Callable[[Shelf], object], swap: Callable[[Path, Path], bool]
) -> None:
    prepared = tmp_path / "prepared"
    names = {
        publish(local_shelf(prepared, links=False), text).generation: text
        for text in ("older", "old")
    }
    for number, folder in enumerate((BETA, f"testing/.9.0beta3/{min(names)}")):
        os.utime(prepared / folder, (10**9 + number, 10**9))
    number, status = 0, -1

    while status:
        number += 1
        root = tmp_path / f"root{number}"
        shutil.copytree(prepared, root, symlinks=True)
        shelf = Shelf(LocalPlace(root, swap), links=False)

        def work(shelf: Shelf = shelf, number: int = number) -> None:
            kill_before_change(number)
            change(shelf)

        status = os.waitstatus_to_exitcode(os.waitpid(in_child(work), 0)[1])

        with shelf.locked(BETA):
            found = {each.name: text_of(root / each.path) for each in shelf.generations(BETA)}
        assert {name: found.pop(name) for name in names} == names
        assert list(found.values()) in ([], ["new"])
        assert all(name > max(names) for name in found)
        assert status in {0, -signal.SIGKILL}


def test_an_interrupt_between_two_renames_leaves_the_old_or_the_new_release(tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    publish(local_shelf(prepared, links=False), "old")
    seen: list[str] = []
    number, status = 0, -1

    while status:
        number += 1
        root = tmp_path / f"root{number}"
        shutil.copytree(prepared, root, symlinks=True)
        shelf = Shelf(LocalPlace(root, unable), links=False)

        def work(shelf: Shelf = shelf, number: int = number) -> None:
            interrupt_before_rename(number)
            with suppress(KeyboardInterrupt):
                publish(shelf, "new")
                return
            os._exit(3)

        status = os.waitstatus_to_exitcode(os.waitpid(in_child(work), 0)[1])
        assert status in {0, 3}
        seen.append(text_of(root / BETA))

    assert seen[0] == "old"
    assert seen[-1] == "new"
    assert seen == sorted(seen, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "links", [pytest.param(True, id="with links"), pytest.param(False, id="without links")]
)
def test_whoever_polls_during_200_flips_never_sees_a_file_that_does_not_fit_its_sums(
    tmp_path: Path, links: bool
) -> None:
    root = tmp_path / "root"
    shelf = local_shelf(root, links=links)
    publish(shelf, "0")

    with polling(tmp_path / "folders", lambda: text_of(root / BETA)) as folders:
        with polling(tmp_path / "paths", lambda: text_by_path(root / BETA)) as paths:
            for number in range(FLIPS):
                publish(shelf, str(number + 1))
                with shelf.locked(BETA):
                    shelf.keep(BETA, 50)
        # By path, one who goes there and back again cannot be told from one who stays.
        for number in range(FLIPS // 10):
            with shelf.locked(BETA):
                shelf.rollback(BETA)
            publish(shelf, f"again {number}")

    assert len(folders) > FLIPS // 8
    assert len(paths) > FLIPS // 8


@contextmanager
def polling(told: Path, look: Callable[[], str]) -> Iterator[set[str]]:
    """Have another process look, over and over, while the block lasts; what it saw is added."""
    go_on = told.with_suffix(".go")
    go_on.touch()

    def poll() -> None:
        seen = set()
        while go_on.exists():
            seen.add(look())
        told.write_text("\0".join(seen))

    reader = in_child(poll)
    seen: set[str] = set()
    try:
        yield seen
    finally:
        go_on.unlink()
        status = os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1])
    assert status == 0
    seen.update(told.read_text().split("\0"))


def text_by_path(release: Path) -> str:
    """What the files say; the sums are read before and after, as the release may be replaced."""
    while True:
        sums = (release / SUMS).read_text()
        contents = [(name, (release / name).read_bytes()) for name in FILES]
        if (release / SUMS).read_text() == sums:
            check(sums, contents)
            return sums
