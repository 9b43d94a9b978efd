"""The SQLite file that a digest cache is kept in: opened, told from other files, pruned.

A file of ours says so in its header: SQLite has four bytes there for an application's mark
(https://www.sqlite.org/fileformat2.html, section 1.3: the mark at offset 68, the application's
version at 60, the versions to write and to read the file at 18 and 19). Integers are big-endian.

Version 2 gave each row a CRC-32; a file of version 1 is begun anew.
"""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.files import open_regular
from release_builder.state.sqlite_file import (
    BUSY_SECONDS,
    ForeignError,
    is_busy,
    is_damage,
    naming_damage,
    number,
)

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION: Final = 2  # 255 at most

_MARK: Final = 0x6A64_6463  # "jddc", for a jigdo digest cache
_HEADER: Final = 72  # bytes, up to the mark's end
_MAGIC: Final = b"SQLite format 3\0"
_ROLLBACK: Final = b"\1\1"  # not a write-ahead log, which leaves more files behind
_DAY: Final = 86_400

# Text, not numbers: inodes and times of some file systems exceed SQLite's 63 bits.
_SCHEMA: Final = (
    "DROP TABLE IF EXISTS digests",
    """CREATE TABLE digests (
        file TEXT NOT NULL,
        algorithm TEXT NOT NULL,
        stamp TEXT NOT NULL,
        value BLOB NOT NULL,
        used INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        PRIMARY KEY (file, algorithm)
    ) WITHOUT ROWID""",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
    f"PRAGMA application_id = {_MARK}",
)
_OBJECTS: Final = [("table", "digests")]


def connect(path: Path, notes: list[str], kept_days: int | None) -> sqlite3.Connection | None:
    """Open the file, make it where there is none, and forget what was not used for long.

    A damaged file is removed and begun anew: ``path`` must be known to be ours.

    Args:
        path: The file.
        notes: Gets what the user should know.
        kept_days: How many days a digest is kept without a use; None for ever.

    Returns:
        None for a file that is in use, or of a newer version: it is left alone.

    Raises:
        sqlite3.Error: It cannot be opened or written.
    """
    place = printable(str(path))
    try:
        return _connect(path, notes, kept_days)
    except sqlite3.Error as error:
        if is_busy(error):
            notes.append(f"{place} is in use by another process: files will be read again")
            return None
        if not is_damage(error):
            raise
    begin_anew(path, notes)
    return _connect(path, notes, kept_days)


def connect_read_only(path: Path, notes: list[str]) -> sqlite3.Connection | None:
    """Open the file for reading alone; None if it is not there, too old, or cannot be used."""
    if not os.access(path, os.R_OK):
        return None
    database = None
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        database = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)
        if _is_known(database, path, notes) and _is_ready(database):
            return database
    except sqlite3.Error as error:
        notes.append(f"{printable(str(path))}: {error}: files will be read again")
    if database:
        database.close()
    return None


def may_be_written(path: Path) -> bool:
    """Whether the header of ``path`` is as we write it, or the file empty, or not there at all.

    Raises:
        OSError: It is no regular file, or cannot be read.
    """
    try:
        with open_regular(path) as stream:
            header = stream.read(_HEADER)
    except FileNotFoundError:
        return True
    version, mark = header[60:64], header[68:]
    return not header or (
        header.startswith(_MAGIC)
        and header[18:20] == _ROLLBACK
        and version.startswith(bytes(3))
        and mark == _MARK.to_bytes(4, "big")
    )


def begin_anew(path: Path, notes: list[str]) -> None:
    """Remove a damaged file, of which ``notes`` then tells."""
    remove(path)
    place = printable(str(path))
    notes.append(f"{place} was damaged and is begun anew: files will be read again")


def remove(path: Path) -> None:
    """Remove the file and its journal."""
    # The journal first: a new file must not find the old one's.
    path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def today() -> int:
    """Days since 1970, as ``used`` counts them."""
    return int(time.time()) // _DAY


def _connect(path: Path, notes: list[str], kept_days: int | None) -> sqlite3.Connection | None:
    database = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        if not _is_known(database, path, notes):
            database.close()
            return None
        if not _is_ready(database):
            _make(database)
        if kept_days is not None:
            _forget(database, today() - kept_days)
    except BaseException:
        database.close()
        raise
    return database


def _make(database: sqlite3.Connection) -> None:
    with database:
        database.execute("BEGIN IMMEDIATE")
        if not _is_ready(database):  # another process may have been quicker
            for statement in _SCHEMA:
                database.execute(statement)


def _is_known(database: sqlite3.Connection, path: Path, notes: list[str]) -> bool:
    version, objects = number(database, "user_version"), _objects(database)
    if version > SCHEMA_VERSION:
        notes.append(f"{printable(str(path))} is of a newer release-builder: it is not used")
        return False
    if objects and (objects != _OBJECTS or version < 1):
        raise ForeignError("it holds what is none of ours")
    return True


def _is_ready(database: sqlite3.Connection) -> bool:
    """Whether nothing is to be written before it can be used: a run may be one that only reads."""
    numbers = (number(database, "user_version"), number(database, "application_id"))
    return numbers == (SCHEMA_VERSION, _MARK) and _objects(database) == _OBJECTS


def _forget(database: sqlite3.Connection, day: int) -> None:
    """Remove what was used last before ``day``; without such rows nothing is written."""
    if database.execute("SELECT 1 FROM digests WHERE used < ? LIMIT 1", (day,)).fetchone():
        with database:
            database.execute("DELETE FROM digests WHERE used < ?", (day,))


def _objects(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """Kind and name of its tables, views, indices and triggers; two are too many."""
    with naming_damage():
        return database.execute("SELECT type, name FROM sqlite_master LIMIT 2").fetchall()
