"""Parts taken out of an image into a folder: a tree to scan another day, or to serve."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from release_builder.digests import BLOCK
from release_builder.errors import SurroundingsError, WrongBytesError, printable
from release_builder.files import check_leaf, check_relative, replacing, safe_join
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

    A part is left out if all its names are without a label, lead out of ``folder``, or are those
    of parts before it.

    Args:
        image: The image, or an unfinished one.
        description: What it is made of.
        jigdo: Names the parts.
        missing: Parts that the image has not.
        folder: Made where missing; a file that is there, and of the part's length, is left alone.

    Returns:
        How many files were written.

    Raises:
        SurroundingsError: A link in ``folder`` leads out of it.
        OSError: A file cannot be written.
    """
    count = 0
    taken: set[str] = set()
    for digest, (offset, length) in _places(description, missing).items():
        name = next((each for each in _names(jigdo, digest) if each not in taken), None)
        if name is None:
            continue
        taken.add(name)
        path = _path(folder, name)
        if path.is_file() and path.stat().st_size == length:
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


def _path(folder: Path, name: str) -> Path:
    try:
        return safe_join(folder, name)
    except WrongBytesError as error:
        hint = f"delete the link, or name another folder than {printable(str(folder))}"
        raise SurroundingsError(error.what, hint=hint) from error


def _names(jigdo: JigdoFile, digest: Digest) -> Iterator[str]:
    """``LABEL/path`` for each name of a part that is one of a file below a folder."""
    for location in jigdo.parts.get(digest, ()):
        label, colon, path = location.partition(":")
        steps = [step for step in path.split("/") if step not in {"", "."}]
        if colon and steps and not path.startswith("//"):
            with suppress(WrongBytesError):
                yield check_relative("/".join([check_leaf(label), *steps]))
