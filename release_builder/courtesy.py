"""Manners of a job that nobody watches: not all at the same minute, not in the way, not for ever."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import OutOfTimeError, SurroundingsError, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_NICE: Final = 10
_AGAIN: Final = 0.01  # seconds until a deadline that was lost comes once more
_IDLE_CLASS: Final = ("-c", "2", "-n", "7")  # best effort, the last of it: idle may starve


def splay(longest: float, *names: str) -> float:
    """How many seconds, less than ``longest``, this host should wait: always the same for it.

    Args:
        longest: Seconds over which the hosts are to be spread.
        names: What tells this host and job from others.
    """
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).digest()
    return longest * int.from_bytes(digest[:8], "big") / 2**64


def step_back() -> None:
    """Let others have processor and disk first; where the system forbids it, that is no matter."""
    with contextlib.suppress(OSError):
        if os.nice(0) < _NICE:
            os.nice(_NICE - os.nice(0))
    with contextlib.suppress(SurroundingsError, OSError, MemoryError):
        try:
            process.run(["ionice", *_IDLE_CLASS, "-p", str(os.getpid())])
        except RuntimeError as error:
            raise surroundings(error) from error


@contextlib.contextmanager
def ending_after(seconds: float | None) -> Iterator[None]:
    """End the block when so many seconds have passed; None for never. Only in the main thread.

    Raises:
        OutOfTimeError: They have passed. It comes as Ctrl-C does, wherever the block is.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTimeError(seconds)

    def lost(what: sys.UnraisableHookArgs) -> None:
        """Python drops what is raised in a finaliser or the callback of a weak reference."""
        if what.exc_type is OutOfTimeError:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        else:
            report_lost(what)

    report_lost, sys.unraisablehook = sys.unraisablehook, lost
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.unraisablehook = report_lost
