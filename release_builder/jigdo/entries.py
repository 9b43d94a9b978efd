"""The DESC part of a .template file: what the image is made of, in order.

Source: jigdo, doc/TechDetails.txt, "Description" (entry types 1 to 3, 5 and 6); types 8 and 9
(SHA-256, template format 2.0) as jigdo-file 0.8 and libjte 2.0 write them. Integers are unsigned
and little-endian.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError

ENTRY_SIZES: Final = {1: 22, 2: 6, 3: 22, 5: 26, 6: 30, 8: 42, 9: 46}  # bytes after the type byte
_UNFINISHED: Final = (4, 7, 10)  # files already written: .tmp files only
_ALGORITHMS: Final = {5: "md5", 6: "md5", 8: "sha256", 9: "sha256"}
_IMAGE_TYPES: Final = {"md5": 5, "sha256": 8}
FILE_TYPES: Final = {"md5": 6, "sha256": 9}
LONGEST_DESCRIPTION: Final = 64 << 20  # bytes: 1.4 million files, a few hundred bytes each here
_MOST_RUNS: Final = 4_000_000  # more than parts with something between them can be
_LONGEST_BLOCK: Final = 1 << 17  # bytes
_FRAME: Final = 16  # bytes of the part around its entries


class TemplateError(WrongBytesError):
    """A .template file is not what its format demands."""

    def __init__(
        self, what: str, *, hint: str = "fetch the template again; if it stays so, tell who made it"
    ) -> None:
        super().__init__(what, hint=hint)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """The image as a whole.

    Attributes:
        length: Bytes.
        digest: Of all its bytes.
        block_length: Bytes that each rsync sum covers; None in templates older than jigdo 0.6.3.
    """

    length: int
    digest: Digest
    block_length: int | None

    @property
    def sum_length(self) -> int | None:
        """The block length if the rsync sums are there and cheap; no writer's is above 128 KiB."""
        if self.block_length is None or self.block_length > _LONGEST_BLOCK:
            return None
        return self.block_length


@dataclass(frozen=True, slots=True)
class UnmatchedData:
    """A run of image bytes that the template itself holds.

    Attributes:
        length: Bytes.
    """

    length: int


@dataclass(frozen=True, slots=True)
class MatchedFile:
    """A run of image bytes that equals one whole file of the mirror.

    Attributes:
        length: Bytes, never 0.
        rsync_sum: 8 bytes, RsyncSum64 of the file's first block; None in templates older than
            jigdo 0.6.3.
        digest: Of the file.
    """

    length: int
    rsync_sum: bytes | None
    digest: Digest


Run: TypeAlias = UnmatchedData | MatchedFile


@dataclass(frozen=True, slots=True)
class Description:
    """What an image is made of.

    Attributes:
        image: The image as a whole; its length is the sum of the runs' lengths.
        runs: In image order, without gaps; all digests are of the image's algorithm.
    """

    image: ImageInfo
    runs: tuple[Run, ...]

    @property
    def unmatched_length(self) -> int:
        """Bytes that the template's data parts hold, all together."""
        return sum(run.length for run in self.runs if isinstance(run, UnmatchedData))

    @property
    def parts(self) -> tuple[MatchedFile, ...]:
        """The files that the image needs, each content once, in image order."""
        files = (run for run in self.runs if isinstance(run, MatchedFile))
        return tuple({file.digest: file for file in files}.values())


def parse_description(part: bytes) -> Description:
    """Decode one DESC part into the runs of the image.

    Args:
        part: The part whole: 4 ``DESC`` | 6 length | n bytes of entries | 6 length. Both lengths
            count the whole part, so n = length - 16.

    Returns:
        The description, with every promise of its class kept.

    Raises:
        TemplateError: The bytes are something else; the message names the entry (from 1) and its
            offset in ``part``.

    Cost: for each entry at most 250 bytes of memory, for one that repeats itself less; no I/O.
    """
    _check_frame(part)
    runs: list[Run] = []
    image: ImageInfo | None = None
    offset, end = 10, len(part) - 6
    while offset < end:
        where = f"entry {len(runs) + bool(image) + 1} at offset {offset} of the DESC part"
        if image:
            raise TemplateError(f"{where} stands after the image's entry, which must be the last")
        size = _size(part[offset], where)
        if offset + 1 + size > end:
            raise TemplateError(f"{where} runs past the end of the part")
        entry = _entry(part[offset], part[offset + 1 : offset + 1 + size])
        if isinstance(entry, ImageInfo):
            image = entry
        elif isinstance(entry, MatchedFile) and not entry.length:
            raise TemplateError(f"{where} is a matched file of 0 bytes")
        elif len(runs) == _MOST_RUNS:
            raise TemplateError(f"{where} is one too many")
        else:
            runs.append(entry)
        offset += 1 + size
    if not image:
        raise TemplateError("the DESC part has no entry for the image")
    _check_whole(image, runs)
    return Description(image, tuple(runs))


def format_description(description: Description) -> bytes:
    """Encode a DESC part: the inverse of parse_description.

    Raises:
        OverflowError: A length does not fit into its 6 bytes.
    """
    entries = bytearray()  # a join would hold every entry beside the whole
    for run in description.runs:
        entries += format_run(run)
    return format_entries(entries, description.image)


def format_run(run: Run) -> bytes:
    """Encode one entry.

    Raises:
        OverflowError: Its length does not fit into its 6 bytes.
    """
    length = run.length.to_bytes(6, "little")
    if isinstance(run, UnmatchedData):
        return b"\x02" + length
    if run.rsync_sum is None:
        return b"\x03" + length + run.digest.value
    return bytes([FILE_TYPES[run.digest.algorithm]]) + length + run.rsync_sum + run.digest.value


def format_entries(entries: bytes | bytearray, image: ImageInfo) -> bytes:
    """The DESC part from the entries of all runs, as format_run gives them, and the image.

    Raises:
        WrongBytesError: It would be longer than LONGEST_DESCRIPTION.
        OverflowError: The length does not fit into its 6 bytes.
    """
    last = image.length.to_bytes(6, "little") + image.digest.value
    if image.block_length is None:
        last = b"\x01" + last
    else:
        kind = bytes([_IMAGE_TYPES[image.digest.algorithm]])
        last = kind + last + image.block_length.to_bytes(4, "little")
    size = _FRAME + len(entries) + len(last)
    if size > LONGEST_DESCRIPTION:
        raise WrongBytesError(
            f"the image has more pieces than a template can tell: {size:,} bytes of them",
            hint="leave small files out: --min-length",
        )
    length = size.to_bytes(6, "little")
    return b"".join((b"DESC", length, entries, last, length))


def _check_frame(part: bytes) -> None:
    if len(part) < _FRAME:
        raise TemplateError(f"a DESC part of {len(part)} bytes is too short")
    if part[:4] != b"DESC":
        raise TemplateError("the DESC part does not begin with DESC")
    leading, trailing = (int.from_bytes(field, "little") for field in (part[4:10], part[-6:]))
    if not leading == trailing == len(part):
        raise TemplateError(
            f"the DESC part has {len(part):,} bytes, but says {leading:,} at offset 4"
            f" and {trailing:,} at its end"
        )


def _size(kind: int, where: str) -> int:
    """Bytes that follow the type byte ``kind``."""
    if kind in _UNFINISHED:
        raise TemplateError(f"{where} is of type {kind}, which only unfinished images (.tmp) have")
    if kind not in ENTRY_SIZES:
        raise TemplateError(f"{where} is of the unknown type {kind}")
    return ENTRY_SIZES[kind]


@lru_cache(maxsize=4096)  # equal entries are one object: a hostile part has millions of them
def _entry(kind: int, body: bytes) -> ImageInfo | Run:
    """The entry of type ``kind``, a key of ENTRY_SIZES, with ``ENTRY_SIZES[kind]`` bytes."""
    length = int.from_bytes(body[:6], "little")
    match kind:
        case 2:
            return UnmatchedData(length)
        case 1:
            return ImageInfo(length, Digest("md5", body[6:]), None)
        case 3:
            return MatchedFile(length, None, Digest("md5", body[6:]))
        case 5 | 8:
            digest = Digest(_ALGORITHMS[kind], body[6:-4])
            return ImageInfo(length, digest, int.from_bytes(body[-4:], "little"))
        case _:
            return MatchedFile(length, body[6:14], Digest(_ALGORITHMS[kind], body[14:]))


def _check_whole(image: ImageInfo, runs: list[Run]) -> None:
    """What no entry shows alone."""
    if image.block_length == 0:
        raise TemplateError("the image's entry has a block length of 0")
    total = sum(run.length for run in runs)
    if total != image.length:
        raise TemplateError(
            f"the entries cover {total:,} bytes, but the image has {image.length:,}"
        )
    for number, run in enumerate(runs, 1):
        if isinstance(run, MatchedFile) and run.digest.algorithm != image.digest.algorithm:
            raise TemplateError(
                f"entry {number} of the DESC part has a digest by {run.digest.algorithm},"
                f" the image by {image.digest.algorithm}"
            )
