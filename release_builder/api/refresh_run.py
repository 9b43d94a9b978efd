"""One run over descriptors: each in its turn, recorded, logged, and told to whom it concerns."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from release_builder.api.histories import begin, key_of, recorded
from release_builder.api.logging_monitor import LoggingMonitor
from release_builder.api.refresh_work import Work, fingerprint
from release_builder.api.refreshed import Problem, Refreshed, decisive, is_quiet, refresh_words
from release_builder.api.vouching import accepted
from release_builder.courtesy import ending_after, splay
from release_builder.errors import LACKS, OutOfTimeError, ReleaseBuilderError, Status, printable
from release_builder.loader import load
from release_builder.report import (
    Finding,
    Outcome,
    ReleaseReport,
    Report,
    Severity,
    document,
    failed_step,
)
from release_builder.state.digest_cache import open_cache
from release_builder.state.turns import take_turn
from release_builder.telling import Occasion, occasion_of, tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.api.refreshes import RefreshOptions
    from release_builder.descriptor.refreshing import Notify
    from release_builder.errors import Lack
    from release_builder.monitor import Monitor
    from release_builder.plan import Plan
    from release_builder.state.history import History, ReleaseState
    from release_builder.state.run_log import RunLog

    _Trouble = ReleaseBuilderError | Lack | KeyboardInterrupt

_NOTHING: Final = "nothing"  # was told so far; where nothing is noted, nobody knows
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_TROUBLE: Final = (ReleaseBuilderError, KeyboardInterrupt, *LACKS)


class RefreshRun:
    """A run.

    Args:
        state: The state folder.
        options: How releases are refreshed.
        history: What was done before; gets what is done now.
        log: Gets all of it.
        monitor: Hears how far it is.

    Attributes:
        findings: What belongs to no release.
        planned: All that was to be done.
    """

    def __init__(
        self, state: Path, options: RefreshOptions, history: History, log: RunLog, monitor: Monitor
    ) -> None:
        self.findings: list[Finding] = []
        self.planned: list[Plan] = []
        self._state = state
        self._options = options
        self._history = history
        self._log = log
        self._monitor = LoggingMonitor(monitor, log)
        self._began = time.monotonic()
        self._waited = False
        self._reports: list[ReleaseReport] = []
        self._problems: list[Problem] = []
        self._news: list[str] = []

    @property
    def was_stopped(self) -> bool:
        """Whether somebody wants nothing more to be begun."""
        return any(each.exit_status is Status.INTERRUPTED for each in self._reports)

    def go_over(self, descriptor: Path) -> None:
        """Refresh what ``descriptor`` describes; again, if somebody asked for that meanwhile.

        One for which no time is left is incomplete: it must not fall silent because of another.
        """
        try:
            if late := self._late():
                raise late
            with take_turn(self._state, descriptor) as turn, ending_after(self._left()):
                self._wait(descriptor)
                self._refresh(descriptor)
                while not (self.was_stopped or self._late()) and turn.wanted_again():
                    self._log.line("once more: somebody asked for it meanwhile")
                    self._refresh(descriptor)
        except _TROUBLE as error:
            self._take(self._failed(descriptor, error), datetime.now(UTC))

    def result(self) -> Refreshed:
        """What came of all of it."""
        if self._log.problem:
            self.findings.append(Finding(Severity.WARNING, f"no log: {self._log.problem}"))
        self.findings += (Finding(Severity.WARNING, note) for note in self._history.notes)
        for finding in self.findings:
            self._log.line(_as_line(finding))
        report = Report("refresh", tuple(self._reports), tuple(self.findings))
        return Refreshed(report, tuple(self._problems), tuple(self._news), self._log.path)

    def _left(self) -> float | None:
        deadline = self._options.deadline
        return None if deadline is None else deadline - (time.monotonic() - self._began)

    def _late(self) -> OutOfTimeError | None:
        left = self._left()
        is_late = left is not None and left <= 0
        return OutOfTimeError(self._options.deadline or 0) if is_late else None

    def _wait(self, descriptor: Path) -> None:
        """Hosts that are triggered at the same minute come one after the other."""
        if not self._waited and self._options.splay:
            # A host that is to wait longer than it may take would never come to work.
            left = self._left()
            longest = self._options.splay if left is None else min(self._options.splay, left / 2)
            seconds = splay(longest, socket.gethostname(), str(descriptor.absolute()))
            self._log.line(f"waits {seconds:.0f} s, so that not all hosts come at once")
            time.sleep(max(seconds, 0))
        self._waited = True

    def _refresh(self, descriptor: Path) -> None:
        started, notify = datetime.now(UTC), None
        begin(self._history, "refresh", descriptor, started)
        with open_cache(self._state) as cache:
            work = Work(self._options, self._history, cache, self._monitor, self._late)
            try:
                planned = work.plans(descriptor)
                notify = planned[0].release.notify
                self.planned += planned
                if not any(each.last_success for each in self._known(descriptor)):
                    self._history.note(_told("news", descriptor), _NOTHING)
                self.findings += tell(notify, Occasion.START, {}, str(descriptor), os.environ)
                reports = work.refresh(planned)
            except _TROUBLE as error:
                reports = self._failed(descriptor, error)
                notify = notify or _notify_of(descriptor)
        self.findings += (Finding(Severity.WARNING, note) for note in cache.notes)
        problems = self._take(reports, started)
        if notify is not None:
            try:
                self._tell(descriptor, notify, reports, problems)
            except OutOfTimeError:  # what was done stays done
                self.findings.append(Finding(Severity.WARNING, "no time was left to tell others"))

    def _take(self, reports: Sequence[ReleaseReport], started: datetime) -> list[Problem]:
        """Record and log ``reports``; returns those that a person should look at."""
        problems = []
        for report in reports:
            before = self._before(report)
            if report.exit_status is not Status.BUSY:  # it tells nothing of the release
                self._history.record(recorded("refresh", report, started), accepted(report))
            self._reports.append(report)
            self._log_report(report)
            found = decisive(report)
            quiet = is_quiet(report, before, datetime.now(UTC), self._options.max_age)
            if not quiet and (not (found and found[1].news) or self._unsaid(report, [found[1]])):
                problems.append(Problem(report, before))
            if not report.exit_status:
                once = [each for step in report.steps for each in step.findings if each.news]
                name = f"{report.product} {report.version} {report.arch}"
                self._news += (f"{name}: {message}" for message in self._unsaid(report, once))
        self._problems += problems
        return problems

    def _unsaid(self, report: ReleaseReport, once: Sequence[Finding]) -> list[str]:
        """Of ``once``, which are to be said once, what was not said the last time."""
        what = "problem" if report.exit_status else "said"
        key = f"{what} of {key_of(report.descriptor)} {report.arch}"
        said = self._history.noted(key).split("\n")
        messages = {printable(each.message): each.message for each in once}
        if messages:
            self._history.note(key, "\n".join(messages))
        return [message for line, message in messages.items() if line not in said]

    def _before(self, report: ReleaseReport) -> ReleaseState | None:
        """How the release stood before; where it has no name yet, the worst of those planned."""
        if not report.arch:
            planned = self._planned(report.descriptor)
            return min(planned, key=lambda each: each.last_success or _LONG_AGO, default=None)
        known = self._known(report.descriptor)
        return next((each for each in known if each.arch == report.arch), None)

    def _known(self, descriptor: Path | str) -> list[ReleaseState]:
        path = key_of(str(descriptor))
        return [each for each in self._history.releases() if each.descriptor == path and each.arch]

    def _planned(self, descriptor: Path | str) -> list[ReleaseState]:
        """The releases that the last plan for ``descriptor`` was of."""
        known = self._known(descriptor)
        newest = max(map(_began, known), default=None)
        return [each for each in known if _began(each) == newest]

    def _failed(self, descriptor: Path, error: _Trouble) -> tuple[ReleaseReport, ...]:
        """The reports of a descriptor of which not even a plan could be made.

        What may pass by itself befell the releases that it is known for.
        """
        step, path = failed_step("plan", error), str(descriptor)
        known = self._planned(descriptor) if step.outcome is Outcome.INCOMPLETE else []
        names = [(each.product, each.version, each.arch) for each in known] or [("", "", "")]
        return tuple(ReleaseReport(path, *name, "", (step,)) for name in names)

    def _log_report(self, report: ReleaseReport) -> None:
        name = " ".join(filter(None, (report.product, report.version, report.arch)))
        for step in report.steps:
            summary = "; ".join(step.summary.splitlines())
            self._log.line(f"{name}: {step.step} {step.outcome}, {step.seconds:.1f} s: {summary}")
            for finding in step.findings:
                self._log.line(f"{name}: {_as_line(finding)}")
        found = decisive(report)
        end = f"{found[0]}: {found[1].message}" if found else _summary(report)
        self._log.headline(f"{name or report.descriptor}: {end}", failed=bool(report.exit_status))

    def _tell(
        self,
        descriptor: Path,
        notify: Notify,
        reports: Sequence[ReleaseReport],
        problems: Sequence[Problem],
    ) -> None:
        failed = any(report.exit_status for report in reports)
        if failed and not problems:
            return  # it may soon be well by itself
        key, news_key = _told("failure", descriptor), _told("news", descriptor)
        # What a run that was killed has brought, it had not told.
        there, before = " ".join(map(fingerprint, reports)), self._history.noted(news_key)
        occasion = occasion_of(
            failed=failed,
            changed=any(map(_changed, reports)) or before not in {"", there},
            failure_was_told=bool(self._history.noted(key)),
        )
        if failed:
            self._history.note(key, "yes")
        text = "\n\n".join(refresh_words(each, self._log.path) for each in problems)
        text = text or "\n".join(
            f"{each.product} {each.version} {each.arch}: {_summary(each)}" for each in reports
        )
        report = Report("refresh", tuple(reports))
        self.findings += tell(notify, occasion, document(report), text, os.environ)
        if not failed:
            self._history.note(key, "")
            self._history.note(news_key, there)


def _notify_of(descriptor: Path) -> Notify | None:
    """Who is told of a descriptor that can be read though no plan can be made of it now."""
    with contextlib.suppress(ReleaseBuilderError, OSError):
        return load(descriptor).notify
    return None


def _told(what: str, descriptor: Path) -> str:
    return f"told {what} {key_of(str(descriptor))}"


def _began(state: ReleaseState) -> datetime:
    return state.last_run.started if state.last_run else _LONG_AGO


def _as_line(finding: Finding) -> str:
    words = f"{finding.severity}: {finding.message}"
    return "; ".join((words + (f" ({finding.hint})" if finding.hint else "")).splitlines())


def _changed(report: ReleaseReport) -> bool:
    return any(step.outcome is Outcome.DONE for step in report.steps)


def _summary(report: ReleaseReport) -> str:
    if not _changed(report):
        return "nothing to do"
    facts = {name: text for step in report.steps for name, text in step.facts.items()}
    return f"done: {facts['image']}" if "image" in facts else "done"
