"""Carry out plans, step by step, and say what came of them."""

from __future__ import annotations

import dataclasses
import importlib
import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from release_builder.errors import (
    LACKS,
    ReleaseBuilderError,
    Status,
    SurroundingsError,
    WrongFileError,
)
from release_builder.report import (
    Finding,
    Outcome,
    ReleaseReport,
    Report,
    Severity,
    StepResult,
    failed_step,
)
from release_builder.state.digest_cache import state_folder
from release_builder.state.lock import hold
from release_builder.steps import Context
from release_builder.transport.local import open_mirror

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from release_builder.jigdo.sources import DigestCache
    from release_builder.monitor import Monitor
    from release_builder.plan import Plan
    from release_builder.transport import Transport

_READING: Final = frozenset({"verify"})  # steps that change nothing need no lock
_JOINT: Final = frozenset({"publish", "promote", "rollback"})  # done once for all arches


def carry_out(command: str, plans: Sequence[Plan], cache: DigestCache, monitor: Monitor) -> Report:
    """Carry out ``plans`` one after the other; a release that fails does not stop the next.

    Args:
        command: What the user typed, for the report.
        plans: One for each release.
        cache: Digests known from before.
        monitor: Hears how far it is.
    """
    releases = []
    for plan in plans:
        releases.append(_carry_out_one(plan, cache, monitor))
        if Report(command, tuple(releases)).exit_status is Status.INTERRUPTED:
            break
    return Report(command, tuple(releases), tuple(sharing(plans)))


def sharing(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Releases that take turns in one tree fetch in each run what the other's run deleted."""
    places: dict[tuple[Path, str], Plan] = {}
    for plan in plans:
        place = (plan.workdir.tree, plan.release.tree)
        other = places.setdefault(place, plan).release
        if other.mirror != plan.release.mirror and "sync" in plan.steps:
            yield Finding(
                Severity.WARNING,
                f"{other.version} and {plan.release.version} share {plan.workdir.root}:"
                " each sync deletes what the other fetched",
                hint="give each a `workdir:` of its own",
            )


def _carry_out_one(plan: Plan, cache: DigestCache, monitor: Monitor) -> ReleaseReport:
    results: list[StepResult] = []
    with ExitStack() as held:
        try:
            for each in plan.each:
                each.workdir.check_folders()
            context = Context(plan, _open_mirror(plan, _locks(plan, held)), cache, monitor)
        except (ReleaseBuilderError, *LACKS) as error:
            results.append(failed_step(plan.steps[0], error))
        else:
            results += _steps(context)
    return release_report(plan, results)


def release_report(plan: Plan, results: Sequence[StepResult]) -> ReleaseReport:
    """What came of ``plan``, whose last steps may not have been reached."""
    done = {result.step for result in results}
    skipped = (
        StepResult(step, Outcome.SKIPPED, "not reached") for step in plan.steps if step not in done
    )
    release = plan.release
    return ReleaseReport(
        descriptor=str(release.descriptor),
        product=release.product,
        version=str(release.version),
        arch=", ".join(each.release.arch for each in plan.each),
        workdir=str(plan.workdir.root),
        steps=(*results, *skipped),
    )


def _locks(plan: Plan, held: ExitStack) -> tuple[int, ...]:
    """Take the workdirs' locks; a program that inherits them keeps them, should we be killed."""
    if plan.options.dry_run or _READING.issuperset(plan.steps):
        return ()
    workdirs = dict.fromkeys(each.workdir for each in plan.each)
    for workdir in workdirs:
        workdir.root.mkdir(parents=True, exist_ok=True)
    locks = (
        # The state folder's own lock is the history's.
        held.enter_context(hold(each.lock, with_folder=not _is_state(each.root)))
        for each in workdirs
    )
    return tuple(lock.fileno() for lock in locks)


def _is_state(folder: Path) -> bool:
    try:
        return folder.samefile(state_folder(os.environ))
    except (SurroundingsError, OSError):
        return False


def _open_mirror(plan: Plan, descriptors: Sequence[int]) -> Transport | None:
    if plan.options.offline or "sync" not in plan.steps:
        return None
    return open_mirror(plan.release.mirror.source, descriptors)


def _turns(context: Context) -> Iterator[tuple[str, Context]]:
    """Each step with what it works with: once, or for each arch."""
    for step in context.plan.steps:
        plans = (context.plan,) if step in _JOINT else context.plan.each
        for plan in plans:
            yield step, dataclasses.replace(context, plan=plan)


def _steps(context: Context) -> Iterator[StepResult]:
    """Run the steps in order; end with the first that does not come to a good end."""
    changed = False
    for step, own in _turns(context):
        result = _timed(step, own)
        if result.suspects and own.transport is not None:
            mended = _timed("sync", dataclasses.replace(own, suspects=result.suspects))
            yield mended
            if mended.outcome is Outcome.DONE:
                result = _timed(step, own)
        if changed and result.outcome is Outcome.UNCHANGED and step == "verify":
            # That nothing had to be read again does not mean that nothing is new.
            result = dataclasses.replace(result, outcome=Outcome.DONE)
        changed = changed or result.outcome is Outcome.DONE
        yield result
        if result.outcome in {Outcome.FAILED, Outcome.INCOMPLETE}:
            return


def _timed(step: str, context: Context) -> StepResult:
    started, computed = time.monotonic(), context.cache.computed
    try:
        context.monitor.detail(f"step {step}")
        # A step is read when it is its turn: only few releases need urllib3.
        result: StepResult = importlib.import_module(f"release_builder.steps.{step}").run(context)
    except (ReleaseBuilderError, KeyboardInterrupt, *LACKS) as error:
        result = failed_step(step, error)
        if isinstance(error, WrongFileError):
            suspect = str(error.path.relative_to(context.plan.workdir.tree))
            result = dataclasses.replace(result, suspects=(suspect,))
    counts = dict(result.counts)
    if computed := context.cache.computed - computed:
        counts["digests_computed"] = computed
    seconds = round(time.monotonic() - started, 3)
    return dataclasses.replace(result, seconds=seconds, counts=counts)
