"""Digests of files that were read before, so that what did not change is not read again.

A file is known by device and inode, and unchanged while size, mtime_ns and ctime_ns are: ctime
cannot be set back by a program, so a write that restores the mtime is noticed too.

But ctime is only as fine as its clock: a tick of the kernel (1 to 10 ms), 1 s on ext3, 2 s on
FAT. A second write within the tick of the first leaves no trace. So ``put`` returns when that
tick is over: whatever is written after it shows. Refusing young files instead would mean to read
each new image twice. Two gaps remain: another program that writes within one tick both before and
while we read, and a file server (NFS) whose clock is behind ours.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.digests import LENGTHS, Digest
from release_builder.errors import SurroundingsError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

SCHEMA_VERSION: Final = 1
DIGESTS_FILE: Final = "digests.sqlite"

_TICK: Final = 0.02  # seconds, with room; and
_COARSE_TICK: Final = 2.0  # where stamps have whole seconds
_BATCH: Final = 1000  # digests, and
_BATCH_SECONDS: Final = 2.0  # that a kill -9 loses at most
_BUSY_SECONDS: Final = 10.0  # for another process to end its write, which takes milliseconds
_DAY: Final = 86_400
_USED_DAYS: Final = 7  # a use is noted when the last note is older: reading seldom writes
_KEPT_DAYS: Final = 90  # without a use

# Text, not numbers: inodes and times of some file systems exceed SQLite's 63 bits.
_SCHEMA: Final = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS digests (
    file TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    stamp TEXT NOT NULL,
    value BLOB NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (file, algorithm)
) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
_FIND: Final = (
    "SELECT value, used FROM digests WHERE file = ? AND algorithm = ? AND stamp = ?"
    " AND typeof(value) = 'blob' AND typeof(used) = 'integer'"  # a damaged page may hold anything
)
_KEEP: Final = "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?)"
_DAMAGED: Final = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_HINT: Final = "set RELEASE_BUILDER_STATE to a folder that this user may write"


class DigestCache:
    """What ``open_cache`` gives. For one thread; closes itself at the end of a ``with``.

    It never stops a run: when its file fails, the digests of this run are remembered in memory
    and a note tells why.

    Attributes:
        notes: What a user should know of the cache itself, one sentence each.
    """

    def __init__(
        self, path: Path, database: sqlite3.Connection | None, notes: list[str], *, keeps: bool
    ) -> None:
        self.notes = notes
        self._path = path
        self._database = database
        self._keeps = keeps
        self._pending: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._written = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def get(self, status: os.stat_result, algorithm: str) -> Digest | None:
        """The digest of the file that has this status, if it was put and nothing changed since."""
        key, stamp = (_file(status), algorithm), _stamp(status)
        if key in self._pending:
            known, value = self._pending[key]
            return Digest(algorithm, value) if known == stamp else None
        for value, used in self._find(*key, stamp):
            if len(value) != LENGTHS.get(algorithm):
                return None
            if used < _today() - _USED_DAYS:
                self._remember(key, stamp, value)
            return Digest(algorithm, value)
        return None

    def put(self, status: os.stat_result, digest: Digest) -> None:
        """Remember the digest of a file; waits if the file changed this very moment.

        Args:
            status: From before it was read (fstat of the open file), or of a file that we wrote
                ourselves after its rename, which moves the ctime.
            digest: Of all its bytes.
        """
        tick = _TICK if status.st_ctime_ns % 1_000_000_000 else _COARSE_TICK
        age = time.time() - status.st_ctime
        if 0 <= age < tick:
            time.sleep(tick - age)
        self._remember((_file(status), digest.algorithm), _stamp(status), digest.value)

    def close(self) -> None:
        """Write what is not yet written and let go of the file."""
        self._write()
        if self._database:
            self._database.close()
        self._database = None

    def _remember(self, key: tuple[str, str], stamp: str, value: bytes) -> None:
        # Collected first, for a transaction left open would hold up other processes.
        self._pending[key] = (stamp, value)
        if len(self._pending) >= _BATCH or time.monotonic() - self._written > _BATCH_SECONDS:
            self._write()

    def _find(self, *known_by: str) -> list[tuple[bytes, int]]:
        rows: list[tuple[bytes, int]] = []
        if self._database:
            with self._giving_up():
                rows = self._database.execute(_FIND, known_by).fetchall()
        return rows

    def _write(self) -> None:
        if self._database and self._keeps and self._pending:
            today = _today()
            rows = [(*key, *known, today) for key, known in self._pending.items()]
            with self._giving_up():
                with self._database:
                    self._database.executemany(_KEEP, rows)
                self._pending.clear()
        self._written = time.monotonic()

    @contextlib.contextmanager
    def _giving_up(self) -> Iterator[None]:
        """From the first error on do without the file; what is pending stays in memory."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # our own mistake
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        if self._database:
            self._database.close()
        self._database = None
        place = printable(str(self._path))
        if self._keeps and _code(error) in _DAMAGED:
            with contextlib.suppress(OSError):
                _remove(self._path)
            self.notes.append(f"{place} was damaged and is removed: files will be read again")
        else:
            self.notes.append(f"{place}: {error}: files will be read again")


def open_cache(folder: Path, *, read_only: bool = False) -> DigestCache:
    """The cache of digests that is kept in ``folder``.

    A damaged file is removed and begun anew. One of a newer version is left alone and not used.

    Args:
        folder: The state folder, made where missing.
        read_only: For commands that touch nothing: what is kept there is used, what is put is
            forgotten at the end of the run, no file is made or changed.

    Raises:
        SurroundingsError: ``folder`` cannot be written.
    """
    path = folder / DIGESTS_FILE
    notes: list[str] = []
    if read_only:
        return DigestCache(path, _open_read_only(path, notes), notes, keeps=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(0, "this user may not write there")
        return DigestCache(path, _open(path, notes), notes, keeps=True)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        what = f"cannot keep the state in {printable(str(folder))}: {reason}"
        raise SurroundingsError(what, hint=_HINT) from error


def state_folder(environ: Mapping[str, str], *, user: int | None = None) -> Path:
    """Where state is kept that outlives a run.

    Args:
        environ: The environment.
        user: Who runs, by number; default: this process.

    Raises:
        SurroundingsError: Nothing tells a place.
    """
    if folder := environ.get("RELEASE_BUILDER_STATE"):
        return Path(folder)
    if (os.geteuid() if user is None else user) == 0:
        return Path("/var/lib/release-builder")
    # A relative XDG_STATE_HOME counts as not set, as its specification has it.
    if (folder := environ.get("XDG_STATE_HOME", "")).startswith("/"):
        return Path(folder) / "release-builder"
    if folder := environ.get("HOME"):
        return Path(folder) / ".local/state/release-builder"
    raise SurroundingsError("no folder for the state is known: HOME is not set", hint=_HINT)


def _open(path: Path, notes: list[str]) -> sqlite3.Connection | None:
    place = printable(str(path))
    try:
        return _connect(path, notes)
    except sqlite3.Error as error:
        if _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            notes.append(f"{place} is in use by another process: files will be read again")
            return None
        if _code(error) not in _DAMAGED:
            raise
    _remove(path)
    notes.append(f"{place} was damaged and is begun anew: files will be read again")
    return _connect(path, notes)


def _connect(path: Path, notes: list[str]) -> sqlite3.Connection | None:
    """Open, make where new, and prune; None for a file of a newer version."""
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS)
    try:
        if not _is_ours(database, path, notes):
            database.close()
            return None
        database.executescript(_SCHEMA)
        with database:
            database.execute("DELETE FROM digests WHERE used < ?", (_today() - _KEPT_DAYS,))
    except BaseException:
        database.close()
        raise
    return database


def _open_read_only(path: Path, notes: list[str]) -> sqlite3.Connection | None:
    if not os.access(path, os.R_OK):
        return None
    database = None
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        database = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS)
        if _is_ours(database, path, notes):
            return database
    except sqlite3.Error as error:
        notes.append(f"{printable(str(path))}: {error}: files will be read again")
    if database:
        database.close()
    return None


def _is_ours(database: sqlite3.Connection, path: Path, notes: list[str]) -> bool:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version <= SCHEMA_VERSION:
        return True
    notes.append(f"{printable(str(path))} is of a newer release-builder: it is not used")
    return False


def _remove(path: Path) -> None:
    # The journal first: a new file must not find the old one's.
    path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF  # the rest are details


def _file(status: os.stat_result) -> str:
    return f"{status.st_dev} {status.st_ino}"


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def _today() -> int:
    return int(time.time()) // _DAY
