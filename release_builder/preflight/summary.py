"""Many failures in few words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from release_builder.report import Finding, Severity
from release_builder.transport.http import Answer
from release_builder.transport.http.server import PASSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NAMED: Final = 10
_ORDER: Final = (Severity.WRONG, Severity.INCOMPLETE)
_LATER: Final = PASSING | {Answer.NO_TIME}


def severity_of(answers: Iterable[Answer]) -> Severity:
    """How much it matters that all who were asked for a part answered so: may it come later?"""
    return Severity.INCOMPLETE if _LATER.intersection(answers) else Severity.WRONG


def summed_up(
    failures: Sequence[tuple[Severity, str]], hints: dict[Severity, str]
) -> tuple[Finding, ...]:
    """The first 10 failures of each severity, how many more there are, and what to do.

    Args:
        failures: How much each matters, and which part failed where and how.
        hints: By severity; told once, with the last finding.
    """
    findings: list[Finding] = []
    for severity in _ORDER:
        messages = [message for each, message in failures if each is severity]
        if not messages:
            continue
        findings += (Finding(severity, message) for message in messages[:_NAMED])
        if len(messages) > _NAMED:
            findings.append(Finding(severity, f"and {len(messages) - _NAMED:,} more"))
        findings[-1] = replace(findings[-1], hint=hints.get(severity, ""))
    return tuple(findings)
