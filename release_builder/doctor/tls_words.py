"""What a TLS diagnosis means in words, and what a user can do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from release_builder.doctor.tls import Cause
from release_builder.errors import Status

if TYPE_CHECKING:
    from release_builder.doctor.system import System
    from release_builder.doctor.tls import Diagnosis

# What a command ends with; 2 for the rest, of which the descriptor names another server at best.
FAULT_OF: Final = {
    Cause.UNREACHABLE: Status.INCOMPLETE,
    Cause.EXPIRED: Status.INCOMPLETE,
    Cause.AUTHORITY: Status.SURROUNDINGS,
    Cause.SELF_SIGNED: Status.SURROUNDINGS,
    Cause.CLOCK: Status.SURROUNDINGS,
    Cause.SNI: Status.INCOMPLETE,
}
# Digests decide what is right: an open connection spoils nothing.
_OTHER: Final = "use its http:// or rsync:// address, or another mirror: digests are checked anyway"
_WORDS: Final = {
    Cause.UNREACHABLE: "cannot be reached",
    Cause.NO_TLS: "what answers there speaks no TLS",
    Cause.WEAK: "its keys or ciphers are too weak",
    Cause.AUTHORITY: "nobody that is trusted signed its certificate",
    Cause.SELF_SIGNED: "its certificate is signed by itself",
    Cause.EXPIRED: "its certificate has expired",
    Cause.CLOCK: "its certificate is not valid at the time that this machine's clock says",
    Cause.SNI: "it refuses to be named (SNI)",
    Cause.OTHER: "TLS does not work",
}


def said(found: Diagnosis) -> str:
    """What is wrong, in one sentence."""
    detail = f" ({found.detail})" if found.detail else ""
    shown = found.certificate
    if found.cause is Cause.OLD_PROTOCOL:
        return f"it speaks {' and '.join(found.offers)} only, too old to be safe"
    if found.cause is Cause.NAME and shown:
        return f"its certificate is for {', '.join(shown.names) or shown.subject}"
    if found.cause is Cause.AUTHORITY and shown:
        return f"its certificate is signed by '{shown.issuer}', whom nobody trusts here{detail}"
    if found.cause is Cause.EXPIRED and shown and shown.ends:
        return f"its certificate has expired on {shown.ends:%Y-%m-%d}"
    if found.cause is Cause.CLOCK and found.date:
        return f"{_WORDS[Cause.CLOCK]}; its own says {found.date:%Y-%m-%d %H:%M} UTC"
    return _WORDS.get(found.cause, "its certificate is for other names") + detail


def advice(found: Diagnosis, system: System, own_bundle: str) -> str:
    """What to do about it.

    Args:
        found: What is wrong.
        system: Whose commands mend things.
        own_bundle: The file of certificates that is trusted in the place of Mozilla's.
    """
    match found.cause:
        case Cause.CLOCK:
            clock = "timedatectl set-ntp true"
            return "ntpdate -u pool.ntp.org" if 0 < system.major < 7 else clock
        case Cause.AUTHORITY | Cause.SELF_SIGNED if own_bundle:
            return f"add its authority to {own_bundle}, which is trusted in the place of Mozilla's"
        case Cause.AUTHORITY | Cause.SELF_SIGNED:
            return (
                "if it is your own: name its file, ca_bundle: below fetch:; else it may not send its"
                f" whole chain, or release-builder is too old: update it, or {_OTHER}"
            )
        case Cause.UNREACHABLE:
            return "look at the network and the proxy settings, or name another with --mirror"
        case Cause.NO_TLS:
            return "write http:// if it is a plain web server"
        case _:
            return _OTHER
