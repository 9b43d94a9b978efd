"""A history to show: releases that stand in every way there is, and one with odd names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from page_samples import EVIL

from release_builder.state.history import RecordedRun, RecordedStep, ReleaseState

NOW: Final = datetime(2014, 2, 20, 3, 30, tzinfo=UTC)
MIB: Final = 1 << 20
FOLDER: Final = "/etc/release-builder/releases.d"


def run(
    name: str,
    arch: str,
    hours_ago: float,
    *,
    seconds: float = 4.0,
    status: int = 0,
    changed: bool = False,
    received: int = 0,
    image_size: int = 694 * MIB,
    problem: str = "",
    hint: str = "",
) -> RecordedRun:
    return RecordedRun(
        command="refresh",
        descriptor=f"{FOLDER}/{name}.yaml",
        product=name.partition("-")[0],
        version="9.0beta3",
        arch=arch,
        started=NOW - timedelta(hours=hours_ago),
        seconds=seconds,
        status=status,
        image=f"/var/lib/{name}/{arch}/image/{name}-9.0beta3-{arch}.iso" if image_size else "",
        image_size=image_size,
        changed=changed,
        steps=(
            RecordedStep("sync", "done", seconds / 2, {"bytes_fetched": received}),
            RecordedStep("assemble", "failed" if status else "done", seconds / 2),
        ),
        problem=problem,
        hint=hint,
    )


def state(last: RecordedRun, success: RecordedRun | None, **more: datetime | None) -> ReleaseState:
    """How the release of ``last`` stands."""
    return ReleaseState(
        descriptor=last.descriptor,
        product=last.product,
        arch=last.arch,
        version=last.version,
        last_run=last,
        last_success=success.ended if success else None,
        last_change=more.get("last_change"),
        failing_since=more.get("failing_since"),
        failures=0,
        runs=1,
        image=success.image if success else "",
        image_size=success.image_size if success else 0,
    )


def _nights(name: str, arch: str, nights: int, first: float) -> list[RecordedRun]:
    """A run each night, the newest first; each seventh brings something new."""
    return [
        run(
            name,
            arch,
            first + 24 * night,
            seconds=640 + 20 * night if night % 7 == 2 else 3 + night % 3,
            changed=night % 7 == 2,
            received=180_000_000 + night if night % 7 == 2 else 0,
            image_size=(694 - night // 7) * MIB,
        )
        for night in range(nights)
    ]


FRESH: Final = _nights("smeserver", "x86_64", 40, 0.5)
FAILED: Final = run(
    "smeserver",
    "i386",
    0.3,
    seconds=95,
    status=3,
    received=12_000_000,
    problem="/var/lib/smeserver/i386/image: No space left on device",
    hint="free some room, or name another folder",
)
BEFORE_IT_FAILED: Final = _nights("smeserver", "i386", 30, 24.4)
STALE: Final = _nights("centos", "x86_64", 12, 80)
NEVER: Final = run(
    "smeserver-old",
    "i386",
    2,
    seconds=30,
    status=1,
    image_size=0,
    problem="rsync://mirror.example/smeserver/: connection refused",
    hint="the same command later may finish; `mirrors probe` looks for another mirror",
)

RUNS: Final = tuple(
    sorted(
        [*FRESH, FAILED, *BEFORE_IT_FAILED, *STALE, NEVER],
        key=lambda each: each.started,
        reverse=True,
    )
)
STATES: Final = (
    state(FRESH[0], FRESH[0], last_change=FRESH[2].ended),
    state(
        FAILED,
        BEFORE_IT_FAILED[0],
        last_change=BEFORE_IT_FAILED[2].ended,
        failing_since=FAILED.started,
    ),
    state(STALE[0], STALE[0], last_change=STALE[2].ended),
    state(NEVER, None, failing_since=NEVER.started),
)

_ODD: Final = RecordedRun(
    command="refresh",
    descriptor=f"/etc/{EVIL}.yaml",
    product=EVIL,
    version=EVIL,
    arch=EVIL,
    started=NOW - timedelta(hours=1),
    status=2,
    image=f"/srv/{EVIL}.iso",
    image_size=1,
    problem=EVIL * 20,
    hint=EVIL,
)
ODD_RUNS: Final = (_ODD,)
ODD_STATES: Final = (state(_ODD, _ODD),)
