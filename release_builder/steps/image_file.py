"""The image as a file: measured, moved aside, begun, given its name."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from release_builder.digests import digest_stream
from release_builder.errors import SurroundingsError
from release_builder.files import free_space, naming, open_regular, sync_file, sync_folder
from release_builder.monitor import Monitor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.sources import DigestCache


@dataclass(frozen=True, slots=True)
class Measured:
    """What a file is.

    Attributes:
        size: Bytes.
        digests: One for each algorithm that was asked for.
        read: Whether it was read for that, or all was known from before.
    """

    size: int
    digests: dict[str, Digest]
    read: bool


def measure(
    path: Path,
    algorithms: Iterable[str],
    cache: DigestCache,
    *,
    full: bool = False,
    monitor: Monitor | None = None,
) -> Measured:
    """Size and digests of the file at ``path``, read only as far as they are not known.

    Args:
        path: A regular file.
        algorithms: Those of the digests.
        cache: What is known from before; learns what is read.
        full: Read it in any case.
        monitor: Hears how far the reading is.

    Raises:
        OSError: It cannot be read.
    """
    monitor = monitor or Monitor()
    with open_regular(path) as stream:
        status = os.fstat(stream.fileno())
        known = {} if full else {each: cache.get(status, each) for each in algorithms}
        digests = {each: digest for each, digest in known.items() if digest is not None}
        unknown = [each for each in algorithms if each not in digests]
        if unknown:
            monitor.begin("read the image", status.st_size)
            try:
                digests |= digest_stream(stream, unknown, monitor.advance)
            finally:
                monitor.end()
            for each in unknown:
                cache.put(status, digests[each])
    return Measured(status.st_size, digests, bool(unknown))


def move_aside(path: Path, folder: Path) -> Path:
    """Move whatever stands at ``path`` into ``folder``; what was moved there before is kept.

    Returns:
        Where it is now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target, number = folder / path.name, 1
    while os.path.lexists(target):
        number += 1
        target = folder / f"{path.name}.{number}"
    path.rename(target)
    return target


@contextmanager
def unfinished(path: Path, length: int, aside: Path) -> Iterator[BinaryIO]:
    """The file at ``path``, of ``length`` bytes, open for going on with it; made if missing.

    Args:
        path: The unfinished image.
        length: Bytes that it will have.
        aside: Where something else of that name is moved: we write through no link.

    Raises:
        SurroundingsError: There is no room for it.
        OSError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(path) and not _is_plain(path):
        move_aside(path, aside)
    _check_room(path, length)
    # Opened by name alone, a link that appears meanwhile is refused.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with naming(path), os.fdopen(descriptor, "r+b", buffering=0) as out:
        out.truncate(length)
        yield out


def _is_plain(path: Path) -> bool:
    """Whether this is a regular file that has no other name."""
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def finish(path: Path, name: Path) -> None:
    """Bring the image at ``path`` to disk and give it its name."""
    sync_file(path)
    path.rename(name)
    sync_folder(name.parent)


def _check_room(path: Path, length: int) -> None:
    try:
        status = path.stat()
        has = status.st_blocks * 512 if stat.S_ISREG(status.st_mode) else 0
    except FileNotFoundError:
        has = 0
    need, free = max(0, length - has), free_space(path.parent)
    if need > free:
        raise SurroundingsError(
            f"{path.parent}: the image still needs {need:,} bytes, {free:,} bytes are free",
            hint="free some room, or name another folder with --workdir",
        )
