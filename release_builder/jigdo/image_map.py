"""What each byte of an image is: of which part, or why only the template has it.

The template tells parts from unmatched runs, the file system of the image what lies in those.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Final

from release_builder.extents import Extent, Kind
from release_builder.jigdo.entries import MatchedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import Description

_SECTOR: Final = 2048  # bytes, ECMA-119 6.1.2
_MOST_TAILS: Final = 64  # of a name, which a .jigdo may make of 32,000 folders


class Origin(Enum):
    """Where the bytes of a stretch come from; all but PART are in the template."""

    PART = "parts"
    FILE_IN_TEMPLATE = "unmatched files"
    BOOT_IMAGE = "boot images"
    BOOT_CATALOG = "boot catalog"
    DIRECTORY = "directories"
    PATH_TABLE = "path tables"
    DESCRIPTOR = "volume descriptors"
    SYSTEM_AREA = "system area"
    HEADER = "headers"
    UNKNOWN = "other bytes"
    PADDING = "padding"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of an image that lie together and are of one origin.

    Attributes:
        offset: Of its first byte in the image.
        length: Bytes, never 0.
        origin: Where they come from.
        name: Of a part: its first location, or its digest when [Parts] has none; of what a file
            system names: that name; else empty. As it was read: use printable() to show it.
        reason: Why the template has these bytes, in one short sentence; empty for a part. Not
            printable where ``name`` is not.
    """

    offset: int
    length: int
    origin: Origin
    name: str
    reason: str

    @property
    def end(self) -> int:
        """The offset of the byte behind it."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Total:
    """All stretches of one origin together.

    Attributes:
        length: Bytes.
        count: Stretches.
    """

    length: int
    count: int


def map_image(
    description: Description, parts: Mapping[Digest, Sequence[str]], extents: Iterable[Extent]
) -> tuple[Stretch, ...]:
    """Tell what each byte of an image is.

    Args:
        description: What the image is made of.
        parts: What [Parts] says of a digest: ``Label:path`` or URLs.
        extents: What the image's file systems tell, in any order; they may overlap, reach past
            the end of the image, and be none at all when the image is not at hand.

    Returns:
        The stretches in image order; they cover the image exactly, without gaps.

    Cost: a few objects a run and an extent, sorting included.
    """
    known = _without_overlaps(extents)
    return tuple(_Mapper(description, parts, known).stretches())


def biggest_unmatched(stretches: Iterable[Stretch], count: int) -> tuple[Stretch, ...]:
    """The biggest runs of bytes that lie together in the template.

    Args:
        stretches: Of map_image.
        count: How many of them are wanted.

    Returns:
        The runs, the biggest first. Each is told by its biggest stretch that is no padding, if
        it has one; the reason ends with what else is in it.
    """
    runs = (
        tuple(run)
        for is_part, run in groupby(stretches, lambda each: each.origin is Origin.PART)
        if not is_part
    )
    biggest = heapq.nlargest(count, runs, key=lambda run: run[-1].end - run[0].offset)
    return tuple(map(_whole_run, biggest))


def totals(stretches: Iterable[Stretch]) -> dict[Origin, Total]:
    """The sums for each origin that occurs, in the order of Origin."""
    length, count = Counter[Origin](), Counter[Origin]()
    for each in stretches:
        length[each.origin] += each.length
        count[each.origin] += 1
    return {origin: Total(length[origin], count[origin]) for origin in Origin if count[origin]}


_ORIGIN_OF: Final = {
    Kind.FILE: Origin.FILE_IN_TEMPLATE,
    Kind.DIRECTORY: Origin.DIRECTORY,
    Kind.BOOT_IMAGE: Origin.BOOT_IMAGE,
    Kind.BOOT_CATALOG: Origin.BOOT_CATALOG,
    Kind.PATH_TABLE: Origin.PATH_TABLE,
    Kind.DESCRIPTOR: Origin.DESCRIPTOR,
    Kind.SYSTEM_AREA: Origin.SYSTEM_AREA,
    Kind.HEADER: Origin.HEADER,
}
_REASON_OF: Final = {
    Kind.DIRECTORY: "a directory of the image's file system",
    Kind.BOOT_IMAGE: "booted by BIOS or EFI; no file of the image has it",
    Kind.BOOT_CATALOG: "written by mastering (El Torito)",
    Kind.PATH_TABLE: "the list of all directories",
    Kind.DESCRIPTOR: "says what file systems the image has",
    Kind.SYSTEM_AREA: "the first 16 sectors: boot code, partition tables",
    Kind.HEADER: "describes a file of the archive",
}


@dataclass(frozen=True, slots=True)
class _Known:
    """A stretch that a file system explains; maybe less than the extent, never empty."""

    start: int
    end: int
    extent: Extent


class _Mapper:
    def __init__(
        self,
        description: Description,
        parts: Mapping[Digest, Sequence[str]],
        known: Sequence[_Known],
    ) -> None:
        self._description = description
        self._parts = parts
        self._known = known
        names = {each.extent.name for each in known if each.extent.kind is Kind.FILE}
        self._namesakes = _namesakes(names, parts)

    def stretches(self) -> Iterator[Stretch]:
        """All stretches of the image, in order."""
        offset = part_end = 0
        for run in self._description.runs:
            end = offset + run.length
            if isinstance(run, MatchedFile):
                name = next(iter(self._parts.get(run.digest, ())), str(run.digest))
                yield Stretch(offset, run.length, Origin.PART, name, "")
                part_end = end
            elif run.length:
                yield from self._unmatched(offset, end, part_end)
            offset = end

    def _unmatched(self, at: int, end: int, part_end: int) -> Iterator[Stretch]:
        index = bisect_right(self._known, at, key=lambda each: each.end)
        used = max(part_end, self._known[index - 1].end if index else 0)
        for known in (self._known[each] for each in range(index, len(self._known))):
            if known.start >= end:
                break
            yield from self._gap(at, known.start, used)
            at, used = max(at, known.start), known.end
            stop = min(end, known.end)
            origin = _ORIGIN_OF[known.extent.kind]
            yield Stretch(at, stop - at, origin, known.extent.name, self._reason(known.extent))
            at = stop
        yield from self._gap(at, end, used)

    def _gap(self, at: int, end: int, used: int) -> Iterator[Stretch]:
        """What lies between ``at`` and ``end``, if anything; ``used`` ended before it."""
        padding_end = min(-(-used // _SECTOR) * _SECTOR, end)
        if at < padding_end:
            reason = "fills up to the next sector"
            yield Stretch(at, padding_end - at, Origin.PADDING, "", reason)
            at = padding_end
        if at < end:
            yield Stretch(at, end - at, Origin.UNKNOWN, "", self._reason_of_gap(at))

    def _reason_of_gap(self, at: int) -> str:
        if not self._known:
            return "no part has these bytes"
        if at >= self._known[-1].end:
            return "behind the last file of the image (padding at its end?)"
        return "no file of the image has these bytes"

    def _reason(self, extent: Extent) -> str:
        if extent.kind is not Kind.FILE:
            return _REASON_OF[extent.kind]
        # jigdo looks for no file that is shorter.
        shortest = self._description.image.block_length or 0
        if extent.length < shortest:
            return f"shorter than {shortest:,} bytes"
        if location := self._namesakes.get(extent.name):
            return f"differs from {location}, maybe patched by mastering (as boot images are)"
        return "not given, or patched by mastering (as boot images are)"


def _namesakes(names: set[str], parts: Mapping[Digest, Sequence[str]]) -> dict[str, str]:
    """For each name the location that ends as it does, or else as which it ends."""
    locations: dict[str, str] = {}
    for location in (each for several in parts.values() for each in several):
        locations.setdefault(location.partition(":")[2], location)
    found: dict[str, str] = {}
    for path, location in locations.items():
        for tail in _tails(path):
            if tail in names:
                found.setdefault(tail, location)
    for name in names - found.keys():
        if tail := next((tail for tail in _tails(name) if tail in locations), ""):
            found[name] = locations[tail]
    return found


def _tails(path: str) -> Iterator[str]:
    """``path``, and its last names: 63, 62 and so on, as far as it has so many."""
    names = path.rsplit("/", _MOST_TAILS - 1)
    tails = ("/".join(names[first:]) for first in range(len(names)))
    return filter(None, tails)


def _without_overlaps(extents: Iterable[Extent]) -> list[_Known]:
    """The extents by offset; of two that overlap, the later begins where the other ends."""
    in_order = sorted(
        (each for each in extents if each.length > 0),
        key=lambda each: (each.offset, -each.length, each.kind.value, each.name),
    )
    known: list[_Known] = []
    position = 0
    for extent in in_order:
        end = extent.offset + extent.length
        if end > position:
            known.append(_Known(max(extent.offset, position), end, extent))
            position = end
    return known


def _whole_run(run: Sequence[Stretch]) -> Stretch:
    """The run as one stretch, told by the biggest of its own."""
    biggest = max(run, key=lambda each: (each.origin is not Origin.PADDING, each.length))
    reason = biggest.reason
    others = [each for each in run if each is not biggest and each.origin is not Origin.PADDING]
    if others:
        sums = totals(others)
        most = max(sums, key=lambda origin: sums[origin].length)
        reason += f"; with {len(others):,} more, mostly {most.value}"
    length = run[-1].end - run[0].offset
    return replace(biggest, offset=run[0].offset, length=length, reason=reason)
