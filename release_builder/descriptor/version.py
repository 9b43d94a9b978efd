"""Versions of releases, such as 9, 8.10, 7.1.3 and 9.0beta3, and their order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from release_builder.descriptor.refusal import RefusedError, nearest
from release_builder.errors import printable

_VERSION: Final = re.compile(
    r"(?P<numbers>[0-9]{1,9}(?:\.[0-9]{1,9}){0,2})"
    r"(?:(?P<phase>alpha|beta|pre|rc)(?P<count>[0-9]{1,9}))?"
)
# What people write: "v9.0", "9.0-beta3", "9.0 Beta 3", "9.0b3", "9.0~rc1", "9.0final".
_SLOPPY: Final = re.compile(
    r"v?(?P<numbers>[0-9]+(?:\.[0-9]+){0,2})[-_.~ ]*"
    r"(?:(?P<word>[a-z]+)[-_.~ ]*(?P<count>[0-9]*))?"
)
_SHORT: Final = {"a": "alpha", "b": "beta", "p": "pre", "c": "rc"}
_USAGE: Final = "write numbers such as 9.0, then alpha, beta, pre or rc with a number: 9.0beta3"


class Phase(IntEnum):
    """How far a version is, in order."""

    ALPHA = 1
    BETA = 2
    PRE = 3
    RC = 4
    FINAL = 5


class Stage(StrEnum):
    """The two kinds of places that a release lies at: for testing, and for good."""

    BETA = "beta"
    FINAL = "final"


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version. They are ordered by the fields, from the first to the last.

    Missing numbers count as zero, so 8.0rc1 < 8. Equal is only what was written alike: the text
    tells 8 from 8.0 (which comes later), since the names of files do so too.

    Attributes:
        numbers: One to three numbers, filled up with zeros.
        phase: FINAL where nothing follows the numbers.
        count: The number after the word; 0 for a final.
        text: As it was written.
    """

    numbers: tuple[int, int, int]
    phase: Phase
    count: int
    text: str

    @classmethod
    def parse(cls, text: str) -> Version:
        """The version that ``text`` spells.

        Raises:
            RefusedError: It spells none; the hint has the version that was likely meant.
        """
        match = _VERSION.fullmatch(text)
        if match is None:
            raise RefusedError(f"'{printable(text)}' is not a version", _hint(text))
        first, second, third, *_ = [*map(int, match["numbers"].split(".")), 0, 0]
        phase = Phase[match["phase"].upper()] if match["phase"] else Phase.FINAL
        return cls((first, second, third), phase, int(match["count"] or 0), text)

    @property
    def major(self) -> int:
        """The first number."""
        return self.numbers[0]

    @property
    def is_final(self) -> bool:
        """Whether it is no pre-release."""
        return self.phase is Phase.FINAL

    @property
    def stage(self) -> Stage:
        """Where its release lies."""
        return Stage.FINAL if self.is_final else Stage.BETA

    def is_within(self, other: Version) -> bool:
        """Whether this is ``other``, or a final that ``other`` names in short, as 9 does 9.2."""
        if self.is_final and other.is_final:
            return f"{self.text}.".startswith(f"{other.text}.")
        return self == other

    def __str__(self) -> str:
        return self.text


def _hint(text: str) -> str:
    match = _SLOPPY.fullmatch(text.strip().lower())
    meant = match and _repaired(match["numbers"], match["word"] or "", match["count"] or "1")
    return f"did you mean {meant}?" if meant and _VERSION.fullmatch(meant) else _USAGE


def _repaired(numbers: str, word: str, count: str) -> str | None:
    phases = [phase.name.lower() for phase in Phase]
    phase = _SHORT.get(word) or nearest(word, phases)
    if not word or phase == "final":
        return numbers
    return f"{numbers}{phase}{count}" if phase else None
