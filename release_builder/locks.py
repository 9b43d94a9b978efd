"""Locks of files and folders: one process at a time, and who that is."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import BusyError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC: Final = Path("/proc")


def open_locked(path: Path, mode: int = 0o644) -> io.FileIO:
    """Open ``path`` for reading and writing, for us alone; it is made if it is not there.

    Links, FIFOs and devices are refused, never followed nor waited for.

    Raises:
        BusyError: Another process has it open like this, or had until now.
        OSError: It cannot be opened, or is not a regular file of one name.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    out = io.FileIO(os.open(path, flags, mode), "r+b")
    try:
        _lock(out, path)
    except BaseException:
        out.close()
        raise
    return out


def _lock(out: io.FileIO, path: Path) -> None:
    status = os.fstat(out.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        raise OSError(0, "not a regular file of one name", str(path))
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.path.samestat(status, path.lstat())
    except (BlockingIOError, FileNotFoundError):
        ours = False
    except OSError as error:
        error.filename = str(path)
        raise
    if not ours:
        raise BusyError(
            f"another process writes {printable(str(path))}{_told(lock_holder(status))}",
            hint="wait until it has ended",
        )


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold the lock of ``folder`` itself: a lock's file may be removed by somebody.

    Where the file system cannot (NFS), or this process has locked it already, nothing is held.

    Raises:
        BusyError: Another process holds it.
        OSError: It cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = lock_holder(os.fstat(descriptor))
                if holder is None or holder[0] != os.getpid():
                    raise BusyError(
                        f"another process works in {printable(str(folder))}{_told(holder)}",
                        hint="wait until it has ended",
                    ) from error
        yield
    finally:
        os.close(descriptor)


def lock_holder(status: os.stat_result, proc: Path = _PROC) -> tuple[int, str] | None:
    """Who holds the lock of an open file.

    Args:
        status: Of the file.
        proc: Where the kernel tells of its locks and processes.

    Returns:
        The process, below 1 if the kernel cannot name it, and since when it runs, in UTC, empty
        where nothing tells; None if nobody holds it, or nothing tells.

    Source of the format: Linux, proc_locks(5), proc_pid_stat(5).
    """
    try:
        locks = (proc / "locks").read_text()
    except OSError:
        return None
    # 1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF; waiting ones have "->" behind the colon.
    # Some file systems tell another device there than to stat.
    held = re.search(rf": FLOCK +\S+ +\S+ +(-?\d+) +[0-9a-f]+:[0-9a-f]+:{status.st_ino} ", locks)
    return (int(held[1]), _running_since(int(held[1]), proc)) if held else None


def _running_since(number: int, proc: Path) -> str:
    try:
        # The name before the last bracket may have blanks.
        fields = (proc / f"{number}/stat").read_text(errors="replace").rpartition(")")[2].split()
        booted = re.search(r"^btime (\d+)$", (proc / "stat").read_text(), re.MULTILINE)
        if not booted:
            return ""
        began = int(booted[1]) + int(fields[19]) // os.sysconf("SC_CLK_TCK")
        return datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds")
    except (OSError, IndexError, ValueError):
        return ""


def _told(holder: tuple[int, str] | None) -> str:
    if holder is None or holder[0] < 1:
        return ""
    return f": process {holder[0]}" + (f", running since {holder[1]}" if holder[1] else "")


@contextlib.contextmanager
def locked_beside(path: Path) -> Iterator[None]:
    """Keep others that ask so from working on ``path`` while the block lasts.

    Raises:
        BusyError: Somebody does.
        OSError: The lock, which is beside ``path`` meanwhile, cannot be made.
    """
    lock = path.with_name(f".{path.name}.lock")
    with open_locked(lock):
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
