"""UDF images, by pycdlib.

Source: ECMA-167, 3rd edition, part 2, chapter 9 (volume recognition); ECMA-119, 2nd edition,
chapters 8 and 9. pycdlib reads UDF only as a companion of ISO 9660: an image without it is shown
with an empty one, in sectors that UDF leaves unused.
"""

from __future__ import annotations

from struct import pack
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from release_builder.extents import Extent, Kind
from release_builder.media.image import MediaError, Window, clean_name, library
from release_builder.media.iso_volume import SECTOR, SYSTEM_AREA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycdlib.udf import UDFFileEntry

    from release_builder.media.image import Image

_STRUCTURES: Final = frozenset({b"BEA01", b"BOOT2", b"NSR02", b"NSR03", b"TEA01"})
_NAMING: Final = frozenset({b"NSR02", b"NSR03"})
_MOST_STRUCTURES: Final = 8
_LONGEST_DIRECTORY: Final = 2 << 20  # bytes; some 20,000 files


def is_udf(image: Image) -> bool:
    """Whether the volume recognition sequence names UDF."""
    return not _NAMING.isdisjoint(_volume_structures(image))


def udf_extents(image: Image) -> Iterator[Extent]:
    """The directories and files of an image, as far as they lie in one piece.

    Files that stand inside their own file entry are not yielded.

    Raises:
        MediaError: pycdlib is not installed; the file system is broken, or of a sort that pycdlib
            does not read.

    Cost: memory for the whole tree, about 3 kB a file: pycdlib keeps it.
    """
    try:
        import pycdlib  # noqa: PLC0415 - an extra, found missing only where it is wanted
    except ImportError as error:
        raise MediaError(
            "UDF cannot be read without pycdlib (pip install release-builder[udf])"
        ) from error

    structures = len(_volume_structures(image))
    disc = pycdlib.PyCdlib()
    with library("UDF, as pycdlib reads it"):
        disc.open_fp(cast("BinaryIO", _BesideIso9660(image, structures)))
        start = disc.udf_main_descs.partitions[0].part_start_location
        root = disc.udf_root
    yield Extent(0, SYSTEM_AREA, Kind.SYSTEM_AREA)
    for number in range(structures):
        yield Extent(SYSTEM_AREA + number * SECTOR, SECTOR, Kind.DESCRIPTOR)
    folders = [("", root)]
    while folders:
        path, folder = folders.pop()
        if folder is None:
            continue
        yield from _in_one_piece(image, folder, start, Kind.DIRECTORY, path)
        for name, entry in _entries(folder):
            below = image.path(path, name)
            if entry.is_dir():
                folders.append((below, entry))
            elif entry.is_file():
                yield from _in_one_piece(image, entry, start, Kind.FILE, below)


def _entries(folder: UDFFileEntry) -> Iterator[tuple[str, UDFFileEntry]]:
    for each in folder.fi_descs.values():
        if not each.is_parent() and each.file_entry is not None:
            yield clean_name(each.fi.decode(each.encoding, "replace")), each.file_entry


def _in_one_piece(
    image: Image, entry: UDFFileEntry, start: int, kind: Kind, path: str
) -> Iterator[Extent]:
    """The extent of an entry, if it has one; ``start`` is the partition's first sector."""
    from pycdlib.udf import UDFInlineAD  # noqa: PLC0415 - see udf_extents

    pieces = [piece for piece in entry.alloc_descs if piece.extent_length]
    if not pieces or any(isinstance(piece, UDFInlineAD) for piece in pieces):
        return
    offset = (start + pieces[0].log_block_num) * SECTOR + pieces[0].offset
    end = offset
    for piece in pieces:
        if (start + piece.log_block_num) * SECTOR + piece.offset != end:
            return
        end += piece.extent_length
    length = min(entry.get_data_length(), end - offset)
    if length:
        yield image.checked(Extent(offset, length, kind, path))


def _volume_structures(image: Image) -> list[bytes]:
    """The identifiers of the volume recognition sequence, a sector each."""
    found: list[bytes] = []
    offset = SYSTEM_AREA
    while len(found) < _MOST_STRUCTURES and offset + SECTOR <= image.size:
        identifier = image.read(offset + 1, 5, "UDF: volume structure")
        if identifier not in _STRUCTURES:
            break
        found.append(identifier)
        offset += SECTOR
    return found


class _BesideIso9660(Window):
    """An image with an empty ISO 9660 file system after its volume recognition sequence."""

    def __init__(self, image: Image, structures: int) -> None:
        super().__init__(image, _LONGEST_DIRECTORY)
        self._work = _LONGEST_DIRECTORY**2  # pycdlib's time grows with the square of what is read
        self._at = SYSTEM_AREA + structures * SECTOR
        self._shown = _empty_iso9660(self._at // SECTOR, image.size // SECTOR)

    def read(self, size: int | None = -1, /) -> bytes:
        """See Window.read."""
        start = self.tell()
        data = super().read(size)
        self._work -= len(data) ** 2
        if self._work < 0:
            raise MediaError("UDF: the directories are too long")
        first, last = max(start, self._at), min(start + len(data), self._at + len(self._shown))
        if first >= last:
            return data
        shown = self._shown[first - self._at : last - self._at]
        return data[: first - start] + shown + data[last - start :]


def _empty_iso9660(at: int, sectors: int) -> bytes:
    """Descriptor, terminator, both path tables and root directory, from sector ``at`` on."""
    little, big, root = at + 2, at + 3, at + 4
    folder = b"\x22\0" + _twice("I", root) + _twice("I", SECTOR) + bytes(7) + b"\2\0\0"
    folder += _twice("H", 1) + b"\1"
    primary = b"\1CD001\1".ljust(80, b"\0") + _twice("I", sectors) + bytes(32)
    primary += _twice("H", 1) + _twice("H", 1) + _twice("H", SECTOR) + _twice("I", 10)
    primary += pack("<II", little, 0) + pack(">II", big, 0) + folder + b"\0"
    parts = (
        primary.ljust(881, b"\0") + b"\1",
        b"\xffCD001\1",
        pack("<BBIHH", 1, 0, root, 1, 0),
        pack(">BBIHH", 1, 0, root, 1, 0),
        folder + b"\0" + folder + b"\1",
    )
    return b"".join(part.ljust(SECTOR, b"\0") for part in parts)


def _twice(code: str, number: int) -> bytes:
    return pack(f"<{code}", number) + pack(f">{code}", number)
