"""Runs and the state of releases, as rows of the history's tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from release_builder.state.history_records import RecordedRun, RecordedStep, ReleaseState

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST: Final = (1 << 63) - 1
_COLUMNS: Final = (
    "id, command, descriptor, product, version, arch, started, seconds, status, image, image_size,"
    " changed, problem, hint"
)
# Runs that say how a release stands; one that met the lock (75) says nothing.
_TELLING: Final = "command IN ('build', 'refresh') AND status != 75"
_OF_RELEASE: Final = f"descriptor = ? AND product = ? AND arch = ? AND {_TELLING}"
_STATES: Final = f"""SELECT descriptor, product, arch, COUNT(*), MAX(id),
    MAX(CASE WHEN status = 0 THEN id END),
    MAX(CASE WHEN status = 0 AND changed THEN id END)
    FROM runs WHERE {_TELLING} GROUP BY descriptor, product, arch
    ORDER BY descriptor, product, arch"""  # noqa: S608 (of constants)
_FAILED: Final = f"SELECT MIN(id), COUNT(*) FROM runs WHERE {_OF_RELEASE} AND id > ?"  # noqa: S608


def insert_run(database: sqlite3.Connection, run: RecordedRun) -> int:
    """Add ``run`` and its steps; to be called in a transaction.

    Returns:
        Its id.
    """
    row = (
        run.command,
        run.descriptor,
        run.product,
        run.version,
        run.arch,
        (run.started - _EPOCH) // _MICROSECOND,
        run.seconds,
        run.status,
        run.image,
        min(run.image_size, _LARGEST),
        run.changed,
        run.problem,
        run.hint,
    )
    marks = ", ".join("?" * len(row))
    cursor = database.execute(
        f"INSERT INTO runs ({_COLUMNS}) VALUES (NULL, {marks})",  # noqa: S608 (of constants)
        tuple(_storable(value) for value in row),
    )
    number = cursor.lastrowid or 0
    database.executemany(
        "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            tuple(
                map(
                    _storable,
                    (
                        number,
                        place,
                        each.step,
                        each.outcome,
                        each.seconds,
                        json.dumps(each.counts),
                        each.message,
                    ),
                )
            )
            for place, each in enumerate(run.steps)
        ],
    )
    return number


def select_runs(
    database: sqlite3.Connection, descriptor: str | None, limit: int | None
) -> Iterator[RecordedRun]:
    """The newest runs first; see History.runs."""
    where, values = (
        ("", ()) if descriptor is None else ("WHERE descriptor = ?", (_storable(descriptor),))
    )
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM runs {where} ORDER BY id DESC LIMIT ?",  # noqa: S608 (of constants)
        (*values, -1 if limit is None else limit),
    )
    for row in rows.fetchall():
        yield _run(database, row)


def select_states(database: sqlite3.Connection) -> Iterator[ReleaseState]:
    """How each release stands; see History.releases."""
    rows = database.execute(_STATES).fetchall()
    newest: dict[str, int] = {}
    for descriptor, _, _, _, last, *_ in rows:
        newest[descriptor] = max(last, newest.get(descriptor, 0))
    for row in rows:
        descriptor, product, _, _, last, *_ = row
        # That a descriptor could not be read is no news once it could.
        if product or last == newest[descriptor]:
            yield _state(database, row)


def forget_runs(
    database: sqlite3.Connection, before: datetime, stands: Callable[[str], bool]
) -> int:
    """Remove old runs that ``select_states`` does not need; to be called in a transaction.

    Args:
        database: The history.
        before: What began after it stays.
        stands: Whether a release's descriptor is still there.

    Returns:
        How many runs.
    """
    kept = set()
    for descriptor, product, arch, _, last, success, change in database.execute(_STATES).fetchall():
        if stands(descriptor):
            first_failed, _ = _failures(database, (descriptor, product, arch), success)
            kept |= {last, success, change, first_failed}
    limit = (before - _EPOCH) // _MICROSECOND
    old = database.execute("SELECT id FROM runs WHERE started < ?", (limit,)).fetchall()
    gone = [(number,) for (number,) in old if number not in kept]
    database.executemany("DELETE FROM steps WHERE run = ?", gone)
    database.executemany("DELETE FROM runs WHERE id = ?", gone)
    return len(gone)


def _state(database: sqlite3.Connection, row: Sequence[Any]) -> ReleaseState:
    descriptor, product, arch, runs, last, success, change = row
    first_failed, failures = _failures(database, (descriptor, product, arch), success)
    last_run = _by_id(database, last)
    succeeded = _by_id(database, success) if success else None
    return ReleaseState(
        descriptor=descriptor,
        product=product,
        arch=arch,
        version=last_run.version,
        last_run=last_run,
        last_success=succeeded.ended if succeeded else None,
        last_change=_by_id(database, change).ended if change else None,
        failing_since=_by_id(database, first_failed).started if first_failed else None,
        failures=failures,
        runs=runs,
        image=succeeded.image if succeeded else "",
        image_size=succeeded.image_size if succeeded else 0,
    )


def _failures(
    database: sqlite3.Connection, release: Sequence[str], success: int | None
) -> tuple[int | None, int]:
    """The id of the first run after ``success``, and how many there are."""
    first, count = database.execute(_FAILED, (*release, success or 0)).fetchone()
    return first, count


def _by_id(database: sqlite3.Connection, number: int) -> RecordedRun:
    row = database.execute(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", (number,)).fetchone()  # noqa: S608 (of constants)
    return _run(database, row)


def _run(database: sqlite3.Connection, row: Sequence[Any]) -> RecordedRun:
    number, command, descriptor, product, version, arch, started, *rest = row
    seconds, status, image, image_size, changed, problem, hint = rest
    steps = database.execute(
        "SELECT step, outcome, seconds, counts, message FROM steps WHERE run = ? ORDER BY place",
        (number,),
    )
    return RecordedRun(
        id=number,
        command=command,
        descriptor=descriptor,
        product=product,
        version=version,
        arch=arch,
        started=_EPOCH + started * _MICROSECOND,
        seconds=seconds,
        status=status,
        image=image,
        image_size=image_size,
        changed=bool(changed),
        steps=tuple(
            RecordedStep(step, outcome, took, json.loads(counts), message)
            for step, outcome, took, counts, message in steps
        ),
        problem=problem,
        hint=hint,
    )


def _storable(value: object) -> object:
    r"""Bytes of file names that are no UTF-8 are stored as ``\udcNN``; SQLite takes no others."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value
