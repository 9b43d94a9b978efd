"""Progress that nobody sees, kept in the log as far as it tells what was run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.monitor import Monitor

if TYPE_CHECKING:
    from release_builder.state.run_log import RunLog


class LoggingMonitor(Monitor):
    """Tells another monitor, and has the details logged."""

    def __init__(self, other: Monitor, log: RunLog) -> None:
        self._other = other
        self._log = log

    def begin(self, what: str, total: int | None = None) -> None:
        """See Monitor."""
        self._other.begin(what, total)

    def advance(self, count: int) -> None:
        """See Monitor."""
        self._other.advance(count)

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """See Monitor."""
        self._other.progress(done, total, note)

    def note(self, text: str) -> None:
        """See Monitor."""
        self._other.note(text)

    def end(self) -> None:
        """See Monitor."""
        self._other.end()

    def detail(self, text: str) -> None:
        """See Monitor."""
        self._log.line(text)
        self._other.detail(text)
