"""What differs between the releases of Enterprise Linux."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """The packages for one release of Enterprise Linux.

    Attributes:
        dist: The release, as the names of the packages have it: ``el5``.
        arches: What it runs on.
        systemd: It has systemd; the older ones have cron.
        old_signature: Its rpm reads signatures of OpenPGP version 3, RSA with SHA-1, only.
        payload_signed: Its rpm looks at the signature of header and payload together.
    """

    dist: str
    arches: tuple[str, ...]
    systemd: bool = True
    old_signature: bool = False
    payload_signed: bool = False


_BOTH: Final = ("i386", "x86_64")
_KINDS: Final = (
    Kind("el5", _BOTH, systemd=False, old_signature=True, payload_signed=True),
    Kind("el6", _BOTH, systemd=False, payload_signed=True),
    Kind("el7", ("x86_64",), payload_signed=True),
    Kind("el8", ("x86_64",)),
    Kind("el9", ("x86_64",)),
)
KINDS: Final = {kind.dist: kind for kind in _KINDS}
ARCHES: Final = _BOTH
