"""ISO 9660 images, read as they stream: no tree is kept of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.extents import Extent, Kind
from release_builder.media.el_torito import read_catalog
from release_builder.media.iso_tree import open_tree, walk
from release_builder.media.iso_volume import SYSTEM_AREA, read_descriptors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.media.image import Image


def iso_extents(image: Image) -> Iterator[Extent]:
    """All that an ISO 9660 image says of where things lie.

    Files are yielded from the first tree with good names: Rock Ridge, then Joliet, then the
    primary one with its plain names. Directories are yielded from every tree. A boot catalog or
    boot image that is also a file is yielded as the file only. Hard links are yielded once a name.

    Raises:
        MediaError: The file system is broken; what was yielded before holds all the same.
    """
    descriptors = read_descriptors(image)
    yield Extent(0, SYSTEM_AREA, Kind.SYSTEM_AREA)
    yield from descriptors.extents
    for volume in descriptors.volumes:
        for table in volume.path_tables:
            yield image.checked(table)

    boot = {
        extent.offset: extent
        for offset in descriptors.boot_catalogs
        for extent in read_catalog(image, offset)
    }
    trees = [open_tree(image, volume) for volume in descriptors.volumes]
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
