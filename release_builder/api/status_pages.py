"""How releases stand, as their history has it, made ready for the status page."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.api.release_names import ReleaseKey, told_apart
from release_builder.errors import Status
from release_builder.pages.status_page import (
    PastRun,
    StatusPage,
    WatchedRelease,
    status_charts,
    status_json,
    status_page,
)
from release_builder.telling import received

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from release_builder.state.history import RecordedRun, ReleaseState

_KINDS: Final = {"build", "refresh"}  # as ReleaseState counts
_WELL: Final = {"done", "unchanged", "skipped"}


def status_files(
    folder: Path,
    states: Sequence[ReleaseState],
    runs: Sequence[RecordedRun],
    now: datetime,
    max_age: float,
) -> dict[str, str]:
    """The texts of the status page's files, by their names; the page, which shows the rest, last.

    Args:
        folder: Where they will lie.
        states: Of all releases.
        runs: Of them, newest first.
        now: With its zone.
        max_age: Seconds after its last success until a release is stale.
    """
    status = _status(folder, states, runs, now, max_age)
    return {
        **status_charts(status),
        "status.json": status_json(status),
        "index.html": status_page(status),
    }


def _status(
    folder: Path,
    states: Sequence[ReleaseState],
    runs: Sequence[RecordedRun],
    now: datetime,
    max_age: float,
) -> StatusPage:
    names = _names(states)
    past = [
        _past(run, names.get(_key(run)) or Path(run.descriptor).stem)
        for run in runs
        if run.descriptor in {state.descriptor for state in states}
        and run.command in _KINDS
        and run.status != Status.BUSY
    ]
    return StatusPage(
        host=socket.gethostname(),
        generated=now,
        max_age=max_age,
        releases=tuple(
            _watched(state, names[_key(state)], folder, now, max_age) for state in states
        ),
        runs=tuple(past),
    )


def _key(of: ReleaseState | RecordedRun) -> ReleaseKey:
    return of.descriptor, of.product, of.arch


def _names(states: Sequence[ReleaseState]) -> dict[ReleaseKey, str]:
    """A short name for each release; where two would be alike, their descriptors tell them apart."""
    short: dict[ReleaseKey, str] = {
        _key(state): f"{state.product} {state.arch}".strip() for state in states
    }
    return {key: f"{short[key]} {which}".strip() for key, which in told_apart(short).items()}


def _watched(
    state: ReleaseState, name: str, folder: Path, now: datetime, max_age: float
) -> WatchedRelease:
    return WatchedRelease(
        name=name,
        descriptor=state.descriptor,
        product=state.product,
        arch=state.arch,
        version=state.version,
        standing=state.standing(now, max_age).value,
        last_run=state.last_run.started if state.last_run else None,
        last_success=state.last_success,
        last_change=state.last_change,
        failing_since=state.failing_since,
        image=state.image,
        image_link=_link(state.image, folder),
        image_size=state.image_size,
    )


def _link(image: str, folder: Path) -> str:
    """The way from the page to ``image``, if whoever serves the page may serve that too."""
    around = folder.absolute().parent
    if not image or around == around.parent or not Path(image).is_relative_to(around):
        return ""
    return os.path.relpath(image, folder.absolute())


def _past(run: RecordedRun, name: str) -> PastRun:
    failed = (step.step for step in run.steps if step.outcome not in _WELL)
    return PastRun(
        release=name,
        version=run.version,
        started=run.started,
        seconds=run.seconds,
        status=run.status,
        changed=run.changed,
        received=received(run),
        image_size=run.image_size,
        step=next(failed, "") if run.status else "",
        problem=run.problem,
        hint=run.hint,
    )
