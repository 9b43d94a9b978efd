"""Runs as rows of the history's tables."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from release_builder.state.history_processes import process_words
from release_builder.state.history_records import (
    KILLED,
    RecordedRun,
    RecordedStep,
    RunUnderWay,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
_LARGEST: Final = (1 << 63) - 1
COLUMNS: Final = (
    "id, command, descriptor, product, version, arch, started, seconds, status, image, image_size,"
    " changed, problem, hint"
)
# A run under way is a row with its process; when that is gone, it is the killed run it says it is.
OVER: Final = "(process = '' OR is_gone(process))"


def begin_run(database: sqlite3.Connection, run: RecordedRun, process: str) -> int:
    """Add ``run`` as one that is under way in ``process``; to be called in a transaction.

    Returns:
        Its id.
    """
    killed = replace(
        run,
        status=KILLED,
        problem="it was killed, or the machine went down",
        hint="the system's log may say why, such as too little memory",
    )
    return _insert(database, None, killed, process)


def settle_killed(database: sqlite3.Connection, descriptor: str) -> tuple[RecordedRun, ...]:
    """Make the runs of ``descriptor`` whose process is gone killed ones for good.

    Returns:
        They, in their order.
    """
    rows = database.execute(
        f"SELECT {COLUMNS} FROM runs"  # noqa: S608 (of constants)
        " WHERE descriptor = ? AND process != '' AND is_gone(process) ORDER BY id",
        (storable(descriptor),),
    ).fetchall()
    database.executemany("UPDATE runs SET process = '' WHERE id = ?", [(row[0],) for row in rows])
    return tuple(run_of_row(database, row) for row in rows)


def take_back(database: sqlite3.Connection, begun: Sequence[int]) -> None:
    """Remove those of the runs ``begun`` that are still under way; to be called in a transaction."""
    database.executemany(
        "DELETE FROM runs WHERE id = ? AND process != ''", [(number,) for number in begun]
    )


def select_under_way(database: sqlite3.Connection) -> Iterator[RunUnderWay]:
    """The runs that are under way; see History.under_way."""
    rows = database.execute(
        f"SELECT process, {COLUMNS} FROM runs"  # noqa: S608 (of constants)
        " WHERE process != '' AND NOT is_gone(process) ORDER BY id"
    )
    for process, *row in rows.fetchall():
        run = replace(run_of_row(database, row), status=0, problem="", hint="")
        yield RunUnderWay(run=run, process=process_words(process))


def insert_run(database: sqlite3.Connection, run: RecordedRun, process: str) -> int:
    """Add ``run`` and its steps; to be called in a transaction.

    Args:
        database: The history.
        run: What was done.
        process: Whose it was: if it has begun this very run, that one is completed.

    Returns:
        Its id.
    """
    of_run = (process, run.command, run.descriptor, run.product, run.arch)
    (begun,) = database.execute(
        "SELECT MAX(id) FROM runs"
        " WHERE process = ? AND command = ? AND descriptor = ?"
        " AND (product = ? AND arch = ? OR product = '')",
        tuple(map(storable, of_run)),
    ).fetchone()
    database.execute("DELETE FROM runs WHERE id = ?", (begun,))
    number = _insert(database, begun, run, "")
    database.executemany(
        "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            tuple(
                map(
                    storable,
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


def _insert(
    database: sqlite3.Connection, number: int | None, run: RecordedRun, process: str
) -> int:
    row = (
        number,
        run.command,
        run.descriptor,
        run.product,
        run.version,
        run.arch,
        (run.started - EPOCH) // MICROSECOND,
        run.seconds,
        run.status,
        run.image,
        min(run.image_size, _LARGEST),
        run.changed,
        run.problem,
        run.hint,
        process,
    )
    marks = ", ".join("?" * len(row))
    cursor = database.execute(
        f"INSERT INTO runs ({COLUMNS}, process) VALUES ({marks})",  # noqa: S608 (of constants)
        tuple(storable(value) for value in row),
    )
    return cursor.lastrowid or 0


def select_runs(
    database: sqlite3.Connection, descriptor: str | None, limit: int | None
) -> Iterator[RecordedRun]:
    """The newest runs first; see History.runs."""
    where, values = (
        ("", ()) if descriptor is None else ("AND descriptor = ?", (storable(descriptor),))
    )
    rows = database.execute(
        f"SELECT {COLUMNS} FROM runs WHERE {OVER} {where} ORDER BY id DESC LIMIT ?",  # noqa: S608 (of constants)
        (*values, -1 if limit is None else limit),
    )
    for row in rows.fetchall():
        yield run_of_row(database, row)


def run_of_row(database: sqlite3.Connection, row: Sequence[Any]) -> RecordedRun:
    """The run that ``row``, of ``COLUMNS``, and the rows of its steps tell of."""
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
        started=EPOCH + started * MICROSECOND,
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


def path_of(stored: str) -> Path:
    """The file that the history calls so; its bytes that are no UTF-8 are what they were again."""
    if os.path.exists(stored):  # noqa: PTH110 (exists() of pathlib raises where it may not look)
        return Path(stored)
    return Path(re.sub(r"\\udc([89a-f][0-9a-f])", lambda it: chr(0xDC00 + int(it[1], 16)), stored))


def storable(value: object) -> object:
    r"""``value`` as SQLite takes it. Bytes of file names that are no UTF-8 are stored as ``\udcNN``."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value
