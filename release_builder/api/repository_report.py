"""What is told of a run on an image repository: a report as other commands give it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import LACKS, ReleaseBuilderError
from release_builder.public.trees import make_folders
from release_builder.report import ReleaseReport, Report, StepResult, failed_step
from release_builder.state.lock import hold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MIRROR: Final = "or name another MIRROR_DIR"


def about(mirror: Path, source: Path | None = None, dists: Sequence[str] = ()) -> ReleaseReport:
    """What a report is about.

    Args:
        mirror: The repository.
        source: Where its images come from.
        dists: The distributions in it, where that is known.
    """
    return ReleaseReport(
        descriptor=str(source or mirror),
        product="images",
        version=", ".join(dists),
        arch="",
        workdir=str(mirror),
        steps=(),
    )


def report_of(
    command: str,
    subject: ReleaseReport,
    steps: Mapping[str, Callable[[], StepResult]],
    lock: Path | None = None,
) -> Report:
    """Carry steps out, one after another, until one cannot be done.

    Args:
        command: What the user called.
        subject: What it is about.
        steps: By name.
        lock: Held meanwhile.
    """
    results: list[StepResult] = []
    with contextlib.ExitStack() as held:
        for name, step in steps.items():
            start = time.monotonic()
            try:
                if lock is not None and not results:
                    make_folders(Path(subject.workdir))
                    held.enter_context(hold(lock, with_folder=True, elsewhere=_MIRROR))
                result = step()
            except (ReleaseBuilderError, KeyboardInterrupt, *LACKS) as error:
                results.append(_timed(failed_step(name, error), start))
                break
            results.append(_timed(result, start))
    return Report(command, (replace(subject, steps=tuple(results)),))


def _timed(result: StepResult, start: float) -> StepResult:
    return replace(result, seconds=time.monotonic() - start)
