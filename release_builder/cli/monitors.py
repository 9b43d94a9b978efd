"""How far a run is: bars on a terminal, lines in a pipe, nothing where nobody watches."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from release_builder.cli.json_events import JsonEvents
from release_builder.errors import printable
from release_builder.monitor import Monitor


def make_monitor(
    *, quiet: bool, verbose: bool, colour: bool | None, events: bool = False
) -> Monitor:
    """The monitor that suits where stderr goes.

    Args:
        quiet: Say nothing in any case.
        verbose: Show details too.
        colour: False for none.
        events: A JSON object a line, for programs, wherever stderr goes.
    """
    if sys.stderr is None or (quiet and not events):
        return Monitor()
    if events:
        return JsonEvents(sys.stderr)
    console = Console(stderr=True, no_color=colour is False, highlight=False, soft_wrap=True)
    if sys.stderr.isatty() and not console.is_dumb_terminal:
        return _Bars(console, verbose=verbose)
    if verbose or _has_terminal():
        return _Lines(console, verbose=verbose)
    return Monitor()


def _has_terminal() -> bool:
    """Whether a person may sit behind this process; cron's have no terminal at all."""
    with suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
        return True
    return False


class _Lines(Monitor):
    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose

    def begin(self, what: str, total: int | None = None) -> None:
        size = f" ({decimal(total)})" if total else ""
        self._console.print(f"{printable(what)}{size} …", markup=False)

    def detail(self, text: str) -> None:
        if self._verbose:
            self._console.print(printable(text), markup=False)


class _Bars(Monitor):
    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._progress: Progress | None = None
        self._task = TaskID(0)

    def begin(self, what: str, total: int | None = None) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}", markup=False),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task(printable(what), total=total, note="")
        self._progress.start()

    def advance(self, count: int) -> None:
        if self._progress:
            self._progress.advance(self._task, count)

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        if self._progress:
            self._progress.update(self._task, completed=done, note=printable(note))
            if total is not None:
                self._progress.update(self._task, total=total)

    def note(self, text: str) -> None:
        if self._progress:
            self._progress.update(self._task, note=printable(text))

    def end(self) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None

    def detail(self, text: str) -> None:
        if self._verbose:
            self._console.print(printable(text), markup=False)
