"""The file system, so that nothing is half-written and no name leads astray."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import pwd
import stat
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.errors import SurroundingsError, WrongBytesError, printable
from release_builder.locks import open_locked

_BLOCK: Final = 1 << 20  # bytes
_OF_WRITING: Final = frozenset({errno.EFBIG, errno.ENOSPC, errno.EDQUOT})

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from _typeshed import WriteableBuffer

    from release_builder.digests import Readable


def check_relative(name: str) -> str:
    """``name``, if it is a relative path that stays below its folder.

    Raises:
        WrongBytesError: It is empty or absolute, or has ``..`` or a NUL in it.
    """
    if not name or name.startswith("/") or "\0" in name or ".." in name.split("/"):
        raise WrongBytesError(f"the name '{printable(name)}' would lead out of its folder")
    return name


def check_leaf(name: str) -> str:
    """``name``, if it is the plain name of a file.

    Raises:
        WrongBytesError: It names a folder or leads into one.
    """
    if "/" in check_relative(name) or name == ".":
        raise WrongBytesError(f"'{printable(name)}' is not the plain name of a file")
    return name


def safe_join(root: Path, name: str) -> Path:
    """The path of ``name`` below ``root``; links on the way may not lead out of ``root``.

    Raises:
        WrongBytesError: ``name``, or a link on the way, leads elsewhere or to itself.
    """
    path = root / check_relative(name)
    try:
        real = path.resolve()
    except RuntimeError as error:  # before Python 3.13
        raise WrongBytesError(f"'{printable(name)}' is a link that leads to itself") from error
    if not real.is_relative_to(root.resolve()):
        raise WrongBytesError(f"'{printable(name)}' is a link that leads out of {root}")
    return path


def real_path(path: Path) -> Path:
    """Where ``path`` leads; to itself where links lead in a circle, which resolve() raises on."""
    return Path(os.path.realpath(path))


def check_link(path: Path) -> None:
    """See that ``path``, which need not be there, is no link of somebody else that leads elsewhere.

    Raises:
        SurroundingsError: It is; one of root or of this user is a wish.
        OSError: It cannot be looked at.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode) and status.st_uid not in {0, os.geteuid()}:
            raise SurroundingsError(
                f"{printable(str(path))} is a link that user {_name(status.st_uid)} made",
                hint="remove it, or run as that user; a link that you made yourself is followed",
            )


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


class _RegularFile(io.FileIO):
    """Gives as many bytes as are asked for, unless it ends before; the system may give fewer."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        while 0 < len(data) < (size or 0) and (more := super().read((size or 0) - len(data))):
            data += more
        return data

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and (count := super().readinto(view[done:])):
            done += count
        return done


def open_regular(path: str | os.PathLike[str], *, through_link: bool = True) -> io.FileIO:
    """Open ``path`` for reading; FIFOs, devices and folders are refused, never waited for.

    Args:
        path: The file.
        through_link: Whether ``path`` may be a link to it.

    Raises:
        OSError: It cannot be opened, or is not a regular file.
    """
    # O_NONBLOCK: the opening of a FIFO without writer would wait for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags if through_link else flags | os.O_NOFOLLOW)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file", str(path))
    return _RegularFile(descriptor)


def read_at(descriptor: int, count: int, offset: int) -> bytes:
    """``count`` bytes from ``offset`` of an open file, or as many as there are; its position stays.

    The system may give fewer at a time.
    """
    data = os.pread(descriptor, count, offset)
    while 0 < len(data) < count and (
        more := os.pread(descriptor, count - len(data), offset + len(data))
    ):
        data += more
    return data


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write all of ``data`` at ``offset`` of an open file, whose position stays."""
    view = memoryview(data)
    while view:
        count = os.pwrite(descriptor, view, offset)
        view, offset = view[count:], offset + count


def write_all(stream: BinaryIO, data: bytes) -> None:
    """Write all of ``data`` to a stream of anybody: one without a buffer may take fewer at a time.

    Raises:
        OSError: It takes no more: there is no room, or it does not wait for its reader.
    """
    view = memoryview(data)
    while view:
        count = stream.write(view)
        if not count:
            raise BlockingIOError(errno.EAGAIN, "takes no more bytes now, and does not wait")
        view = view[count:]


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name ``path`` in what the system says of writing to an open file: it names none."""
    try:
        yield
    except OSError as error:
        if error.errno in _OF_WRITING:
            error.filename = error.filename or str(path)
        raise


@contextlib.contextmanager
def replacing(path: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A new file that becomes ``path`` when the block ends well, and vanishes when not.

    The bytes are on disk before the name points to them. What a killed run left is overwritten
    by the next: the name beside is always the same.

    Raises:
        BusyError: Another process is replacing ``path``.
        OSError: It cannot be written; ``filename`` is ``path``.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        with open_locked(beside, mode) as file, io.BufferedWriter(file) as out:
            try:
                file.truncate(0)
                yield out
                out.flush()
                os.fsync(file.fileno())
                beside.replace(path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
    except OSError as error:
        if error.filename in {None, str(beside), beside}:
            error.filename = str(path)
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Bring the bytes of the file ``path`` to disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in ``folder`` to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def existing_parent(path: Path) -> Path:
    """``path`` or the nearest folder above it that exists."""
    while not path.exists():
        path = path.parent
    return path


def free_space(path: Path) -> int:
    """Bytes that this user may still write where ``path`` is or will be."""
    room = os.statvfs(existing_parent(path))
    return room.f_bavail * room.f_frsize


def read_bounded(stream: Readable, limit: int, what: str) -> bytes:
    """All of ``stream``, if that is at most ``limit`` bytes.

    Raises:
        WrongBytesError: It is longer.
    """
    chunks, left = [], limit + 1
    while left and (chunk := stream.read(min(left, _BLOCK))):  # it asks for what is read
        chunks.append(chunk)
        left -= len(chunk)
    if not left:
        raise WrongBytesError(f"{what} is larger than {limit:,} bytes: that cannot be right")
    return b"".join(chunks)


def resource(name: str) -> Traversable:
    """A file or folder that is part of the package, below ``release_builder/``.

    It may lie in a zip: then it has no path that others could open.
    """
    return _package().joinpath(name)


@cache
def _package() -> Traversable:
    return files("release_builder")
