"""Signals that stop a program from outside."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType


_AGAIN: Final = 0.01  # seconds until an interruption that was lost comes once more


def take_signals() -> None:
    """Let a run that systemd stops, or whose terminal is gone, end as one that the user stopped."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _interrupt)
    sys.unraisablehook = _lost


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


def _lost(what: sys.UnraisableHookArgs) -> None:
    """Python drops what is raised in a finaliser or the callback of a weak reference."""
    if not isinstance(what.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(what)
        return
    number = next(iter(what.exc_value.args), signal.SIGINT)
    again = threading.Timer(_AGAIN, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()
