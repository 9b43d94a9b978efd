"""Which images were found right, in the order in which they came: a mirror may go back behind it.

A row is added when something changed, so that a release has few; they outlive the runs.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from release_builder.state.history_records import Accepted
from release_builder.state.history_rows import EPOCH, MICROSECOND, storable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from release_builder.state.history_records import RecordedRun


def insert_accepted(
    database: sqlite3.Connection, number: int, run: RecordedRun, accepted: Accepted
) -> None:
    """Keep what run ``number`` found right, where that is new; to be called in a transaction."""
    release = (run.descriptor, run.product, run.arch)
    known = list(select_accepted(database, *release, accepted.workdir))
    # One descriptor may be built in two folders by turns.
    here = next((each for each in reversed(known) if each.workdir == accepted.workdir), None)
    is_known = here and accepted == replace(here, run=accepted.run, at=accepted.at)
    if is_known and known[-1].is_of_image(accepted.digests):
        return
    row = (
        number,
        (run.ended - EPOCH) // MICROSECOND,
        *release,
        accepted.workdir,
        accepted.version,
        accepted.image,
        json.dumps(accepted.digests, sort_keys=True),
        " ".join(accepted.told),
        accepted.signers,
        accepted.signed,
    )
    database.execute(
        "INSERT INTO accepted (run, at, descriptor, product, arch, workdir, version, image, digests,"
        " told, signers, signed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tuple(map(storable, row)),
    )


def select_accepted(
    database: sqlite3.Connection, descriptor: str, product: str, arch: str, workdir: str
) -> Iterator[Accepted]:
    """What was found right of a release, the oldest first; see History.accepted."""
    rows = database.execute(
        "SELECT run, at, version, image, digests, told, signers, signed, workdir FROM accepted"
        " WHERE (descriptor = ? OR workdir = ? AND workdir != '') AND product = ? AND arch = ?"
        " ORDER BY id",
        tuple(map(storable, (descriptor, workdir, product, arch))),
    )
    for run, at, version, image, digests, told, signers, signed, folder in rows.fetchall():
        yield Accepted(
            run=run,
            at=EPOCH + at * MICROSECOND,
            version=version,
            image=image,
            digests=json.loads(digests),
            told=tuple(told.split()),
            signers=signers,
            signed=signed,
            workdir=folder,
        )


def forget_accepted(
    database: sqlite3.Connection, before: datetime, stands: Callable[[str], bool]
) -> None:
    """Remove the old ones whose descriptor and workdir are gone; to be called in a transaction."""
    names = database.execute(
        "SELECT descriptor, workdir, MAX(at) FROM accepted GROUP BY descriptor, workdir"
    )
    limit = (before - EPOCH) // MICROSECOND
    gone = [
        names
        for *names, at in names.fetchall()
        if at < limit and not any(name and stands(name) for name in names)
    ]
    database.executemany("DELETE FROM accepted WHERE descriptor = ? AND workdir = ?", gone)
