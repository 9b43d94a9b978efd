"""What a run over descriptors says once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from release_builder.api import refresh_run
from release_builder.api.refresh_run import RefreshRun
from release_builder.api.refreshes import RefreshOptions
from release_builder.descriptor.refreshing import Notify
from release_builder.monitor import Monitor
from release_builder.plan import Options
from release_builder.report import Finding, Outcome, ReleaseReport, Severity, StepResult
from release_builder.state.history import open_history
from release_builder.state.run_log import open_log

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Night:
    """Work of which the reports are known."""

    def __init__(self, *reports: ReleaseReport) -> None:
        self._reports = reports

    def plans(self, _descriptor: Path) -> list[Any]:
        return [SimpleNamespace(release=SimpleNamespace(notify=Notify()))]

    def refresh(self, _plans: list[Any]) -> tuple[ReleaseReport, ...]:
        return self._reports


def said(folder: Path, monkeypatch: pytest.MonkeyPatch, *messages: str) -> list[str]:
    """What the refresh of a night with these findings says."""
    findings = tuple(Finding(Severity.WARNING, each, news=True) for each in messages)
    step = StepResult("verify", Outcome.UNCHANGED, findings=findings)
    night = Night(ReleaseReport(str(folder / "a.yaml"), "sme", "9.0", "x86_64", "", (step,)))
    monkeypatch.setattr(refresh_run, "Work", lambda *_: night)
    with open_log(folder / "log") as log, open_history(folder) as history:
        run = RefreshRun(folder, RefreshOptions(plan=Options()), history, log, Monitor())
        run.go_over(folder / "a.yaml")
        return list(run.result().news)


def test_each_of_two_messages_is_said_once(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = (("a", "b"), ("b", "a"), ("b", "c\nd"), ("c\nd",), ())

    told = [said(workdir, monkeypatch, *night) for night in nights]

    name = "sme 9.0 x86_64"
    assert told == [[f"{name}: a", f"{name}: b"], [], [f"{name}: c\nd"], [], []]
