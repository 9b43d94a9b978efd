"""What is wanted of fetching an image, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from release_builder.errors import Status
from release_builder.transport.http import HttpOptions
from release_builder.trust.assurance import Assurance, assurance_of_template

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.image_result import WrongPart
    from release_builder.steps.part_servers import MissingPart


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """What there is beside the .jigdo.

    Attributes:
        scan: Folders, files and images in which parts may be found.
        offline: Ask no server.
        servers: Label and URL: more servers, asked before those of [Servers]; an empty label is
            any of them.
        http: How servers are asked.
        keep_parts: A folder that gets every part as a file too.
        best: Measure the servers of each label first, and ask the best ones, so many, before all
            others; None to learn that on the way.
        image: Which [Image] section of the .jigdo counts, from 1; None for the first, others being
            noted.
    """

    scan: tuple[Path, ...] = ()
    offline: bool = False
    servers: tuple[tuple[str, str], ...] = ()
    http: HttpOptions = field(default_factory=HttpOptions)
    keep_parts: Path | None = None
    best: int | None = None
    image: int | None = None

    def after(self, seconds: float) -> FetchOptions:
        """The options of another image, when so much of the time for all of them has passed."""
        if self.http.deadline is None:
            return self
        left = max(0.0, self.http.deadline - seconds)
        return replace(self, http=replace(self.http, deadline=left))


@dataclass(frozen=True, slots=True)
class FetchedImage:
    """What came of fetching an image.

    Attributes:
        image: Its name, or that which it will have.
        complete: Whether it stands there, its digest verified.
        was_there: Whether it stood there before.
        digest: What the template demands.
        length: Bytes of the image.
        found: How many runs of it are parts that are in their place.
        wanted: How many runs of it are parts.
        missing: Parts that are not to be had, in image order.
        wrong: What was not what it seemed, at hand.
        moved: Where that went which stood in the way; None if nothing did.
        bytes_fetched: Of parts that came from servers, wrong ones and pieces included.
        notes: What the user should know, one sentence each.
    """

    image: Path
    complete: bool
    was_there: bool
    digest: Digest
    length: int
    found: int
    wanted: int
    missing: tuple[MissingPart, ...] = ()
    wrong: tuple[WrongPart, ...] = ()
    moved: Path | None = None
    bytes_fetched: int = 0
    notes: tuple[str, ...] = ()

    @property
    def assurance(self) -> Assurance:
        """What the template's word is worth."""
        return assurance_of_template(self.digest.algorithm)

    @property
    def status(self) -> Status:
        """Exit status of a run that fetches just this."""
        if any(each.is_wrong for each in self.missing):
            return Status.WRONG
        return Status.INCOMPLETE if self.missing else Status.DONE
