"""What is done for the releases of one descriptor: build, publish what is new, clear away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from release_builder import runner
from release_builder.api.releases import plans
from release_builder.api.tracking import Fate, told, whereabouts_of
from release_builder.errors import Status
from release_builder.plan import BUILD, together
from release_builder.report import (
    Finding,
    Outcome,
    ReleaseReport,
    Severity,
    StepResult,
    failed_step,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from release_builder.api.refreshes import RefreshOptions
    from release_builder.api.tracking import Whereabouts
    from release_builder.errors import OutOfTimeError
    from release_builder.jigdo.sources import DigestCache
    from release_builder.monitor import Monitor
    from release_builder.plan import Plan
    from release_builder.state.history import History

_FETCHING: Final = frozenset({"sync", "fetch"})
_GOOD: Final = frozenset({Outcome.DONE, Outcome.UNCHANGED})
_DIGESTS: Final = ("md5", "sha256")


@dataclass(frozen=True, slots=True)
class Work:
    """What the work is done with.

    Attributes:
        options: How.
        history: What was done before.
        cache: Digests known from before.
        monitor: Hears how far it is.
        late: What ends all work when its time has passed; None before.
    """

    options: RefreshOptions
    history: History
    cache: DigestCache
    monitor: Monitor
    late: Callable[[], OutOfTimeError | None]

    def plans(self, descriptor: Path) -> tuple[Plan, ...]:
        """How the releases of ``descriptor`` are brought up to date.

        Raises:
            ReleaseBuilderError: No plan can be made.
        """
        return plans([descriptor], self.options.plan, BUILD, self.options.mirror)

    def refresh(self, planned: Sequence[Plan]) -> tuple[ReleaseReport, ...]:
        """Bring the releases of a descriptor up to date, and what was made of them."""
        reports = list(self._all_built(planned))
        if all(map(_is_built, reports)):
            published = self._published(planned, reports)
            reports = [replace(each, steps=(*each.steps, *published)) for each in reports]
        cleared = map(self._cleared, planned, reports)
        return told(cleared, [plan.release for plan in planned], self.history)

    def _carry_out(self, plan: Plan) -> ReleaseReport:
        return runner.carry_out("refresh", [plan], self.cache, self.monitor).releases[0]

    def _all_built(self, planned: Sequence[Plan]) -> Iterator[ReleaseReport]:
        for plan in planned:
            # The alarm rings once: it may have ended the release before this one.
            late = self.late()
            report = _not_begun(plan, late) if late else self._built(plan)
            yield report
            if report.exit_status is Status.INTERRUPTED:
                return

    def _built(self, plan: Plan) -> ReleaseReport:
        report = self._carry_out(plan)
        failed = next((step for step in report.steps if step.outcome is Outcome.FAILED), None)
        if failed is None or failed.step not in _FETCHING or report.exit_status is not Status.WRONG:
            return report
        found = whereabouts_of(plan.release)
        if found is None or found.fate is Fate.THERE:  # it failed for another reason
            return report
        return _without_its_folder(report, failed, found)

    def _published(
        self, planned: Sequence[Plan], reports: Sequence[ReleaseReport]
    ) -> tuple[StepResult, ...]:
        """What ``publish`` did; nothing if there is nothing new to it."""
        if all(plan.release.publish is None for plan in planned):
            return ()
        key = f"published {planned[0].release.descriptor.absolute()}"
        places = (str(plan.release.publish) for plan in planned)
        what = " ".join((*places, *(fingerprint(report) for report in reports)))
        changed = any(step.outcome is Outcome.DONE for report in reports for step in report.steps)
        if not changed and self.history.noted(key) == what:
            return ()
        publishing = together([replace(plan, steps=("publish",)) for plan in planned])
        results = tuple(step for plan in publishing for step in self._carry_out(plan).steps)
        good = all(step.outcome in _GOOD for step in results)
        self.history.note(key, what if good else "")
        return results

    def _cleared(self, plan: Plan, report: ReleaseReport) -> ReleaseReport:
        """``report`` with what retention removed, which it does after good runs only."""
        if report.exit_status is not Status.DONE:
            return report
        cleared = self._carry_out(replace(plan, steps=("retain",)))
        return replace(report, steps=(*report.steps, *cleared.steps))


def _is_built(report: ReleaseReport) -> bool:
    """Whether all steps were done, none was left out: what moved on the mirror is not built."""
    return report.exit_status is Status.DONE and report.steps[-1].outcome in _GOOD


def _not_begun(plan: Plan, late: OutOfTimeError) -> ReleaseReport:
    release = plan.release
    return ReleaseReport(
        descriptor=str(release.descriptor),
        product=release.product,
        version=str(release.version),
        arch=release.arch,
        workdir=str(plan.workdir.root),
        steps=(failed_step(plan.steps[0], late),),
    )


def fingerprint(report: ReleaseReport) -> str:
    """What the image is, as ``verify`` found it."""
    facts = {name: text for step in report.steps for name, text in step.facts.items()}
    return " ".join((report.version, *(facts[each] for each in _DIGESTS if each in facts)))


def _without_its_folder(
    report: ReleaseReport, failed: StepResult, found: Whereabouts
) -> ReleaseReport:
    """``report`` of a release that is where it was no longer: no error that comes every night."""
    moved = found.fate is not Fate.GONE  # which a broken mirror says as well
    told = StepResult(
        failed.step,
        Outcome.UNCHANGED if moved else Outcome.INCOMPLETE,
        found.message,
        failed.seconds,
        findings=(
            Finding(
                Severity.WARNING if moved else Severity.INCOMPLETE,
                found.message,
                hint=found.hint,
                news=True,
            ),
        ),
    )
    kept = tuple(told if step is failed else step for step in report.steps)
    return replace(report, steps=kept)
