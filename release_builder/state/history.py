"""Every run of a release, kept from run to run: when, how long, what its steps did, how it ended.

It never stops a run: what cannot be read or written becomes one of ``History.notes``.
"""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.state.history_accepted import (
    forget_accepted,
    insert_accepted,
    select_accepted,
)
from release_builder.state.history_file import connected, connected_for_reading
from release_builder.state.history_processes import is_gone, this_process
from release_builder.state.history_records import (
    KILLED,
    MAX_AGE,
    Accepted,
    RecordedRun,
    RecordedStep,
    ReleaseState,
    RunUnderWay,
    Standing,
)
from release_builder.state.history_rows import (
    begin_run,
    insert_run,
    path_of,
    select_runs,
    select_under_way,
    settle_killed,
    take_back,
)
from release_builder.state.history_states import forget_runs, select_states

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "HISTORY_FILE",
    "KEPT_DAYS",
    "KEPT_RUNS",
    "KILLED",
    "MAX_AGE",
    "Accepted",
    "History",
    "RecordedRun",
    "RecordedStep",
    "ReleaseState",
    "RunUnderWay",
    "Standing",
    "open_history",
    "path_of",
]

HISTORY_FILE: Final = "history.sqlite"
KEPT_DAYS: Final = 400  # a year, and a month to compare it with
KEPT_RUNS: Final = 1000  # the newest, however old: a clock that is ahead must not empty the history

# What a row of a damaged file may lead to besides SQLite's own errors.
_NOT_RECORDED: Final = "what this run did is not recorded"
_UNREADABLE: Final = (sqlite3.Error, ValueError, TypeError, OverflowError)


class History:
    """What ``open_history`` gives. For one thread.

    Attributes:
        notes: What a user should know of the history itself, one sentence each.
    """

    def __init__(self, path: Path, database: sqlite3.Connection | None, notes: list[str]) -> None:
        self.notes = notes
        self._path = path
        self._database = database
        self._begun: list[int] = []
        self._failed = False
        if database:
            database.create_function("is_gone", 1, is_gone)

    @property
    def usable(self) -> bool:
        """Whether there is a history that could be read so far; a new one is empty, but usable."""
        return self._database is not None and not self._failed

    def begin(self, run: RecordedRun) -> int:
        """Keep that ``run`` is under way: ``record`` completes it.

        If it never does, the run was killed: until the history is closed it is under way, unless
        its process is gone before. Earlier ones of the same descriptor that were are told in
        ``notes``, once.

        Args:
            run: Its command, descriptor, product, version, arch, and when it started; without a
                product it is of all releases of the descriptor.

        Returns:
            Its id; 0 when it could not be kept.
        """
        with self._writing() as database:
            if database:
                for killed in settle_killed(database, run.descriptor):
                    name = " ".join(filter(None, (killed.product, killed.version, killed.arch)))
                    self.notes.append(
                        f"the {killed.command} of {printable(name or killed.descriptor)} that began"
                        f" {killed.started:%Y-%m-%d %H:%M} UTC was killed, or the machine went down"
                    )
                number = begin_run(database, run, this_process())
                self._begun.append(number)
                return number
        return 0

    def under_way(self) -> tuple[RunUnderWay, ...]:
        """The runs that began and did not end yet, in their order; none that was killed."""
        with self._giving_up("it cannot be read") as database:
            if database:
                return tuple(select_under_way(database))
        return ()

    def record(self, run: RecordedRun, accepted: Accepted | None = None) -> int:
        """Keep ``run``, which ends the one under way; its own ``id`` does not matter.

        Args:
            run: What was done.
            accepted: The image that it found right; None: none.

        Returns:
            Its id; 0 when it could not be kept, of which ``notes`` tells.
        """
        with self._writing() as database:
            if database:
                number = insert_run(database, run, this_process())
                if accepted:
                    insert_accepted(database, number, run, accepted)
                return number
        return 0

    def accepted(
        self, descriptor: str, product: str, arch: str, workdir: str = ""
    ) -> tuple[Accepted, ...]:
        """The images of a release that runs found right, in their order; each change once.

        Args:
            descriptor: The absolute path of its descriptor.
            product: As the descriptor has it.
            arch: Its arch.
            workdir: Its folder, without links: what others found right there counts as well.
        """
        with self._giving_up("it cannot be read") as database:
            if database:
                return tuple(select_accepted(database, descriptor, product, arch, workdir))
        return ()

    def runs(
        self, descriptor: str | None = None, limit: int | None = None
    ) -> tuple[RecordedRun, ...]:
        """The runs, newest first: all, or those of one descriptor's absolute path."""
        with self._giving_up("it cannot be read") as database:
            if database:
                return tuple(select_runs(database, descriptor, limit))
        return ()

    def releases(self) -> tuple[ReleaseState, ...]:
        """How each release stands, in the order of descriptor, product and arch."""
        with self._giving_up("it cannot be read") as database:
            if database:
                return tuple(select_states(database))
        return ()

    def note(self, key: str, value: str) -> None:
        """Remember ``value`` under ``key`` from run to run; an empty one forgets the key."""
        with self._writing() as database:
            if database and value:
                database.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (key, value))
            elif database:
                database.execute("DELETE FROM marks WHERE key = ?", (key,))

    def noted(self, key: str) -> str:
        """What was noted under ``key``; empty when nothing was."""
        with self._giving_up("it cannot be read") as database:
            if database:
                found = database.execute("SELECT value FROM marks WHERE key = ?", (key,)).fetchone()
                return str(found[0]) if found else ""
        return ""

    def close(self) -> None:
        """Forget what this process began and did not record: it was not killed, for it is here."""
        if self._begun:
            with self._writing() as database:
                if database:
                    take_back(database, self._begun)

    def prune(self, days: int = KEPT_DAYS, runs: int = KEPT_RUNS) -> int:
        """Forget runs older than that, but not those that tell how a release stands.

        The newest ``runs`` are kept, whatever the clock says. A release whose descriptor is gone is forgotten with its runs.

        Returns:
            How many runs were forgotten.
        """
        before = datetime.now(UTC) - timedelta(days=days)
        with self._writing() as database:
            if database:
                forget_accepted(database, before, _stands)
                return forget_runs(database, before, runs, _stands)
        return 0

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection | None]:
        """The database in a transaction; None where none can be begun."""
        begun = None
        with self._giving_up(_NOT_RECORDED) as database:
            if database:
                database.execute("BEGIN IMMEDIATE")
                begun = database
        if begun is None:
            yield None
            return
        with self._giving_up(_NOT_RECORDED), begun:
            yield begun

    @contextlib.contextmanager
    def _giving_up(self, consequence: str) -> Iterator[sqlite3.Connection | None]:
        """The database; when it fails, the block ends there, and a note tells why."""
        try:
            yield self._database
        except _UNREADABLE as error:
            self._failed = True
            note = f"{printable(str(self._path))}: {printable(str(error))}: {consequence}"
            if note not in self.notes:
                self.notes.append(note)


def _stands(stored: str) -> bool:
    return path_of(stored).exists()


@contextlib.contextmanager
def open_history(folder: Path, *, read_only: bool = False) -> Iterator[History]:
    """The history in ``folder``, made where there is none, and closed at the end of the block.

    Args:
        folder: As digest_cache.state_folder() gives it; made if missing, unless read only.
        read_only: Write nothing; where there is no file, there is no history, and no note.
    """
    notes: list[str] = []
    path = folder / HISTORY_FILE
    if read_only:
        with connected_for_reading(path, notes) as database:
            yield History(path, database, notes)
        return
    with connected(path, notes) as database:
        history = History(path, database, notes)
        try:
            yield history
        finally:
            history.close()
