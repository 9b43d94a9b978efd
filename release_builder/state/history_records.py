"""What is remembered of runs, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


KILLED: Final = 137  # the status of such a run: what a shell says of one that SIGKILL ended
MAX_AGE: Final = 26 * 3600.0  # seconds that a success of a nightly run may be old
CLOCK_ERROR: Final = timedelta(hours=2)  # that a clock may be set back: more is no correction


class Standing(StrEnum):
    """How a release stands, the best first."""

    FRESH = "fresh"  # the last run was a success
    FAILING = "failing"  # it was none, but the last success is young enough
    STALE = "stale"  # the last success is too old, or in the future
    NEVER = "never"  # there was none


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """What one step of a run did.

    Attributes:
        step: Its name, such as ``sync``.
        outcome: How it ended, as report.Outcome says it.
        seconds: How long it took.
        counts: Named numbers, such as ``bytes_fetched``.
        message: Its summary, or what went wrong.
    """

    step: str
    outcome: str
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """One run of a command for one release.

    Attributes:
        id: The run's number in the history, from 1; 0 for one that is not in it yet.
        command: The sub-command, such as ``refresh``.
        descriptor: The absolute path of the release's descriptor.
        product: As the descriptor has it; empty when the descriptor could not be read.
        version: Of the release.
        arch: Of the release; several are parted by comma and space.
        started: When, in UTC.
        seconds: How long it took.
        status: The exit status of this release alone.
        image: The image's path; empty when there is none.
        image_size: Bytes; 0 when there is none.
        changed: Whether it brought something new.
        steps: In their order.
        problem: What decided the status; empty when all went well.
        hint: What to do about it.
    """

    id: int = 0
    command: str
    descriptor: str
    product: str = ""
    version: str = ""
    arch: str = ""
    started: datetime
    seconds: float = 0.0
    status: int = 0
    image: str = ""
    image_size: int = 0
    changed: bool = False
    steps: tuple[RecordedStep, ...] = ()
    problem: str = ""
    hint: str = ""

    @property
    def ended(self) -> datetime:
        """When it ended, in UTC."""
        return self.started + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An image that a run found right, and by whose word.

    Attributes:
        run: The id of the run that was the first to find it so; 0 before it is kept.
        at: When that run ended, in UTC; None before it is kept.
        version: Of the release.
        image: The plain name of the image.
        digests: By algorithm, what it was held against, in hexadecimal.
        told: Algorithms of those digests that came with the release, from template or sums.
        signers: Fingerprints of the keys that signed sums of it, parted by blanks.
        signed: When the last of them signed, by that signer's clock, in seconds since 1970; None:
            nobody did, or in the future.
        workdir: Where the image was found, without links; empty where that is not known.
    """

    run: int = 0
    at: datetime | None = None
    version: str
    image: str
    digests: dict[str, str]
    told: tuple[str, ...] = ()
    signers: str = ""
    signed: int | None = None
    workdir: str = ""

    def is_of_image(self, digests: Mapping[str, str]) -> bool:
        """Whether it has the ``digests``, by algorithm, of an image, as far as both are known."""
        common = self.digests.keys() & digests.keys()
        return bool(common) and all(self.digests[each] == digests[each] for each in common)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUnderWay:
    """A run that began and did not end yet.

    Attributes:
        run: What is known of it so far.
        process: Whose it is, such as ``process 4711 on build1``.
    """

    run: RecordedRun
    process: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseState:
    """How a release stands, by its runs of ``build`` and ``refresh``.

    Runs that met the lock (status 75) tell nothing of a release and do not count. One of which the
    descriptor could not be read is a failure of each release that it was known for.

    Attributes:
        descriptor: The absolute path of its descriptor.
        product: As the descriptor has it; empty when the descriptor could not be read.
        arch: Its arch.
        version: That of the last run.
        last_run: The newest run; None: it never ran, which History.releases() never says.
        last_success: When the newest run that ended well did so; None: never.
        last_change: When the newest run ended well that brought something new; None: never.
        failing_since: When the first run after the last success began that did not end well;
            None: the last run was a success.
        failures: Runs since the last success.
        runs: All runs that are remembered.
        image: The path of the last success's image.
        image_size: Bytes of that image.
    """

    descriptor: str
    product: str
    arch: str
    version: str
    last_run: RecordedRun | None
    last_success: datetime | None
    last_change: datetime | None
    failing_since: datetime | None
    failures: int
    runs: int
    image: str = ""
    image_size: int = 0

    def age(self, now: datetime) -> float | None:
        """Seconds since the last success; None when there was none, or it is in the future.

        A clock that was set back a little gives 0.
        """
        if self.last_success is None or self.last_success > now + CLOCK_ERROR:
            return None
        return max(0.0, (now - self.last_success).total_seconds())

    def standing(self, now: datetime, max_age: float = MAX_AGE) -> Standing:
        """How it stands, where a success older than ``max_age`` seconds does not count."""
        if self.last_success is None:
            return Standing.NEVER
        age = self.age(now)
        if age is None or age > max_age:
            return Standing.STALE
        return Standing.FAILING if self.failing_since else Standing.FRESH
