"""What all SQLite files of ours have in common: how they fail, and how they are asked."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY_SECONDS: Final = 10.0  # for another process to end its write, which takes milliseconds

_PLENTY: Final = 64 << 20  # bytes; no record of ours has nearly as many
_DAMAGED: Final = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class ForeignError(sqlite3.DatabaseError):
    """What stands in a file of ours is not of us: a view or trigger, say, which might never end."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


def is_damage(error: sqlite3.Error) -> bool:
    """Whether ``error`` tells that the file itself is broken."""
    return code(error) in _DAMAGED


@contextlib.contextmanager
def naming_damage() -> Iterator[None]:
    """Name as damage what the sqlite3 module takes for something else.

    Raises:
        ForeignError: Its message quotes bytes that are no text, or a record of it claims more
            bytes than this machine can give.
        MemoryError: Memory is short indeed.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise ForeignError("its schema is damaged") from error
    except MemoryError as error:
        bytearray(_PLENTY)
        raise ForeignError("it has a record without end") from error


def is_busy(error: sqlite3.Error) -> bool:
    """Whether ``error`` tells that another process is at the file, and did not end in time."""
    return code(error) in _BUSY


def number(database: sqlite3.Connection, pragma: str) -> int:
    """The number that ``PRAGMA pragma`` answers."""
    return int(database.execute(f"PRAGMA {pragma}").fetchone()[0])


def code(error: sqlite3.Error) -> int:
    """SQLite's primary result code (https://www.sqlite.org/rescode.html); 0 where there is none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF  # the rest are details
