"""What it is worth that an image is as somebody said: an accident shows, a forgery may not.

MD5 and SHA-1 are no defence against somebody who makes two files of one digest (RFC 6151, 6194).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from release_builder.trust.gpg_keys import CLOCK_ERROR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_builder.trust.expected import Expectation
    from release_builder.trust.gpg_keys import Signature

STRONG: Final = frozenset({"sha256", "sha512"})
DESCRIPTOR: Final = "the descriptor"  # the source of what its author says

_NAMES: Final = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}


class Level(StrEnum):
    """How much somebody's word is worth; the least first."""

    INTEGRITY = "integrity"  # MD5 or SHA-1 alone
    DIGEST = "digest"  # SHA-256 or stronger, as whoever gave the image says
    PINNED = "pinned"  # SHA-256 or stronger, as the descriptor says
    SIGNED = "signed"  # a digest, as a key says that is trusted
    OWN = "own"  # image and pair were made here: there is nobody else


@dataclass(frozen=True, slots=True)
class Assurance:
    """Whose word an image was held against.

    Attributes:
        level: What it is worth.
        algorithms: Of all digests that it was held against, in order.
        told: Those of them that came with the image, and not from the descriptor.
        signed: Those of them that somebody signed.
        signatures: Of what sums files say, each once.
    """

    level: Level
    algorithms: tuple[str, ...]
    told: tuple[str, ...]
    signed: tuple[str, ...] = ()
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        if self.level is Level.OWN:
            return "made here"
        if self.level is Level.SIGNED:
            last = max(self.signatures, key=lambda each: each.made)
            alone = "" if STRONG.intersection(self.signed) else f", but {_names(self.signed)} alone"
            return f"signed by {last.signer} on {last.day}{alone}"
        by = _names(self.algorithms)
        if self.level is Level.PINNED:
            return f"pinned by the descriptor, by {by}"
        show = "show" if len(self.algorithms) > 1 else "shows"
        if self.level is Level.DIGEST:
            return f"not signed: {by} {show} that it is what the mirror means, not whose it is"
        return f"integrity only: {by} {show} accidents, not forgeries"


def assurance(expectations: Iterable[Expectation]) -> Assurance:
    """What it is worth that an image is as ``expectations``, which all hold, say.

    Args:
        expectations: Those of them that tell a digest count.
    """
    said = [(each.digest.algorithm, each) for each in expectations if each.digest]
    pinned = {algorithm for algorithm, each in said if each.source == DESCRIPTOR}
    told = {algorithm for algorithm, each in said if each.source != DESCRIPTOR}
    signed = {algorithm for algorithm, each in said if each.signature}
    if signed:
        level = Level.SIGNED
    elif STRONG & pinned:
        level = Level.PINNED
    else:
        level = Level.DIGEST if STRONG & told else Level.INTEGRITY
    return Assurance(
        level,
        _ordered(pinned | told),
        _ordered(told),
        _ordered(signed),
        tuple(dict.fromkeys(each.signature for _, each in said if each.signature)),
    )


def assurance_of_template(algorithm: str) -> Assurance:
    """What it is worth that an image is as its template says, by a digest of ``algorithm``."""
    level = Level.DIGEST if algorithm in STRONG else Level.INTEGRITY
    return Assurance(level, (algorithm,), (algorithm,))


def last_signed(signatures: Iterable[Signature], now: float) -> int | None:
    """When the last of ``signatures`` was made; None: there is none that was made until ``now``.

    Those of the future tell nothing: the next right one would be older than they are.
    """
    return max((each.made for each in signatures if each.made <= now + CLOCK_ERROR), default=None)


def _ordered(algorithms: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for each in _NAMES if each in algorithms)


def _names(algorithms: Iterable[str]) -> str:
    return " and ".join(_NAMES[each] for each in algorithms)
