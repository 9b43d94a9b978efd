"""Puavo's settings in a squashfs image, read without root by ``unsquashfs``.

Source: Linux, ``fs/squashfs/squashfs_fs.h`` (the superblock); unsquashfs(1), whose ``-lls`` and
``-d`` all versions since 4.0 have; puavo-os, ``/usr/share/puavo-conf/definitions``.
"""

from __future__ import annotations

import errno
import json
import re
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import (
    IncompleteError,
    StoppedError,
    SurroundingsError,
    printable,
)
from release_builder.files import open_regular
from release_builder.media.image import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFINITIONS: Final = "usr/share/puavo-conf/definitions"

_SUPERBLOCK: Final = struct.Struct("<4s36xQ48x")  # magic, …, bytes used, …
_MAGIC: Final = b"hsqs"
_MOST_BYTES: Final = 64 << 20  # of all definitions
_MOST_FILES: Final = 10_000  # of definitions; Puavo has some 60
_LISTED: Final = re.compile(
    r"(?P<type>[-a-z])\S{9} +\S+ +(?P<size>[0-9]{1,19}) \S+ \S+ root/(?P<path>.+)"
)
# What an unpacked name is where the image has no regular file.
_NO_FILE: Final = {0, errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}
# What is no fault of the image.
_LOCAL: Final = re.compile(
    r".*(?:No space left on device|Disk quota exceeded|Input/output error|Permission denied"
    r"|Too many open files|Cannot allocate memory|Read-only file system).*"
)


def check_whole(image: Path) -> None:
    """Let pass a squashfs image of which nothing is cut off.

    Raises:
        MediaError: It is none, or shorter than it says.
        OSError: It cannot be read.
    """
    with open_regular(image) as stream:
        start = stream.read(_SUPERBLOCK.size)
        size = stream.seek(0, 2)
    if len(start) < _SUPERBLOCK.size or not start.startswith(_MAGIC):
        raise MediaError(f"{_shown(image)}: no squashfs image")
    _, used = _SUPERBLOCK.unpack(start)
    if size < used:
        raise MediaError(f"{_shown(image)}: cut off: it has {size:,} of {used:,} bytes")


def read_definitions(image: Path) -> dict[str, object]:
    """All definitions of puavo-conf in an image, merged in the order of their files' names.

    Returns:
        None of them, where the image has none.

    Raises:
        MediaError: It is no whole squashfs image; or a definition is not what it must be, or
            stands in two files.
        OSError: It cannot be read.
        IncompleteError: ``unsquashfs`` was killed.
        SurroundingsError: ``unsquashfs`` is not installed, or has no room to unpack.
    """
    check_whole(image)
    sizes = parse_sizes(_unsquashfs(image, "-lls", "-d", "root"), image)
    if not sizes:
        return {}
    merged: dict[str, object] = {}
    for name, said in _extracted(image, sizes):
        if twice := merged.keys() & said.keys():
            raise MediaError(f"{_shown(image)}: {name}: {min(twice)} is defined elsewhere too")
        merged |= said
    return merged


def parse_sizes(listing: str, image: Path) -> dict[str, int]:
    """The definitions' sizes by plain name.

    Args:
        listing: What ``unsquashfs -lls -d root`` says.
        image: For messages.

    Raises:
        MediaError: One is no regular file, or they are too many or too large.
    """
    sizes = {}
    for line in listing.splitlines():
        listed = _LISTED.fullmatch(line)
        if listed is None:
            continue
        path = listed["path"].partition(" -> ")[0] if listed["type"] == "l" else listed["path"]
        if not re.fullmatch(rf"{DEFINITIONS}/[^/]+\.json", path):
            continue
        if listed["type"] != "-":
            raise MediaError(f"{_shown(image)}: {printable(path)}: no regular file")
        sizes[path.rpartition("/")[2]] = int(listed["size"])
    if len(sizes) > _MOST_FILES or sum(sizes.values()) > _MOST_BYTES:
        raise MediaError(f"{_shown(image)}: its definitions are too large: that cannot be right")
    return sizes


def _extracted(image: Path, sizes: dict[str, int]) -> Iterator[tuple[str, dict[str, object]]]:
    """What each file of definitions says, in the order of the names."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        _unsquashfs(image, "-n", "-d", str(tree))
        for name in sorted(sizes):
            try:
                with open_regular(tree / DEFINITIONS / name, through_link=False) as stream:
                    content = stream.read(sizes[name] + 1)
            except OSError as error:
                if error.errno not in _NO_FILE:
                    raise
                raise MediaError(f"{_shown(image)}: {printable(name)}: damaged") from error
            if len(content) != sizes[name]:
                raise MediaError(f"{_shown(image)}: {printable(name)}: damaged")
            yield printable(name), parse_definitions(content, f"{_shown(image)}: {printable(name)}")


def parse_definitions(content: bytes, where: str) -> dict[str, object]:
    """What a file of definitions says.

    Args:
        content: JSON.
        where: For messages; printable.

    Raises:
        MediaError: It is none.
    """
    try:
        said = json.loads(content, parse_constant=_refused)
        json.dumps(said, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise MediaError(f"{where}: not JSON: {printable(str(error))}") from error
    if not isinstance(said, dict):
        raise MediaError(f"{where}: not an object of definitions")
    return said


def _refused(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _unsquashfs(image: Path, *options: str) -> str:
    outcome = process.run(["unsquashfs", *options, str(image.absolute()), f"{DEFINITIONS}/*.json"])
    if outcome.status in {-2, -15}:
        raise StoppedError("unsquashfs was stopped", hint="the same command goes on from here")
    if outcome.status < 0:  # what it has printed until then is not all
        raise IncompleteError(
            f"{_shown(image)}: unsquashfs was killed by signal {-outcome.status}",
            hint="run again; give less --memory if memory was short",
        )
    if outcome.status not in {0, 2}:  # 2: it could not set an attribute
        if line := _LOCAL.search(outcome.stderr):
            raise SurroundingsError(
                f"unsquashfs: {printable(line[0])}",
                hint="look at the room and the permissions there",
            )
        words = printable(outcome.stderr.strip().partition("\n")[0])
        raise MediaError(f"{_shown(image)}: unsquashfs cannot read it: {words}")
    return outcome.stdout


def _shown(image: Path) -> str:
    return printable(str(image))
