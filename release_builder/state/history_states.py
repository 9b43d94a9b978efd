"""How releases stand by the rows of the history's tables, and which rows that does not need."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from release_builder.state.history_records import RecordedRun, ReleaseState
from release_builder.state.history_rows import COLUMNS, EPOCH, MICROSECOND, OVER, run_of_row

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

# Runs that say how a release stands; one that met the lock (75) says nothing.
_TELLING: Final = f"command IN ('build', 'refresh') AND status != 75 AND {OVER}"
# One without a product could not read the descriptor: that befell all its releases.
_OF_RELEASE: Final = f"descriptor = ? AND (product = ? AND arch = ? OR product = '') AND {_TELLING}"
_STATES: Final = f"""SELECT descriptor, product, arch, MAX(id),
    MAX(CASE WHEN status = 0 THEN id END),
    MAX(CASE WHEN status = 0 AND changed THEN id END)
    FROM runs WHERE {_TELLING} GROUP BY descriptor, product, arch
    ORDER BY descriptor, product, arch"""  # noqa: S608 (of constants)
_AFTER: Final = f"SELECT MIN(id), MAX(id), COUNT(*) FROM runs WHERE {_OF_RELEASE} AND id > ?"  # noqa: S608


def select_states(database: sqlite3.Connection) -> Iterator[ReleaseState]:
    """How each release stands; see History.releases."""
    rows = database.execute(_STATES).fetchall()
    known = {descriptor for descriptor, product, *_ in rows if product}
    for row in rows:
        descriptor, product, *_ = row
        if product or descriptor not in known:
            yield _state(database, row)


def forget_runs(
    database: sqlite3.Connection, before: datetime, newest: int, stands: Callable[[str], bool]
) -> int:
    """Remove old runs that ``select_states`` does not need; to be called in a transaction.

    Args:
        database: The history.
        before: What began after it stays.
        newest: So many runs stay whenever they began, but for those of releases that are gone.
        stands: Whether a release's descriptor is still there.

    Returns:
        How many runs.
    """
    kept = set()
    standing = functools.cache(stands)
    for *release, last, success, change in database.execute(_STATES).fetchall():
        if standing(release[0]):
            first_failed, last_failed, _ = _after(database, release, success)
            kept |= {last, success, change, first_failed, last_failed}
    limit = (before - EPOCH) // MICROSECOND
    old = database.execute(
        "SELECT id, descriptor, id IN (SELECT id FROM runs ORDER BY id DESC LIMIT ?)"
        " FROM runs WHERE started < ?",
        (newest, limit),
    ).fetchall()
    gone = [
        (number,)
        for number, descriptor, is_new in old
        if number not in kept and not (is_new and standing(descriptor))
    ]
    database.executemany("DELETE FROM steps WHERE run = ?", gone)
    database.executemany("DELETE FROM runs WHERE id = ?", gone)
    return len(gone)


def _state(database: sqlite3.Connection, row: Sequence[Any]) -> ReleaseState:
    descriptor, product, arch, last, success, change = row
    release = (descriptor, product, arch)
    first_failed, last_failed, failures = _after(database, release, success)
    _, _, runs = _after(database, release, None)
    succeeded = _by_id(database, success) if success else None
    return ReleaseState(
        descriptor=descriptor,
        product=product,
        arch=arch,
        version=_by_id(database, last).version,
        last_run=_by_id(database, last_failed or last),
        last_success=succeeded.ended if succeeded else None,
        last_change=_by_id(database, change).ended if change else None,
        failing_since=_by_id(database, first_failed).started if first_failed else None,
        failures=failures,
        runs=runs,
        image=succeeded.image if succeeded else "",
        image_size=succeeded.image_size if succeeded else 0,
    )


def _after(
    database: sqlite3.Connection, release: Sequence[str], success: int | None
) -> tuple[int | None, int | None, int]:
    """The ids of the first and the last run after ``success``, and how many there are."""
    first, last, count = database.execute(_AFTER, (*release, success or 0)).fetchone()
    return first, last, count


def _by_id(database: sqlite3.Connection, number: int) -> RecordedRun:
    row = database.execute(f"SELECT {COLUMNS} FROM runs WHERE id = ?", (number,)).fetchone()  # noqa: S608 (of constants)
    return run_of_row(database, row)
