"""Process groups: what a program has started, and leaves running when it ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import Final

_LINGER: Final = 5.0  # seconds that it may take to end


def end_group(group: int) -> None:
    """End what a program that failed has started: one half of rsync would wait for the other."""
    until = time.monotonic() + _LINGER
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        while time.monotonic() < until:
            os.killpg(group, 0)
            time.sleep(0.02)
        os.killpg(group, signal.SIGKILL)


def outlive_group(group: int, output: int) -> None:
    """Wait for what a program started to end after it: until then that holds our locks.

    Args:
        group: Of the program, which has ended.
        output: A pipe that is closed when the last of them ends.
    """
    until = time.monotonic() + _LINGER
    while select.select([output], [], [], max(0.0, until - time.monotonic()))[0]:
        if not os.read(output, 1 << 16):
            return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
