"""Metalinks: where a file is to be had, and what it must be, for programs that download.

Source: RFC 5854, "The Metalink Download Description Format". aria2 1.36 takes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.pages.texts import page

if TYPE_CHECKING:
    from datetime import datetime

    from release_builder.digests import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Metalink:
    """One file and its mirrors.

    Attributes:
        name: Of the file, without a folder.
        size: Of the file, in bytes.
        digests: Of the file; with none of them, a program could not tell a wrong file.
        urls: Of the file, percent-encoded; the best first, at least one.
        published: When the file became public; with its zone.
        generator: The program that made it, such as ``release-builder/1.0``.
    """

    name: str
    size: int
    digests: tuple[Digest, ...]
    urls: tuple[str, ...]
    published: datetime
    generator: str

    def __post_init__(self) -> None:
        if not self.urls or not self.digests or "/" in self.name:
            raise ValueError(f"no metalink can tell of {self.name!r}")


def metalink(file: Metalink) -> str:
    """The text of a ``.meta4`` file."""
    digests = sorted(file.digests, key=lambda digest: len(digest.value), reverse=True)
    return page("public/metalink.xml.j2", file=file, digests=digests)
