"""What comes of writing an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_builder.digests import Digest
    from release_builder.jigdo.entries import MatchedFile


@dataclass(frozen=True, slots=True)
class WrongPart:
    """Bytes that stand where a part should, and are not it.

    Attributes:
        part: What was wanted.
        where: Where it was looked for.
        found: The digest that was found there instead; None if it could not be read.
        why: Why it could not be read, else empty.
    """

    part: MatchedFile
    where: str
    found: Digest | None
    why: str = ""

    def __str__(self) -> str:
        if self.found is None:
            return f"{self.where} cannot be read: {self.why}"
        return f"{self.where} should be {self.part.digest}, but is {self.found}"


@dataclass(frozen=True, slots=True)
class Image:
    """What came of writing an image.

    Attributes:
        digests: The image's own digest for each algorithm; empty when parts are missing.
        missing: The parts that no source has, each once, in image order.
        wrong: What was found to be wrong on the way, whether or not another source had it right.
        bytes_kept: Of what the unfinished image had already.
        bytes_copied: Of parts that came from the sources at hand.
        bytes_fetched: Of parts that came from afar.
        bytes_unmatched: Of what came from the template itself.
    """

    digests: dict[str, Digest]
    missing: tuple[MatchedFile, ...]
    wrong: tuple[WrongPart, ...]
    bytes_kept: int
    bytes_copied: int
    bytes_fetched: int
    bytes_unmatched: int
