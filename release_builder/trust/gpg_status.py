"""What gpg says of a signature, for programs.

Source: GnuPG 2.2, doc/DETAILS ("Format of the --status-fd output").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

_START: Final = "[GNUPG:] "
_MADE: Final = 2  # of the words of VALIDSIG: fingerprint, date, time, …


# Words of a text that is not simply one with its signatures.
_ODD: Final = frozenset({"ERROR", "UNEXPECTED", "NODATA", "BADARMOR"})


class Verdict(StrEnum):
    """What a signature is worth; the worst first. The values are gpg's words."""

    CHANGED = "BADSIG"
    REVOKED_KEY = "REVKEYSIG"
    EXPIRED_KEY = "EXPKEYSIG"
    EXPIRED = "EXPSIG"
    UNKNOWN_KEY = "NO_PUBKEY"
    UNUSABLE = "ERRSIG"
    GOOD = "GOODSIG"
    NONE = "NODATA"


_SIGNED: Final = (Verdict.GOOD, Verdict.UNUSABLE, Verdict.UNKNOWN_KEY)
_TROUBLES: Final = (
    Verdict.CHANGED,
    Verdict.REVOKED_KEY,
    Verdict.EXPIRED_KEY,
    Verdict.EXPIRED,
    Verdict.UNKNOWN_KEY,
    Verdict.UNUSABLE,
)


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of a verification.

    Attributes:
        verdict: The worst of all signatures; every one must be good, but for those of unknown
            keys beside a good one: so publishers change keys.
        key: Digits that the fingerprint of the key or subkey ends with; empty for NONE.
        made: When the oldest of them was made, by its maker's clock, in seconds since 1970; of
            GOOD ones only.
        unknown: The keys of others that signed it besides; of a GOOD one only.
    """

    verdict: Verdict
    key: str
    made: int = 0
    unknown: tuple[str, ...] = ()


def read_status(output: str, status: int) -> Verified:
    """What gpg found.

    Args:
        output: The lines that it wrote for programs.
        status: Its exit status. It alone proves nothing: 0 with an expired key.
    """
    said = words(output)
    unknown = _unknown_besides(said)
    if unknown:
        said = [each for each in said if each[0] not in {"ERRSIG", "NO_PUBKEY"}]
        status = 0
    for verdict in _TROUBLES:
        keys = [rest[0] for word, rest in said if word == verdict.value and rest]
        if keys:
            return Verified(verdict, keys[0])
    valid = [rest for word, rest in said if word == "VALIDSIG" and len(rest) > _MADE]
    good = [word for word, _ in said if word == Verdict.GOOD.value]
    if status or not good or len(valid) != len(good):
        return Verified(Verdict.NONE, "")
    try:
        made = min(_seconds(each[_MADE]) for each in valid)
    except ValueError:
        return Verified(Verdict.NONE, "")
    return Verified(Verdict.GOOD, valid[0][-1], made, unknown)


def words(output: str) -> list[tuple[str, list[str]]]:
    """The lines that gpg wrote for programs: keyword and arguments of each."""
    # Not splitlines: the name in a key may have what Unicode takes for the end of a line.
    lines = [line[len(_START) :] for line in output.split("\n") if line.startswith(_START)]
    parted = (line.partition(" ") for line in lines)
    return [(word, rest.split()) for word, _, rest in parted if word]


def _unknown_besides(said: list[tuple[str, list[str]]]) -> tuple[str, ...]:
    """The unknown keys that signed, where all other signatures are good, and there is one."""
    found = {name: [rest[0] for word, rest in said if word == name and rest] for name in _SIGNED}
    unknown, good = found[Verdict.UNKNOWN_KEY], found[Verdict.GOOD]
    begun = sum(word == "NEWSIG" for word, _ in said)
    if (
        not good
        or found[Verdict.UNUSABLE] != unknown
        or begun != len(good) + len(unknown)
        or _ODD.intersection(word for word, _ in said)
    ):
        return ()
    return tuple(dict.fromkeys(unknown))


def _seconds(time: str) -> int:
    """Since 1970, of either form that gpg has for times."""
    if "T" not in time:
        return int(time)
    return int(datetime.strptime(time, "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp())
