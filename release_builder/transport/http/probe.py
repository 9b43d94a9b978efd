"""What mirrors are worth: each is asked a few times for the same file, and then they are ranked."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Final

from release_builder.lanes import Lane
from release_builder.transport.http import Answer, HttpError
from release_builder.transport.http.urls import shown, without_user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from release_builder.transport.http import Client

SAMPLE: Final = 1 << 20
"""Bytes of a file that are fetched at most, each time."""
LOAD: Final = 10_000_000
"""Bytes whose time decides between mirrors that are as good otherwise."""

_REQUESTS: Final = 3  # of a mirror: a median of them is not led astray by one
_LONGEST: Final = 5.0  # seconds that the body of one answer is listened to
_ENOUGH: Final = 1 << 14  # bytes, to say anything about speed
_STALE: Final = 6 * 3600.0  # seconds; mirrors that are well kept are brought up to date so often
# After these the next request may go well, and does not take long to fail.
_PASSING: Final = frozenset({Answer.SERVER_ERROR, Answer.BUSY, Answer.CUT_OFF})
# With these nobody can tell whether the certificate would have been trusted.
_UNTOLD: Final = frozenset(
    {Answer.UNREACHABLE, Answer.TIMEOUT, Answer.OUT_OF_REACH, Answer.BAD_URL, Answer.NO_TIME}
)


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """A mirror, and what it is asked for.

    Attributes:
        label: Mirrors with the same label should have the same files.
        url: Its folder, with a slash at the end; a user and password are kept.
        file: URL of the file that is fetched.
        length: Bytes that the file must have, where known.
        marker: URL of the file whose date tells how fresh the mirror is; empty: that of ``file``.
        root: The folder that those of a release lie below, as a descriptor's ``mirror`` is one;
            empty if that is not known.
    """

    label: str
    url: str
    file: str
    length: int | None = None
    marker: str = ""
    root: str = ""


@dataclass(frozen=True, slots=True)
class ProbedMirror:
    """What a mirror is worth; no URL of it has a password.

    Attributes:
        label: See ProbeTarget.
        url: See ProbeTarget.
        root: See ProbeTarget.
        file: What it was asked for.
        answer: RIGHT if it can be used, else what came in the place of the file.
        detail: More words on the last request that failed; printable.
        failed: How many requests failed.
        latency: Seconds until an answer began, a connection made included where that took one;
            None if none began.
        rate: Bytes a second of an answer that had begun; None if too few came to say.
        modified: Date of the marker, in seconds since 1970; None if not told.
        behind: Seconds that its marker is older than the newest of that label; None if not told.
    """

    label: str
    url: str
    root: str
    file: str
    answer: Answer
    detail: str = ""
    failed: int = 0
    latency: float | None = None
    rate: float | None = None
    modified: float | None = None
    behind: float | None = None

    @property
    def usable(self) -> bool:
        """Whether it gave the file at least once."""
        return self.answer is Answer.RIGHT

    @property
    def stale(self) -> bool:
        """Whether it is more than 6 hours behind the newest."""
        return self.behind is not None and self.behind > _STALE

    @property
    def protocol(self) -> str:
        """``http`` or ``https``; whatever else the URL begins with, if it was none."""
        return self.url.partition(":")[0].lower()

    @property
    def trusted(self) -> bool | None:
        """Whether its certificate is to be trusted; None where that was not seen."""
        if self.answer is Answer.TLS:
            return False
        return True if self.protocol == "https" and self.answer not in _UNTOLD else None

    @property
    def seconds(self) -> float | None:
        """What 10 MB would take; None if that cannot be told."""
        if self.latency is None or self.rate is None:
            return None
        return self.latency + LOAD / self.rate


@dataclass(frozen=True, slots=True)
class _Sample:
    latency: float
    rate: float | None
    modified: float | None


def probe(
    client: Client,
    targets: Sequence[ProbeTarget],
    *,
    connections: int,
    clock: Callable[[], float] = time.monotonic,
    on_probed: Callable[[ProbedMirror], object] = lambda _probed: None,
) -> tuple[ProbedMirror, ...]:
    """Ask all mirrors, and rank them.

    A mirror is asked at most 3 times for the file, once more for a marker, and each time at most
    5 seconds are spent on what comes; how long nothing may come is the client's matter.

    Args:
        client: What asks; neither its rate nor its deadline should be narrow.
        targets: What is asked for what.
        connections: How many mirrors are asked at a time. They share this machine's line.
        clock: Seconds that only grow.
        on_probed: Gets each mirror, in the order of ``targets``, in the caller's thread.

    Returns:
        The best first, see ranked.
    """
    stopped, probed = threading.Event(), list[ProbedMirror]()

    def take(each: ProbedMirror) -> None:
        probed.append(each)
        on_probed(each)

    with Lane(connections, ahead=2 * connections, on_result=take) as lane:
        try:
            for target in targets:
                lane.submit(partial(_probe, client, target, clock, stopped))
            lane.finish()
        finally:
            stopped.set()
    return ranked(probed)


def ranked(probed: Iterable[ProbedMirror]) -> tuple[ProbedMirror, ...]:
    """The best first: usable, then fresh, then quick; how far each is behind is told anew."""
    mirrors = tuple(probed)
    newest: dict[str, float] = {}
    for each in mirrors:
        if each.usable and each.modified is not None:
            newest[each.label] = max(each.modified, newest.get(each.label, each.modified))
    return tuple(
        sorted((replace(each, behind=_behind(each, newest)) for each in mirrors), key=_rank)
    )


def best(probed: Iterable[ProbedMirror], label: str, count: int) -> tuple[ProbedMirror, ...]:
    """The ``count`` best usable mirrors of ``label``.

    Args:
        probed: As they are ranked.
        label: Of which there may be none.
        count: Fewer are returned if there are no more.
    """
    return tuple(each for each in probed if each.label == label and each.usable)[:count]


def _behind(mirror: ProbedMirror, newest: dict[str, float]) -> float | None:
    if mirror.modified is None or mirror.label not in newest:
        return None
    return max(0.0, newest[mirror.label] - mirror.modified)


def _rank(mirror: ProbedMirror) -> tuple[bool, bool, bool, float, str]:
    seconds = mirror.latency if mirror.seconds is None else mirror.seconds
    return (
        not mirror.usable,
        mirror.stale,
        mirror.seconds is None,
        float("inf") if seconds is None else seconds,
        mirror.url,
    )


def _probe(
    client: Client, target: ProbeTarget, clock: Callable[[], float], stopped: threading.Event
) -> ProbedMirror:
    samples, errors = list[_Sample](), list[HttpError]()
    while len(samples) + len(errors) < _REQUESTS and not stopped.is_set():
        try:
            samples.append(_sample(client, target, clock))
        except HttpError as error:
            errors.append(error)
            if error.answer not in _PASSING:
                break
    modified = next((each.modified for each in samples if each.modified is not None), None)
    detail = errors[-1].detail if errors else ""
    if samples and target.marker:
        modified, detail = _date_of(client, target.marker, detail)
    rates = [each.rate for each in samples if each.rate is not None]
    return ProbedMirror(
        target.label,
        without_user(target.url),
        without_user(target.root),
        without_user(target.file),
        Answer.RIGHT if samples else errors[-1].answer if errors else Answer.NO_TIME,
        detail,
        len(errors),
        latency=median(each.latency for each in samples) if samples else None,
        rate=median(rates) if rates else None,
        modified=modified,
    )


def _sample(client: Client, target: ProbeTarget, clock: Callable[[], float]) -> _Sample:
    asked = clock()
    with client.get(target.file, expected=target.length) as body:
        began = clock()
        received, whole = 0, True
        for block in body.blocks():
            received += len(block)
            if received >= SAMPLE or clock() - began >= _LONGEST:
                whole = False
                break
        seconds = clock() - began
        known = seconds > 0 and received > 0 and (received >= _ENOUGH or not whole)
        return _Sample(began - asked, received / seconds if known else None, body.modified)


def _date_of(client: Client, marker: str, detail: str) -> tuple[float | None, str]:
    """The date of ``marker``, and ``detail`` with what is to be said of it."""
    try:
        with client.get(marker) as body:
            return body.modified, detail
    except HttpError as error:
        said = f"{shown(marker)}: {error.answer.value}"
        return None, "; ".join(filter(None, (detail, said)))
