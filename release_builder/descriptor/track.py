"""What a descriptor follows in the place of one version: ``track: testing/9``."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Final

from release_builder.descriptor import patterns
from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.version import Version

_USAGE: Final = "write such as testing/9, for the newest 9 in testing/ until it is final, or 9"


@dataclass(frozen=True, slots=True)
class Reached:
    """What a track led to when the mirror was asked last.

    Attributes:
        version: Of the release.
        root: The mirror's URL.
        folder: Where the release lies below it.
        why: Why it is this one; follows its name and a colon.
        waits: What is there, newer, but not complete; empty if nothing is.
        since: For how long something was waited for, as seconds since 1970; 0 if nothing is.
    """

    version: str
    root: str
    folder: str
    why: str
    waits: str = ""
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Track:
    """What is followed: a link of the mirror, or the newest version that begins so.

    Attributes:
        text: As it was written.
        folder: Where the releases lie below the mirror; empty for the mirror itself.
        begin: One to three numbers that the version begins with.
        reached: What it led to; None until a mirror, or the state, was asked.
    """

    text: str
    folder: str
    begin: Version
    reached: Reached | None = None

    @classmethod
    def parse(cls, text: str) -> Track:
        """The track that ``text`` spells.

        Raises:
            RefusedError: It spells none.
        """
        plain = patterns.place(text)
        folder, name = posixpath.split(plain)
        if "{" in plain:
            raise RefusedError(f"'{text}' has a placeholder in it", _USAGE)
        try:
            begin = Version.parse(name)
        except RefusedError as refused:
            raise RefusedError(f"'{text}' does not end in a number", _USAGE) from refused
        if not begin.is_final:
            hint = f"write `version: {name}`, or {posixpath.join(folder, str(begin.major))}"
            raise RefusedError(f"'{text}' is just one version", hint)
        return cls(plain, folder, begin)

    def takes(self, version: Version) -> bool:
        """Whether ``version`` begins as it should: 9 takes 9.0beta3 and 9.1, 9.1 does not 9.0."""
        count = self.begin.text.count(".") + 1
        return version.numbers[:count] == self.begin.numbers[:count]

    def __str__(self) -> str:
        return self.text
