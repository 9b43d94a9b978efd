"""Files that get a second name, or share their blocks, or are copied: whichever is possible."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.errors import WrongFileError, printable
from release_builder.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from release_builder.repository.sums import Sums

_FICLONE: Final = 0x40049409  # ioctl_ficlonerange(2)
# Another file system; one without hard links, or the file of another user; too many links.
_NOT_LINKED: Final = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP}


def lay(  # noqa: PLR0913 (what it needs to know and to do)
    source: Path,
    target: Path,
    staging: Path,
    sums: Sums,
    sums_of: Callable[[Path], Sums],
    *,
    renaming: Callable[[Path], AbstractContextManager[object]] = contextlib.nullcontext,
) -> None:
    """Give the bytes of ``source`` the name ``target``; they are on disk then.

    Args:
        source: A regular file, or a link to one.
        target: What stands there is replaced in one go.
        staging: A folder on the file system of ``target``, for us alone.
        sums: What the bytes must be.
        sums_of: Tells what they are; it need not read again what has not changed.
        renaming: Hears which file gets another name in its block, and nothing else.

    Raises:
        WrongFileError: They are others; ``target`` is as it was.
        OSError: It cannot be done.
    """
    beside = staging / target.name
    beside.unlink(missing_ok=True)
    try:
        with renaming(source):
            is_linked = _link(source, beside)
        if not is_linked:
            _copy(source, beside)
        if sums_of(beside) != sums:
            raise WrongFileError(
                f"{printable(str(source))} changed while it was published",
                source,
                hint="run it again once nobody writes there",
            )
        with renaming(beside):
            beside.replace(target)
    finally:
        # What has been another name of the same file all the time stays where it was.
        beside.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> bool:
    try:
        os.link(source.resolve(), target)
    except OSError as error:
        if error.errno in _NOT_LINKED:
            return False
        raise
    with open_regular(target) as stream:
        os.fsync(stream.fileno())
    return True


def _copy(source: Path, target: Path) -> None:
    with open_regular(source) as stream, target.open("xb") as out:
        if not _reflink(stream, out):
            shutil.copyfileobj(stream, out, 1 << 20)
            out.flush()
        status = os.fstat(stream.fileno())
        os.fchmod(out.fileno(), status.st_mode & 0o7777 | 0o444)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fsync(out.fileno())


def _reflink(stream: BinaryIO, out: BinaryIO) -> bool:
    with contextlib.suppress(OSError):
        fcntl.ioctl(out.fileno(), _FICLONE, stream.fileno())
        return True
    return False
