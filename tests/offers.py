"""A small image, its template, and parts of it in memory, good and bad."""

from __future__ import annotations

import hashlib
import io
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from builders import noise

from release_builder.digests import BLOCK, Digest
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    MatchedFile,
    UnmatchedData,
    format_description,
)
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.template import Template, read_template

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE, TWO = noise(9000, "one"), noise(BLOCK + 7, "two")
GAP = noise(5000, "gap")
CONTENT = GAP[:2000] + ONE + TWO + GAP[2000:] + ONE  # ONE lies in it twice
HEADER = b"JigsawDownload template 1.2 test/1\r\n\r\n\r\n"


def md5(data: bytes) -> Digest:
    return Digest("md5", hashlib.md5(data).digest())


def matched(data: bytes) -> MatchedFile:
    return MatchedFile(len(data), rsync_sum(data[:1024]), md5(data))


def template(stream: bytes = zlib.compress(GAP), more: tuple[UnmatchedData, ...] = ()) -> Template:
    """The template of CONTENT."""
    runs = (UnmatchedData(2000), matched(ONE), matched(TWO), UnmatchedData(3000), matched(ONE))
    info = ImageInfo(len(CONTENT), md5(CONTENT), 1024)
    part = b"DATA" + (16 + len(stream)).to_bytes(6, "little") + len(GAP).to_bytes(6, "little")
    content = HEADER + part + stream + format_description(Description(info, (*runs, *more)))
    return read_template(io.BytesIO(content), "t.template")


class Broken(io.BytesIO):
    """A disk with a bad sector: its first 100 bytes can be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= 100:
            raise OSError(5, "Input/output error")
        return super().read(100)


@dataclass(slots=True)
class Offer:
    """A candidate for a part."""

    content: bytes | OSError
    kind: type[io.BytesIO] = io.BytesIO
    confirmed: list[Digest] = field(default_factory=list)
    said: Digest | None = None  # by a cache

    @property
    def where(self) -> str:
        return "the offer"

    def open(self) -> BinaryIO:
        if isinstance(self.content, OSError):
            raise self.content
        return self.kind(self.content)

    def known(self, algorithm: str, /) -> Digest | None:
        return self.said if self.said and self.said.algorithm == algorithm else None

    def confirm(self, digest: Digest, /) -> None:
        self.confirmed.append(digest)


@dataclass(slots=True)
class Source:
    """Parts in memory; remembers what it was asked for."""

    offers: dict[Digest, list[Offer]]
    asked: list[Digest] = field(default_factory=list)

    def candidates(self, part: MatchedFile, /) -> Iterator[Offer]:
        self.asked.append(part.digest)
        yield from self.offers.get(part.digest, [])


def having(*parts: bytes) -> Source:
    return Source({md5(part): [Offer(part)] for part in parts})


@contextmanager
def unfinished(folder: Path, content: bytes = b"") -> Iterator[BinaryIO]:
    path = folder / "image"
    path.write_bytes(content)
    with path.open("r+b", buffering=0) as out:
        yield out


def content_of(out: BinaryIO) -> bytes:
    out.seek(0)
    return out.read(len(CONTENT))
