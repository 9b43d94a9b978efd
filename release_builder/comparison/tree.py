"""The packages and files of an installer tree."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.comparison.inventory import File
from release_builder.comparison.packages import SUFFIX, from_file_name, from_header
from release_builder.errors import printable
from release_builder.files import open_regular
from release_builder.jigdo.sources import digest_of_file
from release_builder.media import MediaError
from release_builder.media.rpm import read_package

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_builder.comparison.inventory import Contents
    from release_builder.digests import Digest
    from release_builder.jigdo.sources import DigestCache
    from release_builder.monitor import Monitor


def read_tree(  # noqa: PLR0913 (what it needs)
    root: Path,
    into: Contents,
    *,
    changes: bool,
    algorithm: str,
    known: Mapping[str, tuple[int | None, Digest]],
    cache: DigestCache,
    monitor: Monitor,
) -> None:
    """Add the packages and files below ``root`` to ``into``.

    What is no RPM though it is called so counts by its name, and is told. Links to files count as
    the files; those to folders are not followed.

    Args:
        root: The tree.
        into: Grows.
        changes: Read changelogs too.
        algorithm: Of the digests.
        known: By path below ``root``, size and digest as a .jigdo states them: a file of that
            size is not read again.
        cache: Digests known from before.
        monitor: Hears of the bytes that are read.

    Raises:
        OSError: A folder or file cannot be read.
    """
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        size = path.stat().st_size
        stated = known.get(name)
        if stated and stated[0] == size and stated[1].algorithm == algorithm:
            digest = stated[1]
        else:
            digest = digest_of_file(str(path), algorithm, cache, monitor.advance)
        if not name.endswith(SUFFIX):
            into.files.append(File(name, size, digest))
            continue
        try:
            with open_regular(path) as stream:
                package = read_package(stream, path.name, changes=changes)
            into.packages.append(from_header(package, name, digest))
        except MediaError as error:
            into.problems.append(printable(error.what))
            named = from_file_name(name, size, digest)
            if named:
                into.packages.append(named)
            else:
                into.files.append(File(name, size, digest))


def _files(root: Path) -> Iterator[Path]:
    """The files below ``root`` that are not empty, sorted; an unreadable folder is an error."""

    def refuse(error: OSError) -> None:
        raise error

    for folder, folders, names in os.walk(root, onerror=refuse):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and path.stat().st_size:
                yield path
