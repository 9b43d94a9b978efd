"""What can end a command, by who is at fault; the class fixes the exit status."""

from __future__ import annotations

import errno
import re
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path


class Status(IntEnum):
    """Exit statuses of every command."""

    DONE = 0  # done and verified, or nothing to do
    INCOMPLETE = 1  # run again later
    WRONG = 2  # usage, descriptor, or bytes that do not verify
    SURROUNDINGS = 3  # missing program, permission, disk full
    BUSY = 75  # another run holds the lock
    INTERRUPTED = 130


class ReleaseBuilderError(Exception):
    """A problem that ends a step: what happened and where, then what to do.

    Attributes:
        what: One sentence that names the thing and the place.
        hint: What the user can do about it; empty when nothing more is known.
    """

    status: ClassVar[Status] = Status.WRONG

    def __init__(self, what: str, *, hint: str = "") -> None:
        self.what = without_passwords(what)
        self.hint = without_passwords(hint)
        super().__init__(self.what)

    def __str__(self) -> str:
        return f"{self.what}\n{self.hint}" if self.hint else self.what


class IncompleteError(ReleaseBuilderError):
    """Not all is there yet; the same command later may finish."""

    status = Status.INCOMPLETE


class DescriptorError(ReleaseBuilderError):
    """What the user wrote, in a descriptor or on the command line, cannot be meant."""


class WrongBytesError(ReleaseBuilderError):
    """Bytes from outside are not what their format or their digest demands."""


class WrongFileError(WrongBytesError):
    """A file of the tree has not the digest that others state for it.

    Attributes:
        path: The file; fetching it once more may help.
    """

    def __init__(self, what: str, path: Path, *, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.path = path


class SurroundingsError(ReleaseBuilderError):
    """The machine lacks something: a program, a permission, room."""

    status = Status.SURROUNDINGS


class BusyError(ReleaseBuilderError):
    """Another run holds the lock."""

    status = Status.BUSY


class StoppedError(ReleaseBuilderError):
    """Somebody stopped a program that we waited for."""

    status = Status.INTERRUPTED


class OutOfTimeError(KeyboardInterrupt):
    """The time that all work may take has passed.

    It is a KeyboardInterrupt because it comes at any place, and nobody should take it for a
    failure of what was just being tried.

    Attributes:
        seconds: How much that was.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


# What the machine lacks, as Python says it: ``surroundings`` tells a bug from it.
Lack: TypeAlias = OSError | MemoryError | RuntimeError
LACKS: Final = (OSError, MemoryError, RuntimeError)

LOCKLESS: Final = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})  # of flock(2)

_USERS = re.compile(r"(?<=://)[^\s'\"]*(?=@)")
_PASSWORDS = re.compile(
    # of a URL, where only a port is no password, or of what may once have been one; bounded, for
    # a stranger's text may have many begins of one and no end
    r"""(?<=://)[^\s'"/:@]{0,99}:(?!\d+/)[^\s'"]{0,299}(?=@)"""
    r"""|(?<![^\s'"/=(])[^\s'"/:=(@]{0,99}:[^\s'"/]{1,299}(?=@)"""
)
_NO_THREAD: Final = "can't start new thread"  # all that Python says
_NO_MEMORY: Final = "there is not enough memory for this"
_MEMORY_HINT: Final = "free some, or raise the limit (ulimit -v)"
_THREAD_HINT: Final = "free some memory, or raise the limits (ulimit -v, ulimit -u)"
_HINTS = {
    errno.ENOLCK: "its file system keeps no locks: name a folder on another",
    errno.ENOSPC: "free some room, or name another folder",
    errno.EDQUOT: "free some room, or name another folder",
    errno.EROFS: "the file system is read-only: name another folder",
    errno.EACCES: "give this user the permission, or name another folder",
    errno.EPERM: "give this user the permission, or name another folder",
    errno.ENOENT: "make it, or name another",
    errno.EEXIST: "what stands there is no folder: move it away",
    errno.ENOTDIR: "what should be a folder is none: name another",
    errno.ENAMETOOLONG: "shorten the name: 200 bytes leave room for what is kept beside the file",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f)",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENOMEM: _MEMORY_HINT,
}


def surroundings(error: Lack) -> SurroundingsError:
    """The SurroundingsError that says what ``error`` means to a user.

    Raises:
        RuntimeError: ``error`` is one that does not say that no thread can be started: a bug.
    """
    if isinstance(error, MemoryError):
        return SurroundingsError(_NO_MEMORY, hint=_MEMORY_HINT)
    if isinstance(error, RuntimeError):
        if str(error) != _NO_THREAD:
            raise error
        return SurroundingsError("no thread can be started", hint=_THREAD_HINT)
    # Which file was one too many tells nothing: it may be one of ours.
    is_named = error.filename and error.errno not in {errno.EMFILE, errno.ENFILE}
    place = f"{printable(str(error.filename))}: " if is_named else ""
    words = error.strerror or str(error)
    return SurroundingsError(f"{place}{words}", hint=_HINTS.get(error.errno or 0, ""))


def without_passwords(text: str) -> str:
    """``text`` with ``…`` for user and password of each URL in it, and of what looks like one."""
    return _PASSWORDS.sub("…", text) if "@" in text else text


def without_users(text: str) -> str:
    """``text`` with ``…`` for user and password of each URL in it."""
    return _USERS.sub("…", text)


def printable(text: str) -> str:
    r"""``text`` fit for a terminal and a log: no passwords, control bytes as ``\xNN``.

    Bytes that cannot be decoded are shown so as well.
    """
    return "".join(
        character if character.isprintable() else _escape(character)
        for character in without_passwords(text)
    )


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8, as surrogateescape keeps it
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
