"""Whether the keys that releases trust are there, are the ones that were meant, and still sign."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from release_builder.doctor.checkup import Check, Mark
from release_builder.errors import ReleaseBuilderError, Status, printable
from release_builder.trust.ending import PROLONG, ending_soon
from release_builder.trust.gpg import Keyring

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from release_builder.descriptor.release import Release
    from release_builder.descriptor.trusting import Trust

_TOPIC: Final = "descriptors"
_NEW: Final = "get it anew from its owner, who may have prolonged it"


def check_keys(releases: Sequence[Release], now: datetime) -> Iterator[Check]:
    """Look at each file of keys that ``releases`` name.

    Args:
        releases: Those in question.
        now: The time, with a zone.
    """
    found = {(file, each.trust): None for each in releases for file in each.trust.files}
    for file, trust in found:
        needed_by = ("build", "refresh") if file in trust.sums else ("compose",)
        yield from _check(file, trust, now, needed_by)


def _check(file: Path, trust: Trust, now: datetime, needed_by: tuple[str, ...]) -> Iterator[Check]:
    name = printable(file.name)
    if not file.is_file():
        says = f"there is no file {printable(str(file))}"
        mend = "export the key into it, or correct `trust:` or `keys:`"
        yield Check(_TOPIC, name, Mark.MISSING, says, mend, needed_by, Status.WRONG)
        return
    if shutil.which("gpg") is None:  # of which the programs tell
        return
    try:
        with Keyring([file], trust.fingerprints) as keyring:
            keys = keyring.keys
    except ReleaseBuilderError as error:
        yield Check(_TOPIC, name, Mark.MISSING, error.what, error.hint, needed_by, error.status)
        return
    for key in keys:
        if not key.signs:
            why = key.expired if key.validity == "e" else "signs no longer"
            yield Check(_TOPIC, name, Mark.WARNING, f"the key of {key.signer} {why}", _NEW)
    for says in ending_soon(keys, now.timestamp()):
        yield Check(_TOPIC, name, Mark.WARNING, says, PROLONG)
    yield Check(_TOPIC, name, Mark.OK, ", ".join(str(key.signer) for key in keys))
