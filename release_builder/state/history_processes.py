"""Whose a run under way is, so that one that was killed can be told from one that still works."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

_UNKNOWN: Final = "-"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> str:
    """This process: its number, its host, the host's boot, and when it began since then.

    The two last are of /proc (proc(5): ``random/boot_id``, ``PID/stat`` field 22), ``-`` where
    they cannot be read: a number alone is soon another process's.
    """
    began, _ = _began(os.getpid())
    return f"{os.getpid()} {socket.gethostname()} {_boot()} {began}"


def is_gone(process: str) -> bool:
    """Whether ``process``, as ``this_process`` told it, has ended; of other hosts nothing is known.

    Raises:
        ValueError: It is no process.
    """
    number, host, boot, began = process.split()
    if host != socket.gethostname():
        return False
    if _differ(boot, _boot()):
        return True
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:  # it is somebody else's
        pass
    now, state = _began(int(number))
    return state == "Z" or _differ(began, now)


def process_words(process: str) -> str:
    """``process`` for people."""
    number, host, *_ = process.split()
    return f"process {number} on {host}"


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return _UNKNOWN


def _began(number: int) -> tuple[str, str]:
    try:
        # The name before the last bracket may have blanks.
        fields = Path(f"/proc/{number}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[19], fields[0]
    except (OSError, IndexError):
        return _UNKNOWN, _UNKNOWN


def _differ(before: str, now: str) -> bool:
    return before != now and _UNKNOWN not in (before, now)
