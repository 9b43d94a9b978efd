from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from release_builder.state import history_file
from release_builder.state.history import (
    HISTORY_FILE,
    RecordedRun,
    RecordedStep,
    ReleaseState,
    Standing,
    open_history,
)

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
HOUR = timedelta(hours=1)
DESCRIPTOR = "/etc/release-builder/releases.d/sme9.yaml"
RUN = RecordedRun(
    command="refresh",
    descriptor=DESCRIPTOR,
    product="smeserver",
    version="9.0beta3",
    arch="x86_64",
    started=START,
    seconds=1.5,
    image="/srv/sme/image/smeserver-9.0beta3-x86_64.iso",
    image_size=5 << 30,
    changed=True,
    steps=(
        RecordedStep("sync", "done", 1.25, {"bytes_fetched": 6 << 30, "files_fetched": 3}, "three"),
        RecordedStep("verify", "unchanged", 0.25),
    ),
)
FAILED = replace(RUN, status=1, problem="it does not answer", hint="wait", changed=False, image="")


def after(hours: float, run: RecordedRun = RUN) -> RecordedRun:
    return replace(run, started=START + hours * HOUR)


def record(folder: Path, *runs: RecordedRun) -> list[int]:
    with open_history(folder) as history:
        return [history.record(run) for run in runs]


def states(folder: Path) -> tuple[ReleaseState, ...]:
    with open_history(folder, read_only=True) as history:
        return history.releases()


def state(folder: Path) -> ReleaseState:
    (only,) = states(folder)
    return only


def test_a_run_is_known_in_the_next_run_as_it_was_recorded(tmp_path: Path) -> None:
    (number,) = record(tmp_path / "new" / "state", RUN)

    with open_history(tmp_path / "new" / "state") as history:
        assert history.runs() == (replace(RUN, id=number),)
        assert history.notes == []


def test_the_newest_runs_come_first_though_the_clock_was_set_back(tmp_path: Path) -> None:
    numbers = record(tmp_path, after(5), after(0), after(2, FAILED))

    with open_history(tmp_path) as history:
        assert [run.id for run in history.runs(limit=2)] == [numbers[2], numbers[1]]


def test_the_runs_of_one_descriptor_are_told_apart(tmp_path: Path) -> None:
    other = replace(RUN, descriptor="/etc/other.yaml")
    record(tmp_path, RUN, other)

    with open_history(tmp_path) as history:
        assert [run.descriptor for run in history.runs("/etc/other.yaml")] == ["/etc/other.yaml"]
        assert history.runs("/etc/none.yaml") == ()


def test_a_descriptor_whose_name_is_no_utf_8_is_recorded(tmp_path: Path) -> None:
    odd = "/etc/\udcff.yaml"

    assert record(tmp_path, replace(RUN, descriptor=odd)) == [1]

    with open_history(tmp_path) as history:
        assert [run.command for run in history.runs(odd)] == ["refresh"]
        assert history.notes == []


def test_a_release_that_failed_since_says_since_when(tmp_path: Path) -> None:
    record(tmp_path, RUN, after(1, replace(RUN, changed=False)), after(2, FAILED), after(3, FAILED))

    found = state(tmp_path)

    assert found.last_run
    assert found.last_run.problem == "it does not answer"
    assert found.last_success == after(1).ended
    assert found.last_change == RUN.ended
    assert found.failing_since == after(2).started
    assert (found.failures, found.runs) == (2, 4)
    assert (found.image, found.image_size) == (RUN.image, RUN.image_size)


def test_a_success_ends_the_failing(tmp_path: Path) -> None:
    record(tmp_path, FAILED, after(1))

    assert state(tmp_path).failing_since is None
    assert state(tmp_path).failures == 0


def test_a_release_that_never_succeeded_has_no_success(tmp_path: Path) -> None:
    record(tmp_path, FAILED, after(1, FAILED))

    assert state(tmp_path).last_success is None
    assert state(tmp_path).failing_since == FAILED.started


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(replace(FAILED, status=75), id="met the lock"),
        pytest.param(replace(FAILED, command="publish"), id="of another command"),
    ],
)
def test_what_says_nothing_of_the_release_does_not_count(tmp_path: Path, run: RecordedRun) -> None:
    record(tmp_path, RUN, run)

    assert state(tmp_path).failing_since is None
    assert state(tmp_path).runs == 1


def test_each_arch_and_descriptor_is_a_release(tmp_path: Path) -> None:
    record(tmp_path, RUN, replace(RUN, arch="i386"), replace(RUN, descriptor="/a.yaml"), RUN)

    found = [(each.descriptor, each.arch, each.runs) for each in states(tmp_path)]

    assert found == [("/a.yaml", "x86_64", 1), (DESCRIPTOR, "i386", 1), (DESCRIPTOR, "x86_64", 2)]


def test_a_new_version_of_a_release_is_the_same_release(tmp_path: Path) -> None:
    record(tmp_path, RUN, after(1, replace(RUN, version="9.0beta4")))

    assert (state(tmp_path).version, state(tmp_path).runs) == ("9.0beta4", 2)


def test_that_a_descriptor_could_not_be_read_is_told_until_it_could(tmp_path: Path) -> None:
    unread = RecordedRun(command="refresh", descriptor=DESCRIPTOR, started=START, status=2)

    record(tmp_path, RUN, unread)
    before = [(each.product, each.failures) for each in states(tmp_path)]
    record(tmp_path, RUN)

    assert before == [("smeserver", 1)]
    assert [(each.product, each.failures) for each in states(tmp_path)] == [("smeserver", 0)]


def test_that_a_descriptor_could_never_be_read_is_a_release_of_its_own(tmp_path: Path) -> None:
    record(tmp_path, RecordedRun(command="refresh", descriptor=DESCRIPTOR, started=START, status=2))

    assert [(each.product, each.failures) for each in states(tmp_path)] == [("", 1)]


def test_a_run_that_could_not_read_the_descriptor_leaves_the_success_of_its_releases(
    tmp_path: Path,
) -> None:
    unread = RecordedRun(
        command="refresh", descriptor=DESCRIPTOR, started=START + HOUR, status=1, problem="late"
    )

    record(tmp_path, RUN, unread)

    found = state(tmp_path)
    assert found.last_success == RUN.ended
    assert found.version == RUN.version
    assert found.last_run
    assert found.last_run.problem == "late"
    assert found.standing(START + 2 * HOUR) is Standing.FAILING


@pytest.mark.parametrize(
    ("runs", "hours", "standing"),
    [
        pytest.param([RUN], 1, Standing.FRESH, id="young"),
        pytest.param([RUN], 27, Standing.STALE, id="old"),
        pytest.param([RUN, FAILED], 1, Standing.FAILING, id="failed, but young"),
        pytest.param([RUN, FAILED], 27, Standing.STALE, id="failed, and old"),
        pytest.param([FAILED], 0, Standing.NEVER, id="never"),
        pytest.param([RUN], -1, Standing.FRESH, id="the clock was set back a little"),
        pytest.param([RUN], -5, Standing.STALE, id="a success that is yet to come"),
        pytest.param([RUN, FAILED], -5, Standing.STALE, id="failed after one yet to come"),
    ],
)
def test_how_a_release_stands(
    tmp_path: Path, runs: list[RecordedRun], hours: int, standing: Standing
) -> None:
    record(tmp_path, *runs)

    assert state(tmp_path).standing(START + hours * HOUR, 26 * 3600) is standing


def test_marks_are_kept_from_run_to_run(tmp_path: Path) -> None:
    with open_history(tmp_path) as history:
        history.note("tracked", "9.0beta3")
        history.note("tracked", "9.0beta4")
        history.note("told", "yes")
        history.note("told", "")

    with open_history(tmp_path, read_only=True) as history:
        assert history.noted("tracked") == "9.0beta4"
        assert history.noted("told") == history.noted("never") == ""


def test_where_no_transaction_can_be_begun_nothing_is_recorded_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, RUN)
    monkeypatch.setattr(history_file, "BUSY_SECONDS", 0.1)
    other = sqlite3.connect(tmp_path / HISTORY_FILE)

    with contextlib.closing(other), open_history(tmp_path) as history:
        history.begin(after(1))
        other.execute("BEGIN IMMEDIATE")
        history.note("url", "http://a/")
        history.record(after(1))

    assert any("what this run did is not recorded" in note for note in history.notes)
    with open_history(tmp_path) as history:
        assert RUN.started in [run.started for run in history.runs()]


def test_old_runs_are_forgotten_but_not_how_a_release_stands(tmp_path: Path) -> None:
    descriptor = tmp_path / "sme9.yaml"
    descriptor.touch()
    change = replace(RUN, descriptor=str(descriptor))
    good, bad = replace(change, changed=False), replace(FAILED, descriptor=str(descriptor))
    numbers = record(tmp_path, change, good, good, bad, bad, bad)
    before = state(tmp_path)

    with open_history(tmp_path) as history:
        assert history.prune(1, runs=0) == 2
        assert [run.id for run in history.runs()] == [numbers[each] for each in (5, 3, 2, 0)]
        assert all(len(run.steps) == 2 for run in history.runs())

    now = state(tmp_path)
    assert (now.last_success, now.last_change) == (before.last_success, before.last_change)
    assert now.failing_since == before.failing_since


def test_a_clock_that_is_ahead_does_not_empty_the_history(tmp_path: Path) -> None:
    descriptor = tmp_path / "sme9.yaml"
    descriptor.touch()
    good = replace(RUN, descriptor=str(descriptor))
    record(tmp_path, good, good, replace(good, started=datetime(2099, 1, 1, tzinfo=UTC)))

    with open_history(tmp_path) as history:
        assert history.prune(1) == 0
        assert len(history.runs()) == 3


def test_young_runs_are_not_forgotten(tmp_path: Path) -> None:
    young = replace(RUN, started=datetime.now(UTC))
    record(tmp_path, young, young)

    with open_history(tmp_path) as history:
        assert history.prune(1) == 0
        assert len(history.runs()) == 2


def test_a_release_whose_descriptor_is_gone_is_forgotten_with_its_runs(tmp_path: Path) -> None:
    record(tmp_path, replace(RUN, descriptor=str(tmp_path / "gone.yaml")))

    with open_history(tmp_path) as history:
        assert history.prune(1) == 1
        assert history.releases() == ()
