"""Locks of files and folders: one process at a time, and who that is."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import re
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import BusyError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC: Final = Path("/proc")
_PATIENCE: Final = 1.0  # seconds, with one who is just ending
_PAUSE: Final = 0.02  # seconds


class _PassingError(BusyError):
    """Who had the file has ended, or ends just now."""


def open_locked(path: Path, mode: int = 0o644) -> io.FileIO:
    """Open ``path`` for reading and writing, for us alone; it is made if it is not there.

    Links, FIFOs and devices are refused, never followed nor waited for.

    Raises:
        BusyError: Another process has it open like this, or had until now.
        OSError: It cannot be opened, or is not a regular file of one name.
    """
    return _open_locked(path, mode, path)


def _open_locked(path: Path, mode: int, meant: Path) -> io.FileIO:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        out = io.FileIO(os.open(path, flags, mode), "r+b")
        try:
            _lock(out, path, meant)
        except BaseException:
            out.close()
            raise
    except OSError as error:
        error.filename = str(meant)
        raise
    return out


def _lock(out: io.FileIO, path: Path, meant: Path) -> None:
    status = os.fstat(out.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        raise OSError(0, "not a regular file of one name", str(path))
    holder = None
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(status, path.lstat()):
            return
    except BlockingIOError:
        holder = lock_holder(status)
    except FileNotFoundError:
        pass
    raise (BusyError if holder else _PassingError)(
        f"another process writes {printable(str(meant))}{_told(holder)}",
        hint="wait until it has ended",
    )


@contextlib.contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold the lock of ``folder`` itself: a lock's file may be removed by somebody.

    Where the file system cannot (NFS), or it is locked for us already, by this process or one that
    it came from (``flock FOLDER release-builder …``), nothing is held.

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
                status = os.fstat(descriptor)
                if not _is_ours(status):
                    raise BusyError(
                        f"another process works in {printable(str(folder))}"
                        f"{_told(lock_holder(status))}",
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
    held = _numbers(locks, status)
    return (held[0], _running_since(held[0], proc)) if held else None


def _numbers(locks: str, status: os.stat_result) -> list[int]:
    """Of the processes that hold the lock, as ``locks`` says."""
    # 1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF; waiting ones have "->" behind the colon.
    line = rf": FLOCK +\S+ +\S+ +(-?\d+) +([0-9a-f]+:[0-9a-f]+):{status.st_ino} "
    found = re.findall(line, locks)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    # Some file systems tell another device there than to stat.
    return [int(number) for number, place in found if place == device] or [
        int(number) for number, _ in found
    ]


def _is_ours(status: os.stat_result) -> bool:
    """Whether all that hold the lock are this process, those that it came from, or gone to it."""
    try:
        holders = set(_numbers((_PROC / "locks").read_text(), status))
    except OSError:
        return False
    ours, number = set[int](), os.getpid()
    with contextlib.suppress(OSError, IndexError, ValueError):
        while number > 0:
            ours.add(number)
            number = int(_fields(number, _PROC)[1])
    # `flock 9` in a shell takes the lock, ends, and leaves it to the descriptor that we inherit.
    for each in (_PROC / "self/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            ours.update(_numbers(each.read_text(), status))
    return bool(holders) and holders <= ours


def _running_since(number: int, proc: Path) -> str:
    try:
        booted = re.search(r"^btime (\d+)$", (proc / "stat").read_text(), re.MULTILINE)
        if not booted:
            return ""
        began = int(booted[1]) + int(_fields(number, proc)[19]) // os.sysconf("SC_CLK_TCK")
        return datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds")
    except (OSError, IndexError, ValueError):
        return ""


def _fields(number: int, proc: Path) -> list[str]:
    """What the kernel tells of a process, from its state on."""
    # The name before the last bracket may have blanks.
    return (proc / f"{number}/stat").read_text(errors="replace").rpartition(")")[2].split()


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
    with _patiently_locked(lock, path):
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _patiently_locked(lock: Path, meant: Path) -> io.FileIO:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return _open_locked(lock, 0o644, meant)
        except _PassingError:
            if time.monotonic() > until:
                raise
        time.sleep(_PAUSE)
