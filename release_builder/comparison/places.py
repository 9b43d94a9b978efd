"""Where a release is read from: what a user may name, and what is found there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.comparison.image import is_image, read_image
from release_builder.comparison.inventory import Contents, Inventory, total
from release_builder.comparison.pair import PairParts, read_lengths, read_pair
from release_builder.comparison.tree import read_tree
from release_builder.errors import DescriptorError, WrongBytesError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.sources import DigestCache
    from release_builder.monitor import Monitor

# Folders of a release that lead to its trees and pairs; below them is one for each architecture.
LAYOUT: Final = frozenset({"iso", "isos", "jigdo", "os", "smeos"})
ARCHES: Final = frozenset({"aarch64", "i386", "i586", "i686", "noarch", "ppc64le", "x86_64"})
HINT: Final = (
    "name an installer tree, an ISO file, a .jigdo (path or URL), the folder or URL of a"
    " published release, or a descriptor"
)


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a release before its packages are read.

    Attributes:
        label: What the user called it; printable.
        trees: Installer trees.
        images: Images; read if there are no trees.
        pairs: What its .jigdo files tell.
    """

    label: str
    trees: tuple[Path, ...] = ()
    images: tuple[Path, ...] = ()
    pairs: tuple[PairParts, ...] = ()

    @property
    def algorithm(self) -> str | None:
        """Of its pairs' digests; None if it has none, or of several algorithms."""
        found = {algorithm for pair in self.pairs for algorithm in pair.algorithms}
        return found.pop() if len(found) == 1 else None


def find_place(path: Path, arch: str | None, cache: DigestCache) -> Place:
    """What release is at ``path``: a tree, an image, a .jigdo, or the folder of a release.

    Args:
        path: Of a file or folder.
        arch: Of a folder with several, only this one counts; None for all of them.
        cache: Digests known from before.

    Raises:
        DescriptorError: It is no release.
        WrongBytesError: It is broken.
        OSError: It cannot be read.
    """
    label = printable(str(path))
    if path.is_dir():
        return _of_folder(label, path, arch, cache)
    if ".jigdo" in path.suffixes:
        return Place(label, pairs=(read_pair(path, cache),))
    if is_image(path):
        return Place(label, images=(path,), pairs=tuple(_pair_beside(path)))
    raise no_release(label, "a file of no kind that is known")


def no_release(label: str, what: str) -> DescriptorError:
    """The refusal of ``label``, which is ``what``."""
    return DescriptorError(f"{label} is no release: {what}", hint=HINT)


def read_inventory(
    place: Place, *, changes: bool, algorithm: str, cache: DigestCache, monitor: Monitor
) -> Inventory:
    """All that the release at ``place`` consists of.

    Args:
        place: Where.
        changes: Read changelogs too.
        algorithm: Of the digests that must be computed.
        cache: Digests known from before.
        monitor: Hears of the bytes that are read.

    Raises:
        WrongBytesError: An image is broken.
        OSError: Something cannot be read.

    Cost: every file is read once whose digest nobody knows; 2,000 headers take some seconds.
    """
    contents = Contents()
    whole = bool(place.trees or place.images)
    for tree in place.trees:
        known = _known(tree, place)
        read_tree(
            tree,
            contents,
            changes=changes,
            algorithm=algorithm,
            known=known,
            cache=cache,
            monitor=monitor,
        )
    for image in () if place.trees else place.images:
        read_image(image, contents, changes=changes, algorithm=algorithm, monitor=monitor)
    for pair in place.pairs:
        contents.problems += pair.problems
        if not whole:
            pair.add_to(contents)
    lengths = {digest: size for pair in place.pairs for digest, size in pair.lengths.items()}
    return Inventory(
        label=place.label,
        packages=contents.sorted_packages(),
        files=contents.sorted_files(),
        whole=whole,
        parts=lengths if place.pairs else contents.parts(),
        template_size=total(pair.template_size for pair in place.pairs) if place.pairs else None,
        problems=tuple(contents.problems),
    )


def is_tree(folder: Path) -> bool:
    """Whether ``folder`` is an installer tree, or has packages in it."""
    if any((folder / mark).is_file() for mark in (".treeinfo", ".discinfo")):
        return True
    return any(any(folder.glob(pattern)) for pattern in ("*.rpm", "[A-Z]*/*.rpm"))


def _of_folder(label: str, folder: Path, arch: str | None, cache: DigestCache) -> Place:
    folders = list(_folders(folder))
    trees = _of_arch([each for each in folders if is_tree(each)], arch)
    if folder in trees:  # a tree has no trees in it
        trees = [folder]
    jigdos = _of_arch([each for at in folders for each in sorted(at.glob("[!.]*.jigdo"))], arch)
    images: list[Path] = []
    if not trees:
        found = [each for at in folders for each in sorted(at.glob("[!.]*.iso"))]
        images = [each for each in _of_arch(found, arch) if is_image(each)]
    if not (trees or jigdos or images):
        of = f" of {arch}" if arch else ""
        raise no_release(label, f"there is no .treeinfo, RPM, ISO or .jigdo{of} in it")
    pairs = tuple(read_pair(each, cache) for each in jigdos)
    return Place(label, tuple(trees), tuple(images), pairs)


def _folders(root: Path) -> Iterator[Path]:
    """``root``, and the folders in which a release has its trees and pairs."""
    yield root
    for folder in _named(root, LAYOUT | ARCHES):
        yield folder
        yield from _named(folder, LAYOUT | ARCHES)


def _named(folder: Path, names: Iterable[str]) -> list[Path]:
    return [path for name in sorted(names) if (path := folder / name).is_dir()]


def _of_arch(paths: list[Path], arch: str | None) -> list[Path]:
    """Those of ``paths`` that are of ``arch`` as their names or folders tell; others tell none."""
    if arch is None:
        return paths
    others = ARCHES - {arch}
    return [
        path
        for path in paths
        if arch in path.name
        or arch == path.parent.name
        or not any(other in path.name or other == path.parent.name for other in others)
    ]


def _known(tree: Path, place: Place) -> dict[str, tuple[int | None, Digest]]:
    """What the pairs tell of the files of ``tree``; of several trees, those of its own arch."""
    mine = [pair for pair in place.pairs if len(place.trees) == 1 or tree.name in pair.where]
    return {name: file for pair in mine for name, file in pair.known().items()}


def _pair_beside(image: Path) -> Iterator[PairParts]:
    """What the template beside ``image`` tells, if it is of an image as long."""
    for template in (image.with_suffix(".template"), image.with_name(f"{image.name}.template")):
        if not template.is_file():
            continue
        try:
            lengths, size, length = read_lengths(template)
        except WrongBytesError:  # the image itself is what counts
            continue
        if length == image.stat().st_size:
            yield PairParts(printable(template.name), lengths, {}, size, ())
            return
