"""Who vouched for what runs found right, and whose key soon cannot do so any longer."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.api.known_releases import key_of
from release_builder.descriptor.release import trust_of
from release_builder.digests import LENGTHS
from release_builder.errors import ReleaseBuilderError, printable
from release_builder.loader import load
from release_builder.report import Finding, Outcome, Severity
from release_builder.state.history import Accepted
from release_builder.trust.assurance import Level
from release_builder.trust.ending import PROLONG, ending_soon
from release_builder.trust.gpg import Keyring

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.report import ReleaseReport

_GOOD: Final = frozenset({Outcome.DONE, Outcome.UNCHANGED})


def accepted(report: ReleaseReport) -> Accepted | None:
    """The image that ``report`` tells was found right by the word of others; None: none was."""
    step = next((each for each in reversed(report.steps) if each.step == "verify"), None)
    facts = step.facts if step and step.outcome in _GOOD else {}
    if facts.get("assurance", Level.OWN) == Level.OWN:
        return None
    signed = facts.get("signed")
    return Accepted(
        version=report.version,
        image=Path(facts["image"]).name,
        workdir=key_of(os.path.realpath(Path(facts["image"]).parents[1])),
        digests={name: facts[name] for name in LENGTHS if name in facts},
        told=tuple(facts["told"].split(", ")),
        signers=facts.get("fingerprints", ""),
        signed=int(datetime.fromisoformat(signed).timestamp()) if signed else None,
    )


def ending_keys(path: Path) -> Iterator[Finding]:
    """Warnings of the keys for sums of a descriptor that soon cannot sign any longer.

    Args:
        path: The descriptor; that its keys cannot be read is a warning too.
    """
    name = printable(path.name)
    try:
        trust = trust_of(load(path))
        if not trust.sums:
            return
        with Keyring(trust.sums, trust.fingerprints) as keyring:
            told = list(ending_soon(keyring.keys, time.time()))
    except ReleaseBuilderError as error:
        yield Finding(Severity.WARNING, f"{name}: {error.what}", error.hint)
        return
    for ending in told:
        yield Finding(Severity.WARNING, f"{name}: {ending}", PROLONG)
