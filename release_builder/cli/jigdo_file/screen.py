"""What the user sees: results on stdout, all else on stderr."""

from __future__ import annotations

import os
import sys
import time
from typing import Final

from release_builder.cli.jigdo_file.options import Report
from release_builder.errors import printable
from release_builder.monitor import Monitor

_INTERVAL: Final = 0.2  # seconds between two states of the progress line
_WIDTH: Final = 80  # columns, where the terminal does not say


class Screen(Monitor):
    """Prints; with a progress line where stderr is a terminal.

    Args:
        program: What messages begin with.
        report: How much is said.
        debug: Whether details are said.
    """

    def __init__(self, program: str, report: Report, *, debug: bool = False) -> None:
        self._program = program
        self._stderr = sys.stderr
        self._talks = report in {Report.DEFAULT, Report.NO_PROGRESS}
        self._debug = debug
        self._bar = report is Report.DEFAULT and self._stderr.isatty()
        self._what = ""
        self._done = 0
        self._total: int | None = None
        self._shown = 0.0
        self._columns = 0  # of the progress line that stands there

    def result(self, line: bytes) -> None:
        """A line on stdout: for scripts, byte by byte; on a terminal, as one can show it."""
        self._wipe()
        if sys.stdout.isatty():
            line = printable(os.fsdecode(line)).encode()
        sys.stdout.buffer.write(line + b"\n")

    def pass_on(self, output: bytes) -> None:
        """What another program prints."""
        self._wipe()
        sys.stdout.buffer.write(output)
        sys.stdout.buffer.flush()

    def pass_on_errors(self, text: str) -> None:
        """What another program complains of."""
        self._wipe()
        self._stderr.write("".join(f"{printable(line)}\n" for line in text.splitlines()))

    def say(self, text: str) -> None:
        """A line for people who did not ask for quiet."""
        if self._talks:
            self._write(printable(text))

    def complain(self, what: str, hint: str = "") -> None:
        """A problem, and below it what to do."""
        first, *rest = what.split("\n")
        self._write(f"{self._program}: {printable(first)}")
        for line in (*rest, *hint.splitlines()):
            self._write(f"  {printable(line)}")

    def detail(self, text: str) -> None:
        """See Monitor."""
        if self._debug:
            self._write(printable(text))

    def begin(self, what: str, total: int | None = None) -> None:
        """See Monitor."""
        self._what, self._total, self._done = printable(what), total, 0
        if self._bar:
            self._draw()

    def advance(self, count: int) -> None:
        """See Monitor."""
        self._done += count
        if self._bar and time.monotonic() - self._shown > _INTERVAL:
            self._draw()

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """See Monitor."""
        del note
        self._done, self._total = done, total
        self.advance(0)

    def end(self) -> None:
        """See Monitor."""
        self._wipe()

    def _draw(self) -> None:
        self._shown = time.monotonic()
        done = f"{self._done >> 10}k"
        if self._total:
            percent = min(100 * self._done // self._total, 100)
            done = f"{percent:3}%  {done}/{self._total >> 10}k"
        try:
            width = os.get_terminal_size(self._stderr.fileno()).columns or _WIDTH
        except OSError:
            width = _WIDTH
        line = f"{done}  {self._what}"[: width - 1]
        self._stderr.write(f"\r{line:<{self._columns}}")
        self._stderr.flush()
        self._columns = len(line)

    def _wipe(self) -> None:
        if self._columns:
            self._stderr.write(f"\r{'':{self._columns}}\r")
            self._stderr.flush()
        self._columns = 0

    def _write(self, line: str) -> None:
        self._wipe()
        self._stderr.write(f"{line}\n")
        self._stderr.flush()
