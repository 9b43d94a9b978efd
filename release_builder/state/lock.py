"""One run at a time: a lock that the kernel drops with its last holder, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import socket
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import LOCKLESS, BusyError, SurroundingsError, printable
from release_builder.locks import lock_holder, locked_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

_PATIENCE: Final = 10.0  # seconds for what a killed run had started
_WORDS_LIMIT: Final = 512  # bytes of the holder's words that a message repeats
_PROC: Final = Path("/proc")
_WORKDIR: Final = "--workdir names another folder"


@contextlib.contextmanager
def hold(path: Path, *, with_folder: bool = False, elsewhere: str = _WORKDIR) -> Iterator[FileIO]:
    """Hold the lock ``path`` while the block runs.

    The file stays for ever: whoever removed it could not know who waits at the old one. Between
    machines (NFS) it holds where the file system passes flock on, as Linux has since 2.6.12.

    Args:
        path: The lock's file; it and its folder are made where missing.
        with_folder: Hold its folder too, so that nobody gets in who removed the file; no other
            lock may lie there then.
        elsewhere: How the user can have it in another folder, for hints.

    Yields:
        The open file. A program that inherits its ``fileno()`` keeps the lock when we die.

    Raises:
        BusyError: Another run holds it; the message says which process, where, since when. If
            that was killed, what it had started is given a few seconds to end.
        SurroundingsError: The file cannot be opened, or its file system has no locks.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _open(path)
    except OSError as error:
        raise _unusable(path, error, elsewhere) from error
    with lock:
        try:
            _take(lock, path)
        except OSError as error:
            raise _unusable(path, error, elsewhere) from error
        with locked_folder(path.parent) if with_folder else contextlib.nullcontext():
            yield lock


def holder(path: Path, proc: Path = _PROC) -> str:
    """Who holds the lock ``path``, such as "process 12 on host since 2030-01-01T04:15:00+00:00".

    The lock is not tried: a run that begins in that very moment would find it taken.

    Args:
        path: The lock's file.
        proc: Where the kernel tells of its locks.

    Returns:
        Nothing if nobody holds it, or nothing tells.
    """
    try:
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode):
            return ""
        held = lock_holder(state, proc)
        words = path.read_bytes()[:_WORDS_LIMIT].decode("utf-8", "replace").strip()
    except OSError:
        return ""
    if not held:
        return ""
    # The words of the last run stay; a number below 1 is of a process that the kernel cannot name.
    number, _ = held
    ours = number < 1 or words.startswith(f"process {number} ")
    return words if words and ours else f"process {number}"


def _open(path: Path) -> FileIO:
    # A link planted in the place of the lock must not make us write elsewhere, nor a FIFO wait.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o644)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file")
    return os.fdopen(descriptor, "r+b", buffering=0)


def _take(lock: FileIO, path: Path) -> None:
    patience = time.monotonic() + _PATIENCE
    while not _taken(lock):
        words = os.pread(lock.fileno(), _WORDS_LIMIT, 0).decode("utf-8", "replace").strip()
        if _is_gone(words) and time.monotonic() < patience:
            time.sleep(0.1)
            continue
        raise BusyError(
            f"another run holds {printable(str(path))}: {printable(words) or 'just started'}",
            hint="wait for it to end; if that process is gone, a program that it started still "
            f"runs: fuser {printable(str(path))}",
        )
    since = datetime.now(UTC).isoformat(timespec="seconds")
    words = f"process {os.getpid()} on {socket.gethostname()} since {since}\n"
    # Cut after the writing, not before it: a reader never finds the file empty.
    os.ftruncate(lock.fileno(), os.pwrite(lock.fileno(), words.encode(), 0))


def _taken(lock: FileIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_gone(words: str) -> bool:
    """Whether the process of ``words`` was killed; what it had started soon notices, and ends."""
    holder = re.match(r"process (\d+) on (\S+) since", words)
    if not holder or holder[2] != socket.gethostname():
        return False
    try:
        os.kill(int(holder[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # it is somebody else's
        pass
    return False


def _unusable(path: Path, error: OSError, elsewhere: str) -> SurroundingsError:
    hint = "it must be a plain file in a folder that this user may write"
    if error.errno in LOCKLESS:
        hint = (
            "its file system keeps no locks: on NFS, start the lock services, mount without nolock"
        )
    return SurroundingsError(
        f"cannot lock {printable(str(path))}: {error.strerror or error}",
        hint=f"{hint}; {elsewhere}",
    )
