"""From the report of a run to what the history keeps of it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.api.histories import (
    begin,
    by_arch,
    recorded,
    recorded_runs,
    remember,
    standings,
    under_way,
)
from release_builder.loader import load
from release_builder.report import Finding, Outcome, ReleaseReport, Report, Severity, StepResult
from release_builder.state.history import open_history

if TYPE_CHECKING:
    import pytest

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SYNC = StepResult("sync", Outcome.DONE, "3 files", 2.0, {"bytes_fetched": 9}, facts={"tree": "t"})
VERIFY = StepResult("verify", Outcome.DONE, "right", 1.0)
NOTE = Finding(Severity.WARNING, "a label is unknown", "add it")
WRONG = Finding(Severity.WRONG, "the image is wrong", "make it anew")
LATER = Finding(Severity.INCOMPLETE, "parts are missing", "run again")
REPORT = ReleaseReport("sme9.yaml", "smeserver", "9.0", "x86_64", "/work", (SYNC, VERIFY))


def test_a_good_run_is_recorded_with_its_image(workdir: Path) -> None:
    image = workdir / "a.iso"
    image.write_bytes(bytes(1234))
    verify = replace(VERIFY, facts={"image": str(image)}, findings=(NOTE,))

    run = recorded("refresh", replace(REPORT, steps=(SYNC, verify)), START)

    assert (run.image, run.image_size) == (str(image), 1234)
    assert (run.status, run.problem, run.hint) == (0, "", "")
    assert (run.started, run.seconds, run.changed) == (START, 3.0, True)
    assert [(each.step, each.outcome, each.message) for each in run.steps] == [
        ("sync", "done", "3 files"),
        ("verify", "done", "right"),
    ]
    assert run.steps[0].counts == {"bytes_fetched": 9}


def test_the_problem_is_the_one_that_decided_the_status() -> None:
    failed = replace(VERIFY, outcome=Outcome.FAILED, findings=(NOTE, LATER, WRONG))

    run = recorded("build", replace(REPORT, steps=(SYNC, failed)), START)

    assert (run.status, run.problem, run.hint) == (2, WRONG.message, WRONG.hint)
    assert run.steps[1].message == LATER.message


def test_a_run_that_only_read_brought_nothing_new() -> None:
    unchanged = replace(SYNC, outcome=Outcome.UNCHANGED)

    assert not recorded("refresh", replace(REPORT, steps=(unchanged, VERIFY)), START).changed


def test_the_descriptor_is_known_by_its_absolute_path(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workdir)

    for name in ("sme9.yaml", "./x/../sme9.yaml", str(workdir / "sme9.yaml")):
        run = recorded("refresh", replace(REPORT, descriptor=name), START)
        assert run.descriptor == str(workdir / "sme9.yaml")


def test_what_is_done_for_two_arches_at_once_counts_for_each() -> None:
    publish = StepResult("publish", Outcome.FAILED, findings=(WRONG,))
    other = replace(REPORT, arch="i386", descriptor="sme9-i386.yaml")
    joint = replace(REPORT, arch="i386, x86_64", steps=(publish,))

    reports = by_arch((other, REPORT, joint))

    assert [(each.descriptor, each.arch) for each in reports] == [
        ("sme9-i386.yaml", "i386"),
        ("sme9.yaml", "x86_64"),
    ]
    assert [[step.step for step in each.steps] for each in reports] == [
        ["sync", "verify", "publish"]
    ] * 2


def test_a_report_is_remembered_release_by_release() -> None:
    other = replace(REPORT, arch="i386")

    assert remember(Report("build", (REPORT, other)), START) == ()

    second, first = recorded_runs().runs
    assert (first.arch, first.started) == ("x86_64", START)
    assert (second.arch, second.started) == ("i386", first.ended)


def test_a_command_is_under_way_until_it_is_remembered(workdir: Path) -> None:
    path = workdir / "sme9.yaml"
    path.write_text("version: 9.0beta3\narch: [x86_64, i386]\nmirror: rsync://127.0.0.1/none/\n")
    releases = load(path).releases()
    report = replace(REPORT, descriptor=str(path), version="9.0beta3")

    with under_way("build", releases, START) as warnings:
        notes = [each.message for each in standings().findings]
        remember(Report("build", (report,)), START)

    assert warnings == []
    assert [note.partition(" is under way since 2026-01-02 03:04 UTC")[0] for note in notes] == [
        "build of smeserver 9.0beta3 x86_64",
        "build of smeserver 9.0beta3 i386",
    ]
    assert [run.arch for run in recorded_runs().runs] == ["x86_64"]
    assert standings().findings == ()


def test_a_killed_run_of_a_descriptor_is_a_failure_of_its_releases(workdir: Path) -> None:
    path = workdir / "sme9.yaml"
    path.write_text("version: 9.0beta3\narch: x86_64\nmirror: rsync://127.0.0.1/none/\n")
    state = Path(os.environ["RELEASE_BUILDER_STATE"])
    code = (
        "import os, sys; from pathlib import Path; from datetime import UTC, datetime\n"
        "from release_builder.api.histories import begin\n"
        "from release_builder.state.history import open_history\n"
        "with open_history(Path(sys.argv[1])) as history:\n"
        "    begin(history, 'refresh', Path(sys.argv[2]), datetime.now(UTC))\n"
        "    os.kill(os.getpid(), 9)"
    )

    subprocess.run([sys.executable, "-c", code, state, path], check=False, timeout=60)

    (release,) = standings().releases
    assert (release.product, release.arch, release.failures) == ("smeserver", "x86_64", 1)
    with open_history(state) as history:
        begin(history, "refresh", path, START)
        assert f"the refresh of {path} that began" in history.notes[0]


def test_a_command_without_a_folder_for_the_state_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RELEASE_BUILDER_STATE", "HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "geteuid", lambda: 65534)

    with under_way("build", (), START) as warnings:
        assert warnings == []


def test_that_a_report_cannot_be_remembered_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    (finding,) = remember(Report("build", (REPORT,)), START)

    assert finding.severity is Severity.WARNING
    assert "not recorded" in finding.message
