"""Whatever lies already where an image or a pair is to be written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import noise
from hostile import (
    IMAGE,
    ONE,
    RUNS,
    contents,
    desc,
    image_entry,
    part_entry,
    u48,
    unfinished,
    unmatched,
)
from hostile_pairs import (
    ODD_FILES,
    PAIR,
    READERS,
    assert_made,
    assert_refused,
    dangling,
    fifo,
    folder,
    link_to_itself,
    link_to_zeros,
    run,
    unix_socket,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("make", ODD_FILES)
@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "forced"])
def test_whatever_lies_where_an_unfinished_image_goes_stays(
    work: Path, make: Callable[[Path], None], force: tuple[str, ...]
) -> None:
    make(work / "new.iso.tmp")
    before = contents(work)

    ended = run("make-image", *READERS["make-image"], *force)

    assert_refused(ended, 3, "new.iso.tmp ")
    assert contents(work) == before


def test_an_unfinished_image_behind_a_link_is_not_written(work: Path) -> None:
    Path("victim").write_bytes(unfinished(bytes(len(IMAGE))))
    Path("new.iso.tmp").symlink_to("victim")
    before = contents(work)

    ended = run("make-image", *READERS["make-image"])

    assert_refused(ended, 3, "new.iso.tmp ")
    assert contents(work) == before


@pytest.mark.parametrize("make", ODD_FILES)
def test_print_missing_never_waits_for_an_unfinished_image(
    work: Path, make: Callable[[Path], None]
) -> None:
    make(work / "new.iso.tmp")

    ended = run("print-missing", *READERS["print-missing"])

    assert ended.status in {0, 3}
    assert ended.errors == (0 if make is dangling else 1), ended.err


LIES = {
    "says it has all": unfinished(bytes(len(IMAGE)), 1, 3, 4),
    "has all, wrong": unfinished(noise(len(IMAGE)), 1, 3, 4),
    "has all, says nothing": unfinished(IMAGE),
}


@pytest.mark.parametrize("name", list(LIES))
def test_an_unfinished_image_is_not_believed(work: Path, name: str) -> None:
    Path("new.iso.tmp").write_bytes(LIES[name])

    ended = run("make-image", *READERS["make-image"])

    assert_made(ended)


# As long as one whose run was stopped at its begin or end.
SILENT = {
    "cut": unfinished(noise(len(IMAGE)), 1, 3, 4)[:-1],
    "length 2^47": noise(len(IMAGE)) + b"DESC" + u48(1 << 47),
    "length of nothing": noise(len(IMAGE)) + b"DESC" + u48(0),
    "noise": noise(len(IMAGE)),
}


@pytest.mark.parametrize("name", list(SILENT))
def test_a_file_that_does_not_say_what_it_has_becomes_the_image_or_stays(
    work: Path, name: str
) -> None:
    Path("new.iso.tmp").write_bytes(SILENT[name])
    before = contents(work)

    ended = run("make-image", *READERS["make-image"])

    if ended.status:
        assert_refused(ended, 3, "new.iso.tmp")
        assert contents(work) == before
        ended = run("make-image", *READERS["make-image"], "--force")
    assert_made(ended)


STALE = {
    "too short": unfinished(bytes(100)),
    "another": bytes(10) + desc(unmatched(10), image_entry(bytes(10))),
    "too long": unfinished(noise(30_000)),
    "length beyond": noise(30_000) + b"DESC" + u48(1 << 23),
    "unknown type": IMAGE + desc(*RUNS, part_entry(ONE, 11), image_entry()),
    "noise": noise(30_000),
    "text": b"precious\n" * 100,
}


@pytest.mark.parametrize("name", list(STALE))
def test_another_unfinished_image_is_replaced_with_force_alone(work: Path, name: str) -> None:
    Path("new.iso.tmp").write_bytes(STALE[name])
    before = contents(work)

    refused = run("make-image", *READERS["make-image"])
    kept = contents(work)
    forced = run("make-image", *READERS["make-image"], "--force")

    assert_refused(refused, 3, "new.iso.tmp")
    assert kept == before
    assert_made(forced)


def test_an_unfinished_image_without_end_is_refused(work: Path) -> None:
    with Path("new.iso.tmp").open("wb") as out:
        out.truncate(1 << 40)

    made = run("make-image", *READERS["make-image"])
    printed = run("print-missing", *READERS["print-missing"])

    assert_refused(made, 3, "new.iso.tmp: no unfinished image")
    assert (printed.status, printed.errors) == (0, 1)


@pytest.mark.parametrize("make", ODD_FILES)
def test_whatever_lies_where_the_image_goes_stays(work: Path, make: Callable[[Path], None]) -> None:
    make(work / "new.iso")
    before = contents(work)

    ended = run("make-image", *READERS["make-image"])

    assert_refused(ended, 3, "new.iso is there already")
    assert contents(work) == before


@pytest.mark.parametrize("make", [dangling, link_to_itself])
def test_force_replaces_a_link_to_nothing(work: Path, make: Callable[[Path], None]) -> None:
    make(work / "new.iso")

    ended = run("make-image", *READERS["make-image"], "--force")

    assert_made(ended)


@pytest.mark.parametrize("make", [fifo, folder, link_to_zeros, unix_socket])
def test_force_replaces_nothing_but_files(work: Path, make: Callable[[Path], None]) -> None:
    make(work / "new.iso")
    before = contents(work)

    ended = run("make-image", *READERS["make-image"], "--force")

    assert_refused(ended, 3, "new.iso")
    assert contents(work) == before


@pytest.mark.parametrize("make", ODD_FILES)
@pytest.mark.parametrize("name", [".new.template.new", ".new.jigdo.new", ".new.svg.new"])
def test_what_lies_where_an_output_is_written_first_is_never_waited_for(
    work: Path, name: str, make: Callable[[Path], None]
) -> None:
    make(work / name)

    if "svg" in name:
        ended = run("map", *READERS["map"])
    else:
        ended = run("make-template", *PAIR, "-r", "quiet", "tree")

    assert ended.status in {0, 3}
    assert not os.path.lexists("nowhere")
    assert (ended.status == 0) == (Path("new.svg").exists() or Path("new.template").exists())
