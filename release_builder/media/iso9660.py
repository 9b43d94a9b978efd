"""ISO 9660 images, read as they stream: no tree is kept of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.extents import Extent, Kind
from release_builder.media.el_torito import read_catalog
from release_builder.media.image import MediaError
from release_builder.media.iso_tree import open_tree, walk
from release_builder.media.iso_volume import SYSTEM_AREA, read_descriptors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.media.image import Image
    from release_builder.media.iso_tree import Tree
    from release_builder.media.iso_volume import Descriptors


def iso_extents(image: Image) -> Iterator[Extent]:
    """All that an ISO 9660 image says of where things lie.

    Files are yielded from the first tree with good names: Rock Ridge, then Joliet, then the
    primary one with its plain names. Directories are yielded from every tree. A boot catalog or
    boot image that is also a file is yielded as the file only. Hard links are yielded once a name.

    Raises:
        MediaError: The file system is broken; what was yielded before holds all the same. What
            no file needs is looked at last: path tables, boot catalogs, further trees.
    """
    descriptors = read_descriptors(image)
    yield Extent(0, SYSTEM_AREA, Kind.SYSTEM_AREA)
    yield from descriptors.extents
    faults: list[MediaError] = []
    boot = _boot_extents(image, descriptors, faults)
    trees = _open_trees(image, descriptors, faults)
    named = next((tree for tree in trees if tree.well_named), trees[0])
    seen: set[int] = set()
    for extent in walk(image, named, seen):
        boot.pop(extent.offset, None)
        yield extent
    for tree in trees:
        if tree is not named:
            # Its files are those of the other tree, under worse names.
            folders = (extent for extent in walk(image, tree, seen))
            yield from (extent for extent in folders if extent.kind is Kind.DIRECTORY)
    yield from boot.values()
    for volume in descriptors.volumes:
        for table in volume.path_tables:
            yield image.checked(table)
    if faults:
        raise faults[0]


def _boot_extents(
    image: Image, descriptors: Descriptors, faults: list[MediaError]
) -> dict[int, Extent]:
    """Boot catalogs and boot images by offset; what is wrong with one is added to ``faults``."""
    boot: dict[int, Extent] = {}
    for offset in descriptors.boot_catalogs:
        try:
            boot.update((extent.offset, extent) for extent in read_catalog(image, offset))
        except MediaError as error:
            faults.append(error)
    return boot


def _open_trees(image: Image, descriptors: Descriptors, faults: list[MediaError]) -> list[Tree]:
    """All trees that have a root; a lack of some is added to ``faults``.

    Raises:
        MediaError: None has.
    """
    trees: list[Tree] = []
    for volume in descriptors.volumes:
        try:
            trees.append(open_tree(image, volume))
        except MediaError as error:
            faults.append(error)
    if not trees:
        raise faults[-1]
    return trees
