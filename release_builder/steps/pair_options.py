"""How a pair is made, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from release_builder.jigdo.form import Form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import ImageInfo


class Match(Enum):
    """How the files of an image are found."""

    AUTO = "auto"
    EXTENTS = "extents"
    CONTENT = "content"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class PairOptions:
    """How a pair is made.

    Attributes:
        form: Of the template.
        match: By the image's own file system, by content, by both; AUTO: by content only what
            has no file system that we can read.
        greedy: By content: whether a match that ends first wins over a longer one around it.
        image_section: Whether the .jigdo gets an [Image] section.
        servers_section: Whether it gets [Servers].
        uris: Label and URL of servers, one a label; the URL is quoted where it must be.
        servers: All URLs of a label, in the place of ``uris``.
        merge: A .jigdo file to build upon.
        short_info: What [Image] says of the image, in a line for people.
        info: The same at length.
        demand_all: Whether a file that cannot be read ends it; otherwise it is no part.
    """

    form: Form = field(default_factory=Form)
    match: Match = Match.AUTO
    greedy: bool = False
    image_section: bool = True
    servers_section: bool = True
    uris: tuple[tuple[str, str], ...] = ()
    servers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    merge: bytes = b""
    short_info: str = ""
    info: str = ""
    demand_all: bool = False


@dataclass(frozen=True, slots=True)
class MadePair:
    """What came of it.

    Attributes:
        image: The image.
        template_digest: Of the template.
        parts: How many files the image needs.
        bytes_matched: Of the image that are in parts.
        bytes_unmatched: Of the image that are in the template.
        problems: What the user should know, a sentence each.
    """

    image: ImageInfo
    template_digest: Digest
    parts: int
    bytes_matched: int
    bytes_unmatched: int
    problems: tuple[str, ...]
