"""Reports for people, and for programs."""

from __future__ import annotations

import dataclasses
import json

import pytest

from release_builder.cli.options import Output
from release_builder.cli.show import show_report
from release_builder.errors import Status
from release_builder.report import (
    Finding,
    Outcome,
    ReleaseReport,
    Report,
    Severity,
    StepResult,
)

PEOPLE = Output(json=False, quiet=False, verbose=False, colour=None)
QUIET = dataclasses.replace(PEOPLE, quiet=True)
VERBOSE = dataclasses.replace(PEOPLE, verbose=True)
JSON = dataclasses.replace(PEOPLE, json=True)
MADE = StepResult(
    "assemble", Outcome.DONE, "made: 3 MB\nfrom 7 parts", 1.25, facts={"image": "/w/image/a.iso"}
)
NOTE = Finding(Severity.NOTE, "worth knowing")
WARNING = Finding(Severity.WARNING, "worth a look")
WRONG = Finding(Severity.WRONG, "these bytes are wrong", hint="fetch them again")


def report(*steps: StepResult, findings: tuple[Finding, ...] = ()) -> Report:
    release = ReleaseReport("sme9.yaml", "smeserver", "9.0beta3", "x86_64", "/w", steps)
    return Report("build", (release,), findings)


def failing(*findings: Finding) -> Report:
    return report(StepResult("verify", Outcome.FAILED, "the bytes are wrong", 2, findings=findings))


def test_a_good_run_says_what_it_did_and_where_the_image_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = show_report(report(MADE), PEOPLE)

    assert status == Status.DONE
    assert capsys.readouterr() == (
        "smeserver 9.0beta3 x86_64  in /w\n"
        "  assemble  done          1.2 s  made: 3 MB\n"
        "                                from 7 parts\n"
        "  /w/image/a.iso\n"
        "  done (1.2 s)\n",
        "",
    )


def test_a_run_that_had_nothing_to_do_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    skipped = StepResult("sync", Outcome.SKIPPED, "offline")

    show_report(report(skipped, dataclasses.replace(MADE, outcome=Outcome.UNCHANGED)), PEOPLE)

    assert capsys.readouterr().out.endswith("  nothing to do (1.2 s)\n")


@pytest.mark.parametrize(
    ("severity", "words"),
    [
        pytest.param(Severity.INCOMPLETE, "incomplete: run again later", id="incomplete"),
        pytest.param(Severity.WRONG, "  wrong (2.0 s)", id="wrong"),
        pytest.param(Severity.SURROUNDINGS, "this machine lacks something", id="surroundings"),
        pytest.param(Severity.BUSY, "another run is at work", id="busy"),
        pytest.param(Severity.INTERRUPTED, "goes on from here", id="interrupted"),
    ],
)
def test_the_last_line_says_how_it_ended(
    capsys: pytest.CaptureFixture[str], severity: Severity, words: str
) -> None:
    status = show_report(failing(Finding(severity, "it")), PEOPLE)

    last = capsys.readouterr().out.splitlines()[-1]
    assert status == severity.status
    assert words in last


def test_findings_go_to_stderr_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(failing(NOTE, WARNING, WRONG), PEOPLE)

    assert capsys.readouterr().err == (
        "    note: worth knowing\n"
        "    warning: worth a look\n"
        "    error: these bytes are wrong\n"
        "           fetch them again\n"
    )


def test_quiet_says_nothing_but_problems(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(report(MADE, findings=(NOTE,)), QUIET)
    nothing = capsys.readouterr()
    show_report(failing(NOTE, WRONG), QUIET)
    problems = capsys.readouterr()

    assert nothing == ("", "")
    assert problems.out == ""
    assert problems.err.startswith("    error: these bytes are wrong\n")


def test_many_findings_are_counted_not_listed(capsys: pytest.CaptureFixture[str]) -> None:
    many = tuple(Finding(Severity.INCOMPLETE, f"missing: {i}", "run again") for i in range(1025))

    show_report(failing(*many), PEOPLE)
    few = capsys.readouterr().err
    show_report(failing(*many), VERBOSE)
    all_of_them = capsys.readouterr().err

    assert few.count("missing:") == 20
    assert few.count("run again") == 1
    assert "and 1,005 more: -v or --json" in few
    assert all_of_them.count("missing:") == 1025


def test_findings_of_no_release_are_shown_too(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(report(MADE, findings=(WARNING,)), PEOPLE)

    assert "warning: worth a look" in capsys.readouterr().err


def test_json_is_one_document_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    odd = Finding(Severity.WRONG, "caf\udce9", path="a\udce9")

    status = show_report(failing(odd), JSON)

    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (status, document["exit_status"], document["version"]) == (2, 2, 1)
    assert document["command"] == "build"
    (step,) = document["releases"][0]["steps"]
    assert (step["outcome"], step["seconds"]) == ("failed", 2)
    assert step["findings"][0]["severity"] == "wrong"
    assert step["findings"][0]["path"] == "a\udce9"
    assert err == ""
