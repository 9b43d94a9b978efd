"""Trees of files that are linked where that is possible, and copied where not."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder import files
from release_builder.errors import IncompleteError, printable

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

# Another file system; one without hard links, or the file of another user; too many links.
_NOT_LINKED: Final = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP}
# What a system says that cannot copy between these two files by itself.
_UNABLE: Final = {errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EPERM}
_BLOCK: Final = 1 << 30  # bytes of one call


def clone_tree(source: Path | None, target: Path, without: AbstractSet[str]) -> None:
    """Make ``target`` a tree of the same files as ``source``; times and modes stay.

    Args:
        source: A folder; what is none counts as an empty one.
        target: Must not exist.
        without: Files and folders that are left out, relative to ``source``.
    """
    make_folders(target)
    if source is not None and source.is_dir():
        left_out = frozenset(source / name.rstrip("/") for name in without)
        _clone(source, target, left_out)


def _clone(source: Path, target: Path, left_out: AbstractSet[Path]) -> None:
    with os.scandir(source) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path, copy = Path(entry.path), target / entry.name
        if path in left_out:
            continue
        if entry.is_dir(follow_symlinks=False):
            copy.mkdir()
            _clone(path, copy, left_out)
        elif entry.is_symlink():
            copy.symlink_to(path.readlink())
        elif not link_file(path, copy):
            copy_file(path, copy)
    shutil.copystat(source, target)


def link_file(source: Path, target: Path) -> bool:
    """Make ``target`` a name of the file ``source``; False where that is not possible."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NOT_LINKED:
            return False
        raise
    return True


def copy_file(source: Path, target: Path, mode: int | None = None) -> None:
    """Copy a file with its time, and its mode if none is given; the bytes are on disk then.

    A file system that can lets both share their blocks until one of them is written.

    Args:
        source: A regular file.
        target: Must not exist.
        mode: Of the copy.

    Raises:
        IncompleteError: Somebody wrote ``source`` meanwhile; there is no copy.
    """
    with files.open_regular(source) as stream, target.open("xb") as out:
        status = os.fstat(stream.fileno())
        try:
            _copy_blocks(stream, out, status.st_size)
            out.flush()
        except OSError as error:
            error.filename = error.filename or target
            raise
        os.fchmod(out.fileno(), status.st_mode & 0o7777 if mode is None else mode)
        # By its name: Linux before 2.6.22 takes no descriptor.
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fsync(out.fileno())
        after = os.fstat(stream.fileno())
        size = os.fstat(out.fileno()).st_size
    if (size, after.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
        target.unlink()
        raise IncompleteError(
            f"{printable(str(source))} was written while it was copied",
            hint="run it again once nobody writes there",
        )


def _copy_blocks(stream: BinaryIO, out: BinaryIO, size: int) -> None:
    """Copy in the kernel what it copies, and the rest here."""
    try:
        while (left := size - out.seek(0, os.SEEK_CUR)) > 0:
            if not os.copy_file_range(stream.fileno(), out.fileno(), min(left, _BLOCK)):
                break
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
    shutil.copyfileobj(stream, out, 1 << 20)


def same_file(one: Path, two: Path) -> bool:
    """Whether both are regular files of the same size, time and bytes."""
    try:
        first, second = one.lstat(), two.lstat()
    except OSError:
        return False
    return (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns) and (
        filecmp.cmp(one, two, shallow=False)
    )


def make_folders(path: Path) -> None:
    """Make ``path`` and what is missing above it, for all to read whatever the umask."""
    if not path.is_dir():
        make_folders(path.parent)
        path.mkdir(exist_ok=True)
        path.chmod(0o755)
