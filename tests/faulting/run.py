"""One run of a command under the board."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from faulting.board import Board

_GRACE: Final = 5.0  # seconds in which what a killed run leaves running must end
_STATUSES: Final = {0, 1, 2, 3, 75, 130}


@dataclass(frozen=True, slots=True)
class Command:
    """What is run.

    Attributes:
        argv: The program and its arguments.
        folder: Where.
        environment: All of it, but for what puts it under the board.
        bound: Seconds that it may take.
    """

    argv: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    bound: float


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended.

    Attributes:
        status: Minus a signal's number if that ended it.
        words: What it said on stderr.
        late: Whether it took longer than the world allows.
        orphans: How many processes it left that did not end by themselves.
    """

    status: int
    words: str
    late: bool
    orphans: int

    @property
    def troubles(self) -> list[str]:
        """What no run may do, whatever happened."""
        killed = self.status == -signal.SIGKILL and not self.late
        return [
            *(["it took too long"] if self.late else []),
            *([f"{self.orphans} processes went on"] if self.orphans else []),
            *(["a traceback"] if "Traceback" in self.words else []),
            *([f"status {self.status}"] if not killed and self.status not in _STATUSES else []),
            *(["no word of why"] if self.status > 0 and not self.words.strip() else []),
        ]


def run(command: Command, board: Board, on_ask: Callable[[], None]) -> Ended:
    """Run ``command`` to its end, and let all end that it leaves running.

    Args:
        command: What.
        board: Has its orders.
        on_ask: Called when a process asks, which goes on afterwards.
    """
    with tempfile.TemporaryFile() as err:
        running = subprocess.Popen(
            command.argv,
            cwd=command.folder,
            env={**command.environment, **board.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
            start_new_session=True,
        )
        late = _accompany(running, command.bound, board, on_ask)
        orphans = _await_all(board, 0 if late else _GRACE)
        running.wait()
        err.seek(0)
        return Ended(running.returncode, err.read().decode(errors="replace"), late, orphans)


def _accompany(
    running: subprocess.Popen[bytes], bound: float, board: Board, on_ask: Callable[[], None]
) -> bool:
    """Wait for the end; whether the time was up before."""
    deadline = time.monotonic() + bound
    with contextlib.ExitStack() as stack:
        # Both ends are ours, so that neither side waits for the other to open them.
        ask = os.open(board.ask, os.O_RDWR | os.O_NONBLOCK)
        stack.callback(os.close, ask)
        answer = os.open(board.answer, os.O_RDWR)
        stack.callback(os.close, answer)
        end = os.pidfd_open(running.pid)
        stack.callback(os.close, end)
        while left := max(0, deadline - time.monotonic()):
            ready, _, _ = select.select([ask, end], [], [], left)
            if ask in ready:
                os.read(ask, 1)
                on_ask()
                os.write(answer, b"!")
            elif end in ready:
                return False
        return True


def _await_all(board: Board, seconds: float) -> int:
    """Wait for what the run left running, then kill it; how many that were."""
    deadline = time.monotonic() + seconds
    while (left := board.running()) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return len(left)
