"""The tables of the history, and how those of an older release-builder become ours.

The file tells its schema by PRAGMA user_version, and that it is ours by PRAGMA application_id.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Final

from release_builder.state.sqlite_file import ForeignError, naming_damage, number

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK: Final = 0x7262_6873  # "rbhs", for the history of release-builder


class NewerSchemaError(Exception):
    """The file is of a newer release-builder."""


def _version_1(database: sqlite3.Connection) -> None:
    """Runs and their steps."""
    database.execute(
        """CREATE TABLE runs (
            id INTEGER PRIMARY KEY,
            command TEXT NOT NULL,
            descriptor TEXT NOT NULL,
            product TEXT NOT NULL,
            version TEXT NOT NULL,
            arch TEXT NOT NULL,
            started INTEGER NOT NULL,  -- microseconds since 1970
            seconds REAL NOT NULL,
            status INTEGER NOT NULL,
            image TEXT NOT NULL,
            image_size INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            problem TEXT NOT NULL,
            hint TEXT NOT NULL
        )"""
    )
    database.execute(
        """CREATE TABLE steps (
            run INTEGER NOT NULL,
            place INTEGER NOT NULL,
            step TEXT NOT NULL,
            outcome TEXT NOT NULL,
            seconds REAL NOT NULL,
            counts TEXT NOT NULL,  -- a JSON object
            message TEXT NOT NULL,
            PRIMARY KEY (run, place)
        ) WITHOUT ROWID"""
    )
    database.execute(f"PRAGMA application_id = {_MARK}")


def _version_2(database: sqlite3.Connection) -> None:
    """Marks by a key, and an index for the state of releases."""
    database.execute("CREATE TABLE marks (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    database.execute("CREATE INDEX runs_of_release ON runs (descriptor, product, arch)")


def _version_3(database: sqlite3.Connection) -> None:
    """Runs under way: they are written as killed ones, with the process that may end otherwise."""
    database.execute("ALTER TABLE runs ADD COLUMN process TEXT NOT NULL DEFAULT ''")


def _version_4(database: sqlite3.Connection) -> None:
    """Which images were found right, and by whose word."""
    database.execute(
        """CREATE TABLE accepted (
            id INTEGER PRIMARY KEY,
            run INTEGER NOT NULL,
            at INTEGER NOT NULL,  -- microseconds since 1970
            descriptor TEXT NOT NULL,
            workdir TEXT NOT NULL,
            product TEXT NOT NULL,
            arch TEXT NOT NULL,
            version TEXT NOT NULL,
            image TEXT NOT NULL,
            digests TEXT NOT NULL,  -- a JSON object
            told TEXT NOT NULL,
            signers TEXT NOT NULL,
            signed INTEGER
        )"""
    )
    for name in ("descriptor", "workdir"):
        database.execute(f"CREATE INDEX accepted_of_{name} ON accepted ({name}, product, arch)")


# Each leads from the version before it to its own; a published one is never changed.
_MIGRATIONS: Final[tuple[Callable[[sqlite3.Connection], None], ...]] = (
    _version_1,
    _version_2,
    _version_3,
    _version_4,
)


def check(database: sqlite3.Connection) -> None:
    """See that the file is sound, ours, and not of a schema that is yet to come.

    Raises:
        NewerSchemaError: It is of a newer release-builder.
        sqlite3.Error: It is broken, or of others.
    """
    database.text_factory = _text
    mark, version = number(database, "application_id"), number(database, "user_version")
    if mark == _MARK and version > len(_MIGRATIONS):
        raise NewerSchemaError
    with naming_damage():
        found = database.execute("SELECT name FROM sqlite_master").fetchall()
        if found and (mark != _MARK or version < 1):
            raise ForeignError("it is no history of ours")
        if (answer := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise ForeignError(str(answer).splitlines()[-1])
    if missing := _columns_of(version) - _columns(database):
        table, column = min(missing)
        raise ForeignError(f"it has no {table}.{column}")


def is_old(database: sqlite3.Connection) -> bool:
    """Whether it is of an older schema than ours, or has none yet."""
    return number(database, "user_version") < len(_MIGRATIONS)


def migrate(database: sqlite3.Connection) -> None:
    """Bring an older schema to ours, at once or not at all."""
    with database:
        database.execute("BEGIN IMMEDIATE")
        # Asked again: another process may have been quicker.
        for migration in _MIGRATIONS[number(database, "user_version") :]:
            migration(database)
        database.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")


def _columns_of(version: int) -> set[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        for migration in _MIGRATIONS[:version]:
            migration(database)
        return _columns(database)


def _columns(database: sqlite3.Connection) -> set[tuple[str, str]]:
    """Table and name of each."""
    return set(
        database.execute(
            "SELECT tables.name, columns.name FROM sqlite_master AS tables,"
            " pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'"
        )
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
