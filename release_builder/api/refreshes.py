"""Keep releases fresh, unattended: one run over their descriptors, and what is to be said of it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from release_builder.api.refresh_run import RefreshRun
from release_builder.api.refreshed import Problem, Refreshed
from release_builder.api.telling import write_metrics, write_status_page
from release_builder.courtesy import step_back
from release_builder.errors import (
    DescriptorError,
    ReleaseBuilderError,
    SurroundingsError,
    printable,
)
from release_builder.monitor import Monitor
from release_builder.report import Finding, ReleaseReport, Report, Severity, failed_step
from release_builder.runner import sharing
from release_builder.state.digest_cache import state_folder
from release_builder.state.history import MAX_AGE, open_history
from release_builder.state.run_log import log_file, open_log
from release_builder.telling import warned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from release_builder.plan import Options
    from release_builder.state.history import History

_SUFFIXES: Final = (".yaml", ".yml")
_SHOWN: Final = 500  # runs of the status page
_BUILT: Final = datetime(2026, 1, 1, tzinfo=UTC)  # a clock before that is wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshOptions:
    """How releases are refreshed.

    Attributes:
        plan: What the command line says beside the descriptors.
        mirror: In the place of each descriptor's.
        splay: Seconds over which hosts are spread; 0 begins at once.
        max_age: Seconds that the last success may be old before a failure that may pass is told.
        deadline: Seconds that all may take; None for as long as it needs.
        page: Folder of the status page.
        metrics: File of the metrics.
        courteous: Whether others have processor and disk first.
        scheduler: Of a Dask cluster, such as ``tcp://host:8786``, each of whose machines refreshes
            some of the descriptors, with its own state folder; None: all is done here.
    """

    plan: Options
    mirror: str | None = None
    splay: float = 0.0
    max_age: float = MAX_AGE
    deadline: float | None = None
    page: Path | None = None
    metrics: Path | None = None
    courteous: bool = True
    scheduler: str | None = None


def refresh(paths: Sequence[Path], options: RefreshOptions, monitor: Monitor) -> Refreshed:
    """Refresh the releases of all descriptors; one that fails does not stop the next.

    Args:
        paths: Descriptors, and folders of them.
        options: How.
        monitor: Hears how far it is.

    Raises:
        DescriptorError: A path is not there.
        SurroundingsError: The state folder cannot be used, the clock is wrong, or there is no such
            cluster.
    """
    descriptors = descriptors_in(paths)
    now = datetime.now(UTC)
    if now < _BUILT:
        raise SurroundingsError(
            f"this machine's clock says {now:%Y-%m-%d}: that cannot be", hint="set the clock"
        )
    state = state_folder(os.environ)
    if options.scheduler is not None:
        return _refresh_there(descriptors, options, options.scheduler)
    if options.courteous:
        step_back()
    with ExitStack() as opened:
        log = opened.enter_context(open_log(log_file(state)))
        history = opened.enter_context(open_history(state))
        run = RefreshRun(state, options, history, log, monitor)
        for descriptor in descriptors:
            run.go_over(descriptor)
            if run.was_stopped:
                break
        if not descriptors:
            places = ", ".join(printable(str(path)) for path in paths)
            what = f"{places} has no descriptor in it: nothing is kept fresh"
            run.findings.append(
                Finding(Severity.WARNING, what, "descriptors end in .yaml; or remove the job")
            )
        run.findings += (*sharing(run.planned), *_shown(options, history))
        return run.result()


def _refresh_there(
    descriptors: Sequence[Path], options: RefreshOptions, scheduler: str
) -> Refreshed:
    # An extra: only who has a cluster waits for it.
    from release_builder.api.spread_releases import spread  # noqa: PLC0415

    def failed(number: int, error: ReleaseBuilderError) -> Refreshed:
        path = str(descriptors[number])
        release = ReleaseReport(path, "", "", "", "", (failed_step("plan", error),))
        return Refreshed(Report("refresh", (release,)), (Problem(release, None),), (), None)

    workdir = options.plan.workdir
    plan = replace(options.plan, workdir=workdir and workdir.absolute())
    own = replace(options, plan=plan, splay=0.0, page=None, metrics=None, courteous=False)
    work = [((path.absolute(),), replace(own, scheduler=None), Monitor()) for path in descriptors]
    all_of_them = spread(refresh, work, scheduler, failed)
    with open_history(state_folder(os.environ)) as history:
        shown = tuple(_shown(options, history))
    reports = [each.report for each in all_of_them]
    return Refreshed(
        Report(
            "refresh",
            tuple(release for report in reports for release in report.releases),
            (*(finding for report in reports for finding in report.findings), *shown),
        ),
        tuple(problem for each in all_of_them for problem in each.problems),
        tuple(line for each in all_of_them for line in each.news),
        next((each.log for each in all_of_them if each.log), None),
    )


def _shown(options: RefreshOptions, history: History) -> Iterator[Finding]:
    """Write what others look at; yields why something could not be written."""
    history.prune()
    page, metrics, now = options.page, options.metrics, datetime.now(UTC)
    if metrics is not None:
        yield from warned(lambda: write_metrics(metrics, history.releases()))
    if page is not None:
        states, runs = history.releases(), history.runs(limit=_SHOWN)
        yield from warned(lambda: write_status_page(page, states, runs, now, options.max_age))


def descriptors_in(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The descriptors that ``paths`` name: files, and those of folders by their names' order.

    What begins with a dot in a folder is an editor's.

    Raises:
        DescriptorError: A path is not there.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found |= dict.fromkeys(
                sorted(each for each in path.iterdir() if _is_descriptor(each.name))
            )
        elif path.exists():
            found[path] = None
        else:
            raise DescriptorError(f"there is no {printable(str(path))}", hint="name another file")
    return tuple(found)


def _is_descriptor(name: str) -> bool:
    return name.endswith(_SUFFIXES) and not name.startswith(".")
