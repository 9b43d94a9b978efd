"""Files that get a second name, or share their blocks, or are copied: whichever is possible."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder import files
from release_builder.errors import IncompleteError, printable

if TYPE_CHECKING:
    from pathlib import Path

# Another file system; one without hard links, or the file of another user; too many links.
_NOT_LINKED: Final = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP}
# What a system says that cannot copy between these two files by itself.
_UNABLE: Final = {errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EPERM}
_BLOCK: Final = 1 << 30  # bytes of one call


def link_file(source: Path, target: Path) -> bool:
    """Make ``target`` a name of the file ``source``; False where that is not possible."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NOT_LINKED:
            return False
        raise
    return True


def is_fit(mode: int) -> bool:
    """Whether a web server may read a file of that mode and not everybody may write it."""
    return mode & 0o444 == 0o444 and not mode & 0o7002


def fit(mode: int) -> int:
    """The mode for a copy of a file that has ``mode``: for all to read."""
    return 0o755 if mode & 0o100 else 0o644


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
