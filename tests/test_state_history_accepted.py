from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from release_builder.state.history import HISTORY_FILE, Accepted, RecordedRun, open_history

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RELEASE = ("/srv/\udcff/sme9.yaml", "smeserver", "x86_64")
RUN = RecordedRun(
    command="build",
    descriptor=RELEASE[0],
    product=RELEASE[1],
    version="9.0beta3",
    arch=RELEASE[2],
    started=START,
    seconds=2.0,
)
FIRST = Accepted(
    version="9.0beta3",
    image="sme.iso",
    digests={"md5": "00" * 16, "sha256": "11" * 32},
    told=("md5",),
    signers="A" * 40,
    signed=1_577_934_245,
)
SECOND = replace(FIRST, digests={"md5": "22" * 16}, signed=None)


def kept(folder: Path, *release: str) -> tuple[Accepted, ...]:
    with open_history(folder, read_only=True) as history:
        return history.accepted(*(release or RELEASE))


def test_what_was_found_right_is_known_with_its_run(tmp_path: Path) -> None:
    with open_history(tmp_path) as history:
        numbers = [history.record(RUN, each) for each in (FIRST, SECOND, FIRST)]

    at = START + timedelta(seconds=2)
    assert kept(tmp_path) == (
        replace(FIRST, run=numbers[0], at=at),
        replace(SECOND, run=numbers[1], at=at),
        replace(FIRST, run=numbers[2], at=at),
    )


def test_each_night_that_brings_nothing_new_adds_nothing(tmp_path: Path) -> None:
    with open_history(tmp_path) as history:
        for accepted in (FIRST, FIRST, None, FIRST):
            history.record(RUN, accepted)

    assert [each.run for each in kept(tmp_path)] == [1]


def test_it_is_found_by_the_folder_too(tmp_path: Path) -> None:
    with open_history(tmp_path) as history:
        history.record(RUN, replace(FIRST, workdir="/srv/work"))
        history.record(RUN, SECOND)

    assert len(kept(tmp_path, *RELEASE, "/elsewhere")) == 2
    assert [each.run for each in kept(tmp_path, "copy", *RELEASE[1:], "/srv/work")] == [1]
    assert kept(tmp_path, "copy", *RELEASE[1:]) == ()


def test_a_descriptor_of_two_folders_adds_nothing_by_turns(tmp_path: Path) -> None:
    with open_history(tmp_path) as history:
        for folder in ("/a", "/b", "/a", "/b"):
            history.record(RUN, replace(FIRST, workdir=folder))

    assert [each.run for each in kept(tmp_path)] == [1, 2]


@pytest.mark.parametrize("place", range(3))
def test_releases_are_told_apart(tmp_path: Path, place: int) -> None:
    other = [*RELEASE]
    other[place] = "other"
    with open_history(tmp_path) as history:
        history.record(RUN, FIRST)

    assert kept(tmp_path, *other) == ()


def test_it_outlives_the_runs_but_not_the_descriptor(tmp_path: Path) -> None:
    stands = tmp_path / "sme9.yaml"
    stands.touch()
    with open_history(tmp_path) as history:
        for number in range(3):
            accepted = replace(FIRST, signed=number)
            history.record(replace(RUN, descriptor=str(stands)), accepted)
            history.record(replace(RUN, descriptor=str(tmp_path / "gone.yaml")), accepted)
        history.prune(days=0, runs=0)

    assert len(kept(tmp_path, str(stands), *RELEASE[1:])) == 3
    assert kept(tmp_path, str(tmp_path / "gone.yaml"), *RELEASE[1:]) == ()


def test_it_outlives_the_descriptor_where_the_folder_stands(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.yaml")
    with open_history(tmp_path) as history:
        history.record(replace(RUN, descriptor=gone), replace(FIRST, workdir=str(tmp_path)))
        history.prune(days=0, runs=0)

    assert len(kept(tmp_path, gone, *RELEASE[1:])) == 1


def test_a_damaged_row_is_a_note_and_refuses_nothing(tmp_path: Path) -> None:
    with open_history(tmp_path) as history:
        history.record(RUN, FIRST)
    with sqlite3.connect(tmp_path / HISTORY_FILE) as database:
        database.execute("UPDATE accepted SET digests = '{'")
    database.close()

    with open_history(tmp_path) as history:
        found = history.accepted(*RELEASE)

    assert found == ()
    assert "it cannot be read" in history.notes[0]
