"""The status page: how releases stand, how long runs took, what went wrong and what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from release_builder.pages.charts import MOST_LINES, Line, Unit, chart
from release_builder.pages.texts import moment, page, size
from release_builder.spans import span

if TYPE_CHECKING:
    from collections.abc import Callable

DURATIONS: Final = "durations.svg"
SIZES: Final = "sizes.svg"

_SCHEMA: Final = 1
_FAILURES: Final = 10
_RUNS: Final = 10
_POINTS: Final = 60  # of a line
_STANDINGS: Final = ("fresh", "failing", "stale", "never")
_RESULTS: Final = {1: "incomplete", 2: "wrong", 3: "stopped", 130: "interrupted", 137: "killed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run that has ended.

    Attributes:
        release: The ``name`` of its release.
        version: That it was about.
        started: When; with its zone.
        seconds: How long it took.
        status: Its exit status.
        changed: Whether it brought something new.
        received: Bytes from mirrors.
        image_size: In bytes; 0 if there was no image.
        step: Where it failed; empty if it did not.
        problem: What went wrong; empty if nothing did.
        hint: What to do about it; empty if nobody knows.
    """

    release: str
    version: str
    started: datetime
    seconds: float
    status: int
    changed: bool
    received: int
    image_size: int
    step: str
    problem: str
    hint: str

    @property
    def result(self) -> str:
        """The status in words."""
        if self.status:
            return _RESULTS.get(self.status, f"status {self.status}")
        return "new image" if self.changed else "no change"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRelease:
    """A release that is kept fresh.

    Attributes:
        name: Tells it from the others of the page, such as ``smeserver x86_64``.
        descriptor: The path of its descriptor.
        product: Such as ``smeserver``.
        arch: Such as ``x86_64``.
        version: Of the last run.
        standing: ``fresh``; ``failing``: the last run did; ``stale``: the last success is too
            long ago; ``never``: there was none.
        last_run: When the last run began; with its zone; None for never.
        last_success: When the last run that went well ended; None for never.
        last_change: When the last run ended that brought something new; None for never.
        failing_since: When the first of the runs began that failed since; None if the last went
            well.
        image: The path of the image; empty for none.
        image_link: The way from the page to the image, not percent-encoded; empty for none.
        image_size: In bytes.
    """

    name: str
    descriptor: str
    product: str
    arch: str
    version: str
    standing: str
    last_run: datetime | None
    last_success: datetime | None
    last_change: datetime | None
    failing_since: datetime | None
    image: str
    image_link: str
    image_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """How all releases of a machine stand.

    Attributes:
        host: The machine.
        generated: When; with its zone.
        max_age: Seconds after its last success until a release is stale.
        releases: In the order to be shown.
        runs: Of them, newest first.
    """

    host: str
    generated: datetime
    max_age: float
    releases: tuple[WatchedRelease, ...]
    runs: tuple[PastRun, ...]

    def is_overdue(self, release: WatchedRelease) -> bool:
        """Whether the last success of ``release`` is too long ago, or there was none."""
        until = self.fresh_until(release)
        return until is None or until < self.generated

    def fresh_until(self, release: WatchedRelease) -> datetime | None:
        """When ``release`` becomes stale; None if it never was fresh."""
        if release.last_success is None:
            return None
        return release.last_success + timedelta(seconds=self.max_age)

    def counts(self) -> dict[str, int]:
        """How many releases stand how, those first that need nobody."""
        standings = [release.standing for release in self.releases]
        return {each: standings.count(each) for each in _STANDINGS if each in standings}


@dataclass(frozen=True, slots=True)
class _Chart:
    """A chart of the page."""

    title: str
    unit: Unit
    lines: tuple[Line, ...]
    words: Callable[[float], str]

    @property
    def description(self) -> str:
        """What a reader is told who cannot see it."""

        def counted(runs: int) -> str:
            return f"{runs} {'run' if runs == 1 else 'runs'}"

        return "; ".join(
            f"{line.name}: {counted(len(line.points))}, the newest {self.words(line.points[0][1])}, "
            f"the most {self.words(max(value for _, value in line.points))}"
            for line in self.lines
        )


def status_page(status: StatusPage) -> str:
    """The text of ``index.html``; shows the pictures of ``status_charts`` that there are."""
    return page(
        "status/index.html.j2",
        status=status,
        charts=_charts(status),
        failures=[run for run in status.runs if run.status][:_FAILURES],
        runs=status.runs[:_RUNS],
        span=span,
        ago=lambda time: span((status.generated - time).total_seconds()),
        minute=_minute,
    )


def status_charts(status: StatusPage) -> dict[str, str]:
    """The text of each SVG file, by its name; none where there is nothing to draw."""
    return {
        name: chart(each.title, each.description, each.lines, each.unit)
        for name, each in _charts(status).items()
    }


def status_json(status: StatusPage) -> str:
    """The text of ``status.json``; ``data/status-page.schema.json`` describes it."""
    last = {run.release: run for run in reversed(status.runs)}
    document = {
        "schema": _SCHEMA,
        "host": status.host,
        "generated": moment(status.generated),
        "max_age": status.max_age,
        "releases": [
            {
                "name": release.name,
                "descriptor": release.descriptor,
                "product": release.product,
                "arch": release.arch,
                "version": release.version,
                "state": release.standing,
                "last_run": _moment(release.last_run),
                "last_success": _moment(release.last_success),
                "last_change": _moment(release.last_change),
                "failing_since": _moment(release.failing_since),
                "fresh_until": _moment(status.fresh_until(release)),
                "image": release.image,
                "image_size": release.image_size,
                "problem": last[release.name].problem if release.name in last else "",
                "hint": last[release.name].hint if release.name in last else "",
            }
            for release in status.releases
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _charts(status: StatusPage) -> dict[str, _Chart]:
    drawn = {
        DURATIONS: _Chart(
            "How long runs took",
            Unit.SECONDS,
            _lines(status, lambda run: run.seconds),
            span,
        ),
        SIZES: _Chart(
            "How large images became",
            Unit.BYTES,
            _lines(status, lambda run: run.image_size),
            lambda value: size(int(value)),
        ),
    }
    return {name: each for name, each in drawn.items() if each.lines}


def _lines(status: StatusPage, value: Callable[[PastRun], float]) -> tuple[Line, ...]:
    """A line for each of the releases that ran last; only runs that went well mean something."""
    good = [run for run in status.runs if not run.status and value(run)]
    names = list(dict.fromkeys(run.release for run in good))[:MOST_LINES]
    points = {name: [run for run in good if run.release == name][:_POINTS] for name in names}
    return tuple(
        Line(name, tuple((run.started, value(run)) for run in points[name]))
        for name in sorted(names)
    )


def _moment(time: datetime | None) -> str | None:
    return None if time is None else moment(time)


def _minute(time: datetime) -> str:
    """``time`` as people of all countries read it, such as ``2014-02-01 09:30``."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"
