"""The packages of an image that are in no tree: fetched one by one, or found elsewhere."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder import files
from release_builder.digests import BLOCK
from release_builder.jigdo.entries import MatchedFile
from release_builder.steps.lint_signatures import Signatures, verified
from release_builder.steps.tree_packages import FOREIGN, LEAD, is_package
from release_builder.trust.rpm_keys import Checked, verify_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from release_builder.jigdo.entries import Description
    from release_builder.steps import Context
    from release_builder.steps.find_pair import Pair

_AT_A_TIME: Final = 100  # packages, each of them an open file
_MUCH: Final = 256 << 20  # bytes that are on the disk twice meanwhile


@dataclass(frozen=True, slots=True)
class _Package:
    """Where in the image a package is, and what [Parts] calls it."""

    offset: int
    length: int
    name: str


def check_image_packages(
    context: Context,
    image: Path,
    pair: Pair,
    description: Description,
    wanted: Iterable[MatchedFile],
) -> Signatures:
    """Hold packages within an image against the keys.

    Args:
        context: Of the release.
        image: Has every part in its place.
        pair: Names the packages.
        description: Tells the places.
        wanted: The parts to look at.

    Raises:
        ReleaseBuilderError: As verify_packages.
        OSError: The image cannot be read, or no copy of a package be written beside it.
    """
    left = {part.digest for part in wanted}
    if not left:
        return Signatures()
    checked: list[Checked] = []
    with files.open_regular(image) as stream:
        packages = []
        offset = 0
        for run in description.runs:
            if isinstance(run, MatchedFile) and run.digest in left:
                left.remove(run.digest)
                names = pair.jigdo.parts.get(run.digest, ())
                if is_package(files.read_at(stream.fileno(), len(LEAD), offset), names):
                    name = names[0] if names else str(run.digest)
                    packages.append(_Package(offset, run.length, name))
            offset += run.length
        context.monitor.begin("verify the signatures", sum(each.length for each in packages))
        try:
            for batch in _batches(packages):
                checked += _verify(context, stream, image.parent, batch)
        finally:
            context.monitor.end()
    return verified(checked, {each.path: str(each.path) for each in checked}, FOREIGN)


def _batches(packages: Iterable[_Package]) -> Iterator[list[_Package]]:
    batch: list[_Package] = []
    for package in packages:
        size = sum(each.length for each in batch)
        if batch and (len(batch) == _AT_A_TIME or size + package.length > _MUCH):
            yield batch
            batch = []
        batch.append(package)
    if batch:
        yield batch


def _verify(
    context: Context, image: BinaryIO, folder: Path, batch: list[_Package]
) -> Iterator[Checked]:
    trust = context.plan.release.trust
    with ExitStack() as held:
        named: dict[Path, _Package] = {}
        for package in batch:
            # It has no name on the disk, so that nothing of it stays if we are killed.
            copy = held.enter_context(tempfile.TemporaryFile(dir=folder, buffering=0))
            _copy(image, package, copy)
            named[Path(f"/proc/{os.getpid()}/fd/{copy.fileno()}")] = package
        for each in verify_packages(
            list(named),
            trust.packages,
            on_file=lambda path: context.monitor.advance(named[path].length),
            pinned=trust.fingerprints,
        ):
            yield replace(each, path=Path(named[each.path].name))


def _copy(image: BinaryIO, package: _Package, copy: BinaryIO) -> None:
    at, end = package.offset, package.offset + package.length
    while at < end and (block := files.read_at(image.fileno(), min(BLOCK, end - at), at)):
        files.write_at(copy.fileno(), block, at - package.offset)
        at += len(block)
