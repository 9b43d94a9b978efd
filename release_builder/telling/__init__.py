"""Telling others how a refresh went; whoever cannot be told is a warning, never the run's fault."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from release_builder.descriptor.refreshing import When
from release_builder.errors import LACKS, ReleaseBuilderError
from release_builder.report import Finding, Severity, finding_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from release_builder.descriptor.refreshing import Notify
    from release_builder.state.history import RecordedRun


class Occasion(StrEnum):
    """Why others are told."""

    START = "start"
    SUCCESS = "success"  # all was well, and nothing is new
    CHANGE = "change"  # all went well, and something is new
    FAILURE = "failure"
    RECOVERY = "recovery"  # the first that went well after a failure that was told


_WANTED: Final = {
    When.FAILURE: {Occasion.FAILURE, Occasion.RECOVERY},
    When.CHANGE: {Occasion.FAILURE, Occasion.RECOVERY, Occasion.CHANGE},
    When.ALWAYS: {Occasion.FAILURE, Occasion.RECOVERY, Occasion.CHANGE, Occasion.SUCCESS},
}


def occasion_of(*, failed: bool, changed: bool, failure_was_told: bool) -> Occasion:
    """Why others are told of a run that has ended.

    Args:
        failed: Whether a person should look at it.
        changed: Whether it brought something new.
        failure_was_told: Whether the last that others heard of the release was a failure. The
            caller remembers it from run to run, so that a recovery is told once.
    """
    if failed:
        return Occasion.FAILURE
    if failure_was_told:
        return Occasion.RECOVERY
    return Occasion.CHANGE if changed else Occasion.SUCCESS


def tell(
    notify: Notify,
    occasion: Occasion,
    document: Mapping[str, Any],
    text: str,
    environ: Mapping[str, str],
) -> tuple[Finding, ...]:
    """Tell everybody whom ``notify`` names of ``occasion``; it takes three minutes at most.

    Args:
        notify: Who is told, and when.
        occasion: A start is told to ``ping`` only.
        document: The report, as ``--json`` prints it; of a start nothing is read.
        text: The same for a person, short.
        environ: Of the user; names proxies and certificates.

    Returns:
        A warning for each who could not be told.
    """
    told: list[Callable[[], None]] = []
    # What is not wanted is not imported: most refreshes tell nobody.
    if notify.ping:
        from release_builder.telling.ping import ping  # noqa: PLC0415

        url = notify.ping
        told.append(lambda: ping(url, occasion, text, environ))
    wanted = occasion in _WANTED[notify.when]
    if notify.command and wanted:
        from release_builder.telling.hook import run_hook  # noqa: PLC0415

        command = notify.command
        told.append(lambda: run_hook(command, occasion, document))
    if notify.mail and wanted:
        from release_builder.telling.mail import send_mail  # noqa: PLC0415

        address = notify.mail
        told.append(lambda: send_mail(address, occasion, document, text))
    return tuple(finding for each in told for finding in warned(each))


def received(run: RecordedRun) -> int:
    """Bytes that ``run`` got from mirrors."""
    return sum(step.counts.get("bytes_fetched", 0) for step in run.steps)


def warned(what: Callable[[], None]) -> tuple[Finding, ...]:
    """Do ``what``; if that fails, a warning says so."""
    try:
        what()
    except (ReleaseBuilderError, *LACKS) as error:
        finding = finding_of(error)
        return (Finding(Severity.WARNING, finding.message, finding.hint),)
    return ()
