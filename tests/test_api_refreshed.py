"""Tests of what cron's mail says, and when there is one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from release_builder.api.refreshed import Problem, is_quiet, refresh_words
from release_builder.report import Finding, Outcome, ReleaseReport, Severity, StepResult
from release_builder.state.history import ReleaseState

NOW = datetime(2026, 11, 21, 4, 15, tzinfo=UTC)
HOUR = 3600.0
NEVER = ReleaseState(
    descriptor="/etc/sme9.yaml",
    product="smeserver",
    arch="x86_64",
    version="9.0beta3",
    last_run=None,
    last_success=None,
    last_change=None,
    failing_since=None,
    failures=3,
    runs=3,
)
YESTERDAY = replace(NEVER, last_success=NOW - timedelta(hours=24))
LAST_WEEK = replace(NEVER, last_success=NOW - timedelta(days=7))


def ended(severity: Severity | None) -> ReleaseReport:
    """A release whose sync ended with a finding of that severity."""
    findings = (
        () if severity is None else (Finding(severity, "what\nand where", hint="what to do"),)
    )
    steps = (StepResult("sync", Outcome.FAILED, findings=findings),)
    return ReleaseReport("/etc/sme9.yaml", "smeserver", "9.0beta3", "x86_64", "/srv/sme", steps)


@pytest.mark.parametrize(
    ("severity", "before", "quiet"),
    [
        pytest.param(None, None, True, id="all is well"),
        pytest.param(Severity.WARNING, LAST_WEEK, True, id="a warning is no failure"),
        pytest.param(Severity.INCOMPLETE, YESTERDAY, True, id="it may pass"),
        pytest.param(Severity.INCOMPLETE, LAST_WEEK, False, id="it did not pass for too long"),
        pytest.param(Severity.INCOMPLETE, NEVER, False, id="it never succeeded"),
        pytest.param(Severity.INCOMPLETE, None, False, id="the very first run"),
        pytest.param(Severity.WRONG, YESTERDAY, False, id="wrong speaks at once"),
        pytest.param(Severity.SURROUNDINGS, YESTERDAY, False, id="a full disk speaks at once"),
        pytest.param(Severity.BUSY, None, True, id="the first run takes its time"),
        pytest.param(Severity.BUSY, NEVER, True, id="a first run that takes its time again"),
        pytest.param(Severity.BUSY, YESTERDAY, True, id="another run is at it"),
        pytest.param(Severity.BUSY, LAST_WEEK, False, id="another run hangs"),
        pytest.param(Severity.INTERRUPTED, YESTERDAY, False, id="somebody stopped it"),
    ],
)
def test_cron_sends_a_mail_only_where_a_person_should_look(
    severity: Severity | None,
    before: ReleaseState | None,
    quiet: bool,
) -> None:
    assert is_quiet(ended(severity), before, NOW, 26 * HOUR) is quiet


def test_a_day_of_twenty_six_hours_is_over_after_twenty_six_hours() -> None:
    before = replace(NEVER, last_success=NOW - timedelta(hours=26))

    assert is_quiet(ended(Severity.INCOMPLETE), before, NOW, 26 * HOUR)
    assert not is_quiet(ended(Severity.INCOMPLETE), before, NOW, 26 * HOUR - 1)


def test_the_mail_says_what_where_since_when_and_whose_turn_it_is() -> None:
    problem = Problem(ended(Severity.WRONG), LAST_WEEK)

    assert refresh_words(problem, Path("/var/log/release-builder/refresh.log")) == (
        "smeserver 9.0beta3 x86_64: could not be refreshed\n"
        "  descriptor  /etc/sme9.yaml\n"
        "  step        sync\n"
        "  problem     what\n"
        "              and where\n"
        "  by itself   tries again at the next run; image and pair of before stay as they are\n"
        "  you         what to do\n"
        "  last good   2026-11-14 04:15 UTC, 4 runs ago\n"
        "  log         /var/log/release-builder/refresh.log"
    )


def test_the_mail_of_a_descriptor_that_cannot_be_read_names_it() -> None:
    report = replace(ended(Severity.WRONG), product="", version="", arch="")

    first, *rest = refresh_words(Problem(report, None), None).splitlines()

    assert first == "/etc/sme9.yaml: could not be refreshed"
    assert rest[-1] == "  last good   never"
