"""Old kernels, as far as a program can tell: seccomp answers what they would have answered.

usage: python old_kernels.py KERNEL ROOT PROGRAM [ARGUMENT]…

Runs PROGRAM in ROOT under the filter of KERNEL (el5, el6 or el7), for x86_64 and i386 alike.
Three things cannot be told so: flags that an old kernel ignores (O_CLOEXEC of open), the
arguments of i386's socketcall, which lie in memory, and calls that never reach the kernel.

Source: seccomp(2), Documentation/networking/filter.txt of Linux; the numbers of the calls are
those of asm/unistd_64.h and asm/unistd_32.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_LOAD, _JUMP, _EQUAL, _ABOVE, _AT_LEAST, _ANY_BIT, _AND, _RETURN = (
    *(0x20, 0x05, 0x15, 0x25, 0x35, 0x45, 0x54, 0x06),
)
_ALLOWED: Final = 0x7FFF0000
_REFUSED: Final = 0x00050000  # plus the errno
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets of struct seccomp_data
_AUDIT_X86_64: Final = 0xC000003E
_SET_SECCOMP, _MODE_FILTER, _NO_NEW_PRIVILEGES = 22, 2, 38
_UNAME26: Final = 0x0020000  # uname says 2.6.x

_Calls = dict[str, tuple[int, ...]]
_FUTEX: Final[_Calls] = {"x86_64": (202,), "i386": (240,)}
_SOCKET: Final[_Calls] = {"x86_64": (41, 53), "i386": ()}  # and socketpair
_FCNTL: Final[_Calls] = {"x86_64": (72,), "i386": (55, 221)}
_CLOCKS: Final[_Calls] = {"x86_64": (228, 229, 230), "i386": (265, 266, 267)}
_PRCTL: Final[_Calls] = {"x86_64": (157,), "i386": (172,)}
_CLONE: Final[_Calls] = {"x86_64": (56,), "i386": (120,)}
_LSEEK: Final[_Calls] = {"x86_64": (8,), "i386": (19,)}
_LLSEEK: Final[_Calls] = {"x86_64": (), "i386": (140,)}
_FUTIMESAT: Final[_Calls] = {"x86_64": (261,), "i386": (299,)}
_OPEN: Final[_Calls] = {"x86_64": (2,), "i386": (5,)}
_OPENAT: Final[_Calls] = {"x86_64": (257,), "i386": (295,)}


@dataclass(frozen=True, slots=True)
class _Rule:
    """The answer to calls with an argument that was not known yet."""

    calls: _Calls
    argument: int
    test: int
    value: int
    answer: int
    mask: int = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Kernel:
    """The last call that it has, by arch, and what it does not know of those before."""

    last: dict[str, int]
    rules: tuple[_Rule, ...]


_TEMPORARY_FILE: Final = (  # O_TMPFILE, from 3.11 on; before, it was the opening of a folder
    _Rule(_OPEN, 1, _ANY_BIT, 0o20000000, errno.EISDIR),
    _Rule(_OPENAT, 2, _ANY_BIT, 0o20000000, errno.EISDIR),
)
_NO_SEEK_DATA: Final = (  # 3.1
    _Rule(_LSEEK, 2, _AT_LEAST, 3, errno.EINVAL),
    _Rule(_LLSEEK, 4, _AT_LEAST, 3, errno.EINVAL),
)
KERNELS: Final = {
    "el5": _Kernel(
        {"x86_64": 279, "i386": 317},  # 2.6.18
        (
            _Rule(_FUTEX, 1, _ANY_BIT, 128 | 256, errno.ENOSYS),  # private, of the real clock
            _Rule(_FUTEX, 1, _AT_LEAST, 9, errno.ENOSYS, mask=127),  # FUTEX_WAIT_BITSET
            _Rule(_SOCKET, 1, _ANY_BIT, 0o2004000, errno.EINVAL),  # SOCK_CLOEXEC, SOCK_NONBLOCK
            _Rule(_FCNTL, 1, _AT_LEAST, 1030, errno.EINVAL),  # F_DUPFD_CLOEXEC
            _Rule(_CLOCKS, 0, _ABOVE, 3, errno.EINVAL),
            _Rule(_PRCTL, 0, _ABOVE, 20, errno.EINVAL),
            _Rule(_CLONE, 0, _ANY_BIT, 0xFC000000, errno.EINVAL),  # namespaces, CLONE_IO
            _Rule(_FUTIMESAT, 1, _EQUAL, 0, errno.EFAULT),  # of a descriptor, without a name
            *_NO_SEEK_DATA,
            *_TEMPORARY_FILE,
        ),
    ),
    "el6": _Kernel(
        {"x86_64": 298, "i386": 336},  # 2.6.32
        (
            _Rule(_FCNTL, 1, _AT_LEAST, 1031, errno.EINVAL),
            _Rule(_PRCTL, 0, _ABOVE, 34, errno.EINVAL),
            *_NO_SEEK_DATA,
            *_TEMPORARY_FILE,
        ),
    ),
    "el7": _Kernel(
        {"x86_64": 313, "i386": 350},  # 3.10
        (
            _Rule(_FCNTL, 1, _AT_LEAST, 1033, errno.EINVAL),
            _Rule(_PRCTL, 0, _ABOVE, 40, errno.EINVAL),
            *_TEMPORARY_FILE,
        ),
    ),
}


def run_under(
    kernel: str,
    root: Path,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run a program in ``root`` on the kernel of ``kernel``; needs to be root.

    Args:
        kernel: el5, el6 or el7.
        root: What the program takes for ``/``.
        argv: The program, as it is called inside, and its arguments.
        env: Its whole environment; default: a PATH.
        timeout: Seconds.
    """
    return subprocess.run(
        [sys.executable, "-I", __file__, kernel, str(root), *argv],
        env={"PATH": "/usr/bin:/bin", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        errors="surrogateescape",
        timeout=timeout,
    )


def assembled(kernel: _Kernel) -> bytes:
    """The program in the kernel's filter language that answers as ``kernel`` does."""
    x86_64, i386 = (_of_arch(kernel, arch) for arch in ("x86_64", "i386"))
    return b"".join(
        (
            _step(_LOAD, _ARCH),
            _step(_EQUAL, _AUDIT_X86_64, otherwise=1),
            _step(_JUMP, 1),
            _step(_JUMP, len(x86_64) // 8),
            x86_64,
            i386,
        )
    )


def _of_arch(kernel: _Kernel, arch: str) -> bytes:
    steps = [
        _step(_LOAD, _NUMBER),
        _step(_ABOVE, kernel.last[arch], otherwise=1),
        _step(_RETURN, _REFUSED | errno.ENOSYS),
    ]
    for rule in kernel.rules:
        for number in rule.calls[arch]:
            steps += [
                _step(_LOAD, _NUMBER),
                _step(_EQUAL, number, otherwise=4),
                _step(_LOAD, _ARGUMENTS + 8 * rule.argument),
                _step(_AND, rule.mask),
                _step(rule.test, rule.value, otherwise=1),
                _step(_RETURN, _REFUSED | rule.answer),
            ]
    return b"".join((*steps, _step(_RETURN, _ALLOWED)))


def _step(code: int, value: int, otherwise: int = 0) -> bytes:
    """One instruction; a test that fails jumps over so many of the next."""
    return struct.pack("<HBBI", code, 0, otherwise, value)


def _enter(kernel: str, root: str) -> None:
    """Let this process, and what it becomes, live in ``root`` on ``kernel``."""
    libc = ctypes.CDLL(None, use_errno=True)
    program = assembled(KERNELS[kernel])
    code = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HP", len(program) // 8, ctypes.addressof(code))
    os.chroot(root)
    os.chdir("/")
    for answer in (
        libc.personality(_UNAME26),
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        libc.prctl(_SET_SECCOMP, _MODE_FILTER, head),
    ):
        if answer < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    _enter(sys.argv[1], sys.argv[2])
    os.execve(sys.argv[3], sys.argv[3:], dict(os.environ))
