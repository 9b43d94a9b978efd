"""A walk through the directories of an ISO 9660 image.

Names are Rock Ridge's, where the tree has it, else Joliet's or plain ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.extents import Extent, Kind
from release_builder.media.image import MediaError, clean_name
from release_builder.media.iso_records import DIRECTORY, read_first, read_records, whole_file
from release_builder.media.rock_ridge import find_rock_ridge, read_rock_ridge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.media.image import Image
    from release_builder.media.iso_records import Record
    from release_builder.media.iso_volume import Volume

_DEEPEST: Final = 1000  # directories inside one another
_LONGEST_PATH: Final = 32 << 10  # characters


@dataclass(frozen=True, slots=True)
class Tree:
    """A volume and how its names are read.

    Attributes:
        volume: Where the tree begins.
        skip: Bytes before the first Rock Ridge entry of a record; None without Rock Ridge.
    """

    volume: Volume
    skip: int | None

    @property
    def well_named(self) -> bool:
        """Whether the names are those that the files had before."""
        return self.skip is not None or self.volume.joliet


def open_tree(image: Image, volume: Volume) -> Tree:
    """The tree of a volume.

    Raises:
        MediaError: No root directory is where it should be.
    """
    root = read_first(image, volume.root, volume.block)
    return Tree(volume, None if volume.joliet else find_rock_ridge(image, root, volume.block))


def walk(image: Image, tree: Tree, seen: set[int]) -> Iterator[Extent]:
    """The directories and files of a tree, a directory before what is in it.

    Not yielded: empty files; files that lie in more than one piece, and among them those of
    several extents that do not adjoin.

    Args:
        image: The image.
        tree: The tree.
        seen: The offsets of directories that were yielded before: each one is visited once, so
            that none leads back to itself. Grows.

    Raises:
        MediaError: A record is wrong or names bytes beyond the end, or directories are nested more
            than 1,000 deep.

    Cost: memory for a part of each directory on the way down to the present one, for ``seen``, and
    for the directories that were moved because they are too deep.
    """
    root = Extent(tree.volume.root, tree.volume.root_length, Kind.DIRECTORY)
    way = [iter([image.checked(root)])]
    moved: list[Extent] = []
    while way or moved:
        if not way:  # only what no other record leads to is still new
            way.append(iter([moved.pop()]))
        found = next(way[-1], None)
        if found is None:
            way.pop()
        elif found.kind is not Kind.DIRECTORY:
            yield found
        elif found.offset not in seen:
            seen.add(found.offset)
            yield found
            if len(way) > _DEEPEST:
                raise MediaError(f"ISO 9660: directories too deep at offset {found.offset}")
            way.append(_contents(image, tree, found, moved))


def _contents(image: Image, tree: Tree, folder: Extent, moved: list[Extent]) -> Iterator[Extent]:
    """What is in a directory; directories that belong elsewhere go to ``moved``."""
    if len(folder.name) > _LONGEST_PATH:
        raise MediaError(f"ISO 9660: the path of the directory at offset {folder.offset} is long")
    records = read_records(image, folder.offset, folder.length, tree.volume.block)
    for record in records:
        name, place, relocated = _resolve(image, tree, record)
        is_folder = bool(place.flags & DIRECTORY)
        whole = place if is_folder else whole_file(place, records)
        if whole is None or not whole.length:
            continue
        kind = Kind.DIRECTORY if is_folder else Kind.FILE
        path = image.path(folder.name, name)
        extent = image.checked(Extent(whole.offset, whole.length, kind, path))
        if is_folder and relocated:
            moved.append(extent)
        else:
            yield extent


def _resolve(image: Image, tree: Tree, record: Record) -> tuple[str, Record, bool]:
    """Name and record of what a record stands for, and whether that belongs elsewhere."""
    if tree.skip is None:
        return _iso_name(record.identifier, joliet=tree.volume.joliet), record, False
    block = tree.volume.block
    name, child, relocated = read_rock_ridge(image, record, block, tree.skip)
    place = record if child is None else read_first(image, child * block, block)
    if not name:
        return _iso_name(record.identifier, joliet=False), place, relocated
    return clean_name(name.decode("utf-8", "surrogateescape")), place, relocated


def _iso_name(identifier: bytes, *, joliet: bool) -> str:
    if joliet:
        return clean_name(identifier.decode("utf-16-be", "replace").removesuffix(";1"))
    name = identifier.decode("utf-8", "surrogateescape").removesuffix(";1")
    return clean_name(name.removesuffix("."))
