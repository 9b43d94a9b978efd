"""Ends a program whose mirror says nothing.

rsync's own ``--timeout`` counts what it sends, too, and it sends a few bytes now and then: where
the mirror's process hangs but its machine still takes these, rsync would wait for ever.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOKS: Final = 8  # in the time that it may be silent
_COUNTED: Final = ("rchar", "write_bytes")  # not what goes out: that is no sign of the mirror


class Guard:
    """Watches one program at a time.

    Args:
        patience: Seconds in which neither it nor its children read anything, from disk or net, nor
            write to disk, nor print, nor work, before it is told to end; 0 for any time.

    Attributes:
        has_ended_it: Whether it was told to end.
    """

    def __init__(self, patience: float) -> None:
        self.has_ended_it = False
        self._patience = patience
        self._heard = 0

    def hear(self, piece: bytes) -> None:
        """Count what it prints."""
        self._heard += len(piece)

    @contextlib.contextmanager
    def watch(self, process_id: int) -> Iterator[None]:
        """Watch the program for as long as the block lasts.

        Kernels before 2.6.20 do not count: there nothing is watched.

        Args:
            process_id: Its own, which is its session's too.
        """
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=(process_id, over), daemon=True)
        if self._patience and _activity(process_id):
            thread.start()
        try:
            yield
        finally:
            over.set()
            if thread.ident:
                thread.join()

    def _look(self, process_id: int, over: threading.Event) -> None:
        before, since = (self._heard, _activity(process_id)), time.monotonic()
        while not over.wait(self._patience / _LOOKS):
            now = (self._heard, _activity(process_id))
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since >= self._patience:
                self.has_ended_it = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGTERM)
                return


def _activity(session: int) -> dict[str, tuple[str, ...]]:
    """What each process of ``session`` has read, written to disk, and worked, so far."""
    found = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            # It may end, or be somebody else's, as we look.
            with contextlib.suppress(OSError):
                # 4711 (a name) S 1 4711 4711 …: state, parent, group, session
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                if fields[3] == str(session):
                    # Whole ticks of the processor, user's and system's: to wait takes none.
                    found[place.name] = (*fields[11:13], *_counts((place / "io").read_text()))
    return found


def _counts(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.startswith(_COUNTED))
