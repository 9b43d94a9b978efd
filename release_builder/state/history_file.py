"""The SQLite file of the history: opened, brought to the newest schema, set aside when broken.

Its journal is a rollback journal: that needs no shared memory, and leaves one file behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.files import open_regular
from release_builder.state.history_schema import NewerSchemaError, check, is_old, migrate
from release_builder.state.sqlite_file import BUSY_SECONDS, code, is_busy, is_damage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_READ_ONLY: Final = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


@contextlib.contextmanager
def connected(path: Path, notes: list[str]) -> Iterator[sqlite3.Connection | None]:
    """The file at ``path``, made or brought to our schema; a broken one is set aside and told of.

    Args:
        path: The file; its folder is made where missing.
        notes: Gets what the user should know.

    Yields:
        None where the file cannot be used now, or is of a newer schema: it is left alone.
    """
    database = None
    with contextlib.ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            held.callback(os.close, folder)
            # Nobody sets a file aside while another has it open: its journal would go astray.
            _lock(folder, fcntl.LOCK_SH)
            database = held.enter_context(contextlib.closing(_connect(path, folder, notes)))
        except NewerSchemaError:
            notes.append(_newer(path))
        except (OSError, sqlite3.Error) as error:
            notes.append(f"{_why(path, error)}: this run is not recorded")
        yield database


@contextlib.contextmanager
def connected_for_reading(path: Path, notes: list[str]) -> Iterator[sqlite3.Connection | None]:
    """The file at ``path`` as it is; an older schema is brought to ours in memory alone.

    Yields:
        None where there is no file, or it cannot be used; of the latter ``notes`` tells.
    """
    database = None
    with contextlib.ExitStack() as held:
        try:
            if (opened := _connect_for_reading(path)) is not None:
                database = held.enter_context(contextlib.closing(opened))
        except NewerSchemaError:
            notes.append(_newer(path))
        except (OSError, sqlite3.Error) as error:
            later = "; the next run sets it aside" if _is_broken(error) else ""
            notes.append(f"{_why(path, error)}: it cannot be read{later}")
        yield database


def _connect(path: Path, folder: int, notes: list[str]) -> sqlite3.Connection:
    try:
        return _connect_checked(path)
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
    _lock(folder, fcntl.LOCK_EX)
    try:
        try:
            return _connect_checked(path)  # another process may have been quicker
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            aside = _set_aside(path)
            notes.append(
                f"{_why(path, error)}: it is {printable(aside.name)} now, and begun anew:"
                " an older release cannot be noticed"
            )
        return _connect_checked(path)
    finally:
        _lock(folder, fcntl.LOCK_SH)


def _connect_checked(path: Path) -> sqlite3.Connection:
    with contextlib.suppress(FileNotFoundError):
        open_regular(path).close()
    database = sqlite3.connect(path, timeout=BUSY_SECONDS)
    try:
        check(database)
        if is_old(database):
            migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def _connect_for_reading(path: Path) -> sqlite3.Connection | None:
    try:
        open_regular(path).close()
    except FileNotFoundError:
        return None
    mode = "rw" if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else "ro"
    # What a killed run left half-written is only undone by one that may write.
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    database = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)
    try:
        check(database)
        if is_old(database):
            with contextlib.closing(database) as file:
                database = sqlite3.connect(":memory:")
                file.backup(database)
                check(database)
            migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def _set_aside(path: Path) -> Path:
    count = 1
    while os.path.lexists(aside := path.with_name(f"{path.name}.damaged-{count}")):
        count += 1
    # The journal first: a new file must not find the old one's.
    journal = path.with_name(f"{path.name}-journal")
    if os.path.lexists(journal):
        journal.rename(path.with_name(f"{aside.name}-journal"))
    path.rename(aside)
    return aside


def _lock(folder: int, how: int) -> None:
    """Wait for the lock; LOCK_EX is had when nobody else has the file open.

    Raises:
        BlockingIOError: Somebody still holds it.
    """
    patience = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            fcntl.flock(folder, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > patience:
                raise
            time.sleep(0.05)
        except OSError:
            return  # some file servers cannot lock a folder: there, it is left to luck
        else:
            return


def _newer(path: Path) -> str:
    return (
        f"{printable(str(path))} is of a newer release-builder: it is left alone and not used;"
        " upgrade this one"
    )


def _why(path: Path, error: OSError | sqlite3.Error) -> str:
    place = printable(str(path))
    if isinstance(error, BlockingIOError) or (isinstance(error, sqlite3.Error) and is_busy(error)):
        return f"{place} is in use by another process"
    reason = getattr(error, "strerror", None) or error
    if _is_broken(error):
        return f"{place} was damaged ({printable(str(reason))})"
    if isinstance(error, sqlite3.Error) and code(error) in _READ_ONLY:
        return f"{place} may not be written by this user ({reason})"
    return f"{place}: {printable(str(reason))}"


def _is_broken(error: OSError | sqlite3.Error) -> bool:
    return isinstance(error, sqlite3.Error) and is_damage(error)
