"""What a user may write of whom to trust, how long, and what is not to come back: ``trust:``."""

# No "from __future__ import annotations": the hints are needed at run time.
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar

from release_builder.descriptor import patterns
from release_builder.descriptor.refusal import RefusedError

_DIGITS: Final = (40, 64)  # of OpenPGP's fingerprints, version 4 and since (RFC 9580, 5.5.4)
_AGE: Final = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_Several = TypeVar("_Several", bound=tuple[object, ...])
_SECONDS: Final = {"h": 3600, "d": 86_400, "w": 7 * 86_400}


class Older(StrEnum):
    """What to do with an older release that is offered under the name of a newer one."""

    REFUSE = "refuse"
    WARN = "warn"


def fingerprint(text: str) -> str:
    """The fingerprint of a key; blanks and colons, as programs print them, go."""
    digits = re.sub(r"[ :]", "", text.removeprefix("0x")).upper()
    if not (hexadecimal := re.fullmatch(r"[0-9A-F]+", digits)) or len(digits) not in _DIGITS:
        short = hexadecimal and len(digits) < _DIGITS[0]
        what = "is too short: who likes can make a key with it" if short else "is no fingerprint"
        raise RefusedError(f"'{text}' {what}", "copy all 40 digits that gpg --fingerprint prints")
    return digits


def named(values: _Several) -> _Several:
    """``values``: a list of nobody would switch off what it seems to demand."""
    if not values:
        raise RefusedError("is empty", "leave it out, or name whom to trust")
    return values


def age(text: str) -> float:
    """Seconds, from hours, days or weeks such as ``90d``."""
    if not (found := _AGE.fullmatch(text)):
        raise RefusedError(f"'{text}' is no age", "write such as 36h, 90d or 12w")
    return float(int(found[1]) * _SECONDS[found[2]])


KeyFiles = Annotated[tuple[Path, ...], named]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Who vouches for a release.

    Attributes:
        sums: Files of public keys; each sums file is to be signed by one of them.
        packages: Files of public keys; each package is to be signed by one of them.
        fingerprints: Of the primary keys that these files may hold; empty: of any.
        max_age: Seconds that the signature of a sums file may be old; None: any.
        older: What to do with an older release under the same name; None: refuse it.
    """

    sums: KeyFiles = ()
    packages: KeyFiles = ()
    fingerprints: Annotated[tuple[Annotated[str, fingerprint], ...], named] = ()
    max_age: Annotated[float, age] | None = None
    older: Annotated[Older, patterns.one_of(Older)] | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of keys, each once."""
        return tuple(dict.fromkeys((*self.sums, *self.packages)))

    @property
    def takes_older(self) -> bool:
        """Whether an older release is taken, with a warning."""
        return self.older is Older.WARN

    def over(self, other: "Trust") -> "Trust":
        """What this says; where it says nothing, what ``other`` does."""
        return Trust(
            sums=self.sums or other.sums,
            packages=self.packages or other.packages,
            fingerprints=self.fingerprints or other.fingerprints,
            max_age=self.max_age or other.max_age,
            older=self.older or other.older,
        )
