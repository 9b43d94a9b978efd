"""Parts taken out of an image into a folder: a tree to scan another day, or to serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from release_builder.digests import BLOCK
from release_builder.files import check_leaf, replacing, safe_join
from release_builder.jigdo.entries import MatchedFile

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import Description
    from release_builder.jigdo.location import JigdoFile


def extract_parts(
    image: BinaryIO,
    description: Description,
    jigdo: JigdoFile,
    missing: Container[Digest],
    folder: Path,
) -> int:
    """Write every part that ``image`` has to ``folder/LABEL/path``, as [Parts] names it first.

    Args:
        image: The image, or an unfinished one.
        description: What it is made of.
        jigdo: Names the parts; those that it names by no label are left out.
        missing: Parts that the image has not.
        folder: Made where missing; a file that is there, and of the part's length, is left alone.

    Returns:
        How many files were written.

    Raises:
        WrongBytesError: A name would lead out of ``folder``.
        OSError: A file cannot be written.
    """
    count = 0
    for digest, (offset, length) in _places(description, missing).items():
        path = _path(folder, jigdo, digest)
        if path is None or (path.is_file() and path.stat().st_size == length):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        image.seek(offset)
        with replacing(path) as out:
            for at in range(0, length, BLOCK):
                out.write(image.read(min(BLOCK, length - at)))
        count += 1
    return count


def _places(description: Description, missing: Container[Digest]) -> dict[Digest, tuple[int, int]]:
    """Offset and length in the image of each part that it has."""
    places: dict[Digest, tuple[int, int]] = {}
    offset = 0
    for run in description.runs:
        if isinstance(run, MatchedFile) and run.digest not in missing:
            places.setdefault(run.digest, (offset, run.length))
        offset += run.length
    return places


def _path(folder: Path, jigdo: JigdoFile, digest: Digest) -> Path | None:
    for label, path in _named(jigdo, digest):
        return safe_join(folder, f"{check_leaf(label)}/{path}")
    return None


def _named(jigdo: JigdoFile, digest: Digest) -> Iterator[tuple[str, str]]:
    for location in jigdo.parts.get(digest, ()):
        label, colon, path = location.partition(":")
        if colon and label and path.strip("/") and not path.startswith("//"):
            yield label, path.lstrip("/")
