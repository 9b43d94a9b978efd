"""What earlier runs left in a workdir: images of other versions, their pairs, what was in the way.

A file is taken for ours by its name, that of the release's image with another version in it, and
an image only if it is what a template in ``pair/`` says: what a user put there stays.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.version import Version
from release_builder.errors import ReleaseBuilderError
from release_builder.files import open_regular
from release_builder.jigdo.template import read_template
from release_builder.steps.image_file import measure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from release_builder.descriptor.release import Release
    from release_builder.jigdo.entries import ImageInfo
    from release_builder.jigdo.sources import DigestCache
    from release_builder.plan import Plan

_PAIR_ENDS: Final = (".iso.jigdo", ".iso.template", ".jigdo", ".template")
_PUBLIC_DEPTH: Final = 6  # folders below publish's root in which links are looked for


@dataclass(frozen=True, slots=True)
class OldFile:
    """A file that an earlier run left.

    Attributes:
        path: Where it lies.
        size: Bytes that are free when it is gone: none where it has another name elsewhere.
        changed: When its bytes were written last, in seconds since 1970.
        moved: When it came to its place at the latest, in seconds since 1970.
        identity: Its device and inode.
    """

    path: Path
    size: int
    changed: float
    moved: float
    identity: tuple[int, int]


def older_images(plan: Plan, cache: DigestCache) -> tuple[tuple[OldFile, ...], tuple[Path, ...]]:
    """The images of other versions, the newest first; then those that nothing shows to be ours."""
    name = plan.release.image
    found = [
        file
        for file in _plain_files(plan.workdir.image)
        if file.path.name != name and _is_name_of_image(file.path.name, plan.release)
    ]
    if not found:
        return (), ()
    made = list(_described(plan.workdir.pair))
    ours = [file for file in found if _is_of(file.path, made, cache)]
    others = tuple(file.path for file in found if file not in ours)
    return tuple(sorted(ours, key=lambda file: (-file.changed, file.path.name))), others


def unfinished_images(plan: Plan) -> tuple[OldFile, ...]:
    """Unfinished images of other versions."""
    own = plan.release.image
    return tuple(
        file
        for file in _plain_files(plan.workdir.image)
        if (name := file.path.name.removesuffix(".partial")) != file.path.name
        and name != own
        and _is_name_of_image(name, plan.release)
    )


def moved_images(plan: Plan) -> tuple[OldFile, ...]:
    """The images that were moved aside, of this version and others, the last moved first."""
    found = [
        file
        for file in _plain_files(plan.workdir.aside)
        if _is_name_of_image(re.sub(r"(?<=\.iso)\.[0-9]+$", "", file.path.name), plan.release)
    ]
    return tuple(sorted(found, key=lambda file: (-file.moved, file.path.name)))


def lone_pairs(plan: Plan, gone: Collection[str]) -> tuple[OldFile, ...]:
    """The pairs of other versions whose images are not in ``image/``, or among those ``gone``.

    A name that the mirror still has is of this release, whatever version it says.
    """
    folders = (plan.workdir.tree / folder for folder in plan.release.jigdo)
    there = {path.name for folder in folders for path in _listed(folder)}
    return tuple(
        file
        for file in _plain_files(plan.workdir.pair)
        if (image := _image_of_pair(file.path.name)) is not None
        and image != plan.release.image
        and _is_name_of_image(image, plan.release)
        and file.path.name not in there
        and (image in gone or not os.path.lexists(plan.workdir.image / image))
    )


def after_the_current(plan: Plan, older: Sequence[OldFile]) -> Sequence[OldFile]:
    """``older``, the newest first, without the one that stands for a current one not made yet."""
    there = (plan.workdir.image / plan.release.image).is_file()
    return older if there else older[1:]


def remove(files: Iterable[OldFile]) -> None:
    """Remove ``files``, images before their pairs.

    A run that is cut off leaves no image without its pair: nothing would show that it is ours.

    Raises:
        OSError: One cannot be removed.
    """
    for file in sorted(files, key=lambda file: file.path.name.endswith(_PAIR_ENDS)):
        file.path.unlink(missing_ok=True)


def linked_files(plan: Plan) -> frozenset[tuple[int, int]]:
    """Device and inode of what links in the workdir, beside it or in the public tree lead to."""
    workdir, publish = plan.workdir, plan.release.publish
    folders = [workdir.root.parent, workdir.root, workdir.pair, workdir.aside]
    folders += _folders(workdir.image, _PUBLIC_DEPTH)
    if publish and not publish.root.host:
        folders += _folders(Path(publish.root.path), _PUBLIC_DEPTH)
    return frozenset(_targets(folders))


def _is_name_of_image(name: str, release: Release) -> bool:
    """Whether ``name`` is that of the release's image, in this version or another."""
    between, version = "\0", release.version.text  # an arch may have a version's digits in it
    pieces = release.image.replace(release.arch, between).split(version)
    first, *rest = (re.escape(piece.replace(between, release.arch)) for piece in pieces)
    pattern = first
    for number, piece in enumerate(rest):
        pattern += ("(?P=version)" if number else "(?P<version>[0-9][0-9a-z.]*?)") + piece
    match = re.fullmatch(pattern, name)
    if match is None or not rest:
        return match is not None
    with suppress(RefusedError):
        Version.parse(match["version"])
        return True
    return False


def _image_of_pair(name: str) -> str | None:
    """The image that the pair's file ``name`` is named after; None for other files."""
    for end in _PAIR_ENDS:
        if name.endswith(end):
            return f"{name.removesuffix(end)}.iso"
    return None


def _described(folder: Path) -> Iterator[ImageInfo]:
    """The images that the templates in ``folder`` are of."""
    for path in _listed(folder):
        if path.suffix == ".template":
            with suppress(ReleaseBuilderError, OSError), open_regular(path) as stream:
                yield read_template(stream, path.name).description.image


def _is_of(path: Path, images: list[ImageInfo], cache: DigestCache) -> bool:
    """Whether the file at ``path`` is one of ``images``; it is read if its digest is not known."""
    size = path.stat().st_size
    wanted = [image.digest for image in images if image.length == size]
    if not wanted:
        return False
    found = measure(path, {digest.algorithm for digest in wanted}, cache)
    return any(found.digests[digest.algorithm] == digest for digest in wanted)


def _plain_files(folder: Path) -> Iterator[OldFile]:
    """The regular files in ``folder`` itself, by their names; links are none."""
    for path in _listed(folder):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            size = status.st_blocks * 512 if status.st_nlink == 1 else 0
            identity = (status.st_dev, status.st_ino)
            yield OldFile(path, size, status.st_mtime, status.st_ctime, identity)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _folders(root: Path, depth: int) -> Iterator[Path]:
    """``root`` and the folders below it, but not those that links lead to."""
    yield root
    if depth:
        with suppress(OSError), os.scandir(root) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _folders(Path(entry.path), depth - 1)


def _targets(folders: Iterable[Path]) -> Iterator[tuple[int, int]]:
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    with suppress(OSError):  # it leads nowhere
                        status = entry.stat()
                        yield status.st_dev, status.st_ino
