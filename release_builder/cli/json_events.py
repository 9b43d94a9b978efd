"""Progress for programs: a JSON object a line."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from release_builder.monitor import Monitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

_SECONDS: Final = 0.5  # between two lines of progress


class JsonEvents(Monitor):
    """Writes ``begin``, ``progress``, ``end`` and ``detail`` events; used by several threads.

    Each has ``event``; ``begin`` has ``what`` and ``total`` (bytes or null); ``progress`` and
    ``end`` have ``done``, ``total`` (bytes), ``rate`` (bytes a second since the begin), ``eta``
    (seconds or null) and ``note``; ``detail`` has ``text``. See event in
    data/jigdo-fetch.schema.json.

    Args:
        out: Where they go.
        clock: Seconds.
    """

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._done = 0
        self._total: int | None = None
        self._note = ""
        self._began: float | None = None  # None: nothing is under way
        self._told = 0.0

    def begin(self, what: str, total: int | None = None) -> None:
        """See Monitor."""
        self._done, self._total, self._note = 0, total, ""
        self._began = self._told = self._clock()
        self._write(event="begin", what=what, total=total)

    def advance(self, count: int) -> None:
        """See Monitor."""
        self._done += count
        self._tell()

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """See Monitor."""
        self._done, self._note = done, note
        self._total = self._total if total is None else total
        self._tell()

    def note(self, text: str) -> None:
        """See Monitor."""
        self._note = text

    def end(self) -> None:
        """See Monitor."""
        if self._began is not None:
            self._state("end", self._clock() - self._began)
            self._began = None

    def detail(self, text: str) -> None:
        """See Monitor."""
        self._write(event="detail", text=text)

    def _tell(self) -> None:
        now = self._clock()
        if self._began is not None and now - self._told >= _SECONDS:
            self._told = now
            self._state("progress", now - self._began)

    def _state(self, event: str, seconds: float) -> None:
        # A part that is to be fetched is taken off before it was put on.
        done = max(0, self._done)
        rate = round(done / seconds) if seconds > 0 else 0
        left = None if self._total is None else max(0, self._total - done)
        self._write(
            event=event,
            done=done,
            total=self._total,
            rate=rate,
            eta=round(left / rate, 1) if left is not None and rate > 0 else None,
            note=self._note,
        )

    def _write(self, **event: object) -> None:
        # In one piece: another thread's line may follow, but not come between.
        self._out.write(f"{json.dumps(event)}\n")
        self._out.flush()
