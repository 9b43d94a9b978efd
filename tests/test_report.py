"""The exit status is a pure function of the findings."""

from __future__ import annotations

import pytest

from release_builder.errors import Status
from release_builder.report import (
    SEVERITY_OF,
    Finding,
    Outcome,
    ReleaseReport,
    Report,
    Severity,
    StepResult,
)

_INTERRUPTED, _WRONG, _SURROUNDINGS = (
    Severity.INTERRUPTED,
    Severity.WRONG,
    Severity.SURROUNDINGS,
)
_INCOMPLETE, _BUSY, _WARNING, _NOTE = (
    Severity.INCOMPLETE,
    Severity.BUSY,
    Severity.WARNING,
    Severity.NOTE,
)


def release(*severities: Severity) -> ReleaseReport:
    """A release with a step for each severity."""
    steps = tuple(
        StepResult("sync", Outcome.FAILED, findings=(Finding(each, f"it is {each}"),))
        for each in severities
    )
    return ReleaseReport("sme9.yaml", "smeserver", "9.0beta3", "x86_64", "/w", steps)


@pytest.mark.parametrize(
    ("severities", "status"),
    [
        pytest.param([], Status.DONE, id="nothing to say"),
        pytest.param([_NOTE, _WARNING], Status.DONE, id="worth knowing"),
        pytest.param([_BUSY], Status.BUSY, id="busy"),
        pytest.param([_BUSY, _INCOMPLETE], Status.INCOMPLETE, id="incomplete before busy"),
        pytest.param(
            [_INCOMPLETE, _SURROUNDINGS, _BUSY],
            Status.SURROUNDINGS,
            id="surroundings before incomplete",
        ),
        pytest.param(
            [_SURROUNDINGS, _INCOMPLETE, _WRONG], Status.WRONG, id="wrong before surroundings"
        ),
        pytest.param([_WRONG, _INTERRUPTED], Status.INTERRUPTED, id="interrupted before all"),
    ],
)
def test_what_a_person_must_look_at_speaks_for_the_run(
    severities: list[Severity], status: Status
) -> None:
    one = Report("build", (release(*severities),))
    many = Report("build", tuple(release(each) for each in reversed(severities)))
    general = Report("build", findings=tuple(Finding(each, "it") for each in severities))

    assert one.releases[0].exit_status is status
    assert [report.exit_status for report in (one, many, general)] == [status] * 3


def test_each_release_has_a_status_of_its_own() -> None:
    report = Report("build", (release(), release(_INCOMPLETE)))

    assert [each.exit_status for each in report.releases] == [Status.DONE, Status.INCOMPLETE]


def test_all_findings_come_in_the_order_of_the_run() -> None:
    general = Finding(_WARNING, "general")

    report = Report("build", (release(_NOTE), release(_WRONG, _BUSY)), (general,))

    messages = [finding.message for finding in report.all_findings()]
    assert messages == ["general", "it is note", "it is wrong", "it is busy"]


@pytest.mark.parametrize("status", [status for status in Status if status])
def test_every_status_but_done_has_a_severity_and_back(status: Status) -> None:
    assert SEVERITY_OF[status].status is status
