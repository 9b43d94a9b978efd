"""Digests of files that were read before, so that what did not change is not read again.

A file is known by device and inode, and unchanged while size, mtime_ns and ctime_ns are: ctime
cannot be set back by a program, so a write that restores the mtime is noticed too.

But ctime is only as fine as its clock: a tick of the kernel (1 to 10 ms), 1 s on ext3, 2 s on
FAT. A second write within the tick of the first leaves no trace. So ``put`` returns when that
tick is over: whatever is written after it shows. Refusing young files instead would mean to read
each new image twice. Three gaps remain: another program that writes within one tick both before and
while we read, a file server (NFS) whose clock is behind ours, and a program that writes through a
mapping of the file (mmap), of which stamps tell once until the kernel has written the page back.

Each row has a CRC-32 of its own, so that rot of the disk in it is noticed: SQLite checks the shape
of a page alone. It is no defence against malice: who may write the file can make it say anything.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.digests import Digest
from release_builder.errors import SurroundingsError, printable
from release_builder.state.cache_file import (
    begin_anew,
    connect,
    connect_read_only,
    may_be_written,
    remove,
    today,
)
from release_builder.state.sqlite_file import is_damage, naming_damage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

DIGESTS_FILE: Final = "digests.sqlite"

_TICK: Final = 0.02  # seconds, with room; and
_COARSE_TICK: Final = 2.0  # where stamps have whole seconds
_BATCH: Final = 1000  # digests, and
_BATCH_SECONDS: Final = 2.0  # that a kill -9 loses at most
_USED_DAYS: Final = 7  # a use is noted when the last note is older: reading seldom writes
_KEPT_DAYS: Final = 90  # without a use
_FIND: Final = (
    "SELECT value, used, crc FROM digests WHERE file = ? AND algorithm = ? AND stamp = ?"
    " AND typeof(value) = 'blob' AND typeof(used) = 'integer'"  # a damaged page may hold anything
)
_KEEP: Final = "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?)"
_HINT: Final = "set RELEASE_BUILDER_STATE to a folder that this user may write"


class DigestCache:
    """What ``open_cache`` gives. For one thread; closes itself at the end of a ``with``.

    It never stops a run: when its file fails, the digests of this run are remembered in memory
    and a note tells why.

    Attributes:
        notes: What a user should know of the cache itself, one sentence each.
        computed: How many digests were put.
        keeps: Whether what is put is kept in the file; False from the first trouble with it on.
    """

    def __init__(
        self, path: Path, database: sqlite3.Connection | None, notes: list[str], *, keeps: bool
    ) -> None:
        self.notes = notes
        self.computed = 0
        self.keeps = keeps and database is not None
        self._path = path
        self._database = database
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
        for value, used, crc in self._find(*key, stamp):
            if crc != _crc(*key, stamp, value):
                return None
            if used < today() - _USED_DAYS:
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
        self.computed += 1
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

    def _find(self, *known_by: str) -> list[tuple[bytes, int, object]]:
        rows: list[tuple[bytes, int, object]] = []
        if self._database:
            with self._giving_up():
                rows = self._database.execute(_FIND, known_by).fetchall()
        return rows

    def _write(self) -> None:
        if self._database and self.keeps and self._pending:
            day = today()
            rows = [(*key, *known, day, _crc(*key, *known)) for key, known in self._pending.items()]
            with self._giving_up():
                with self._database:
                    self._database.executemany(_KEEP, rows)
                self._pending.clear()
        self._written = time.monotonic()

    @contextlib.contextmanager
    def _giving_up(self) -> Iterator[None]:
        """From the first error on do without the file; what is pending stays in memory."""
        try:
            with naming_damage():
                yield
        except sqlite3.ProgrammingError:
            raise  # our own mistake
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        if self._database:
            self._database.close()
        self._database = None
        kept, self.keeps = self.keeps, False
        place = printable(str(self._path))
        if kept and is_damage(error):
            with contextlib.suppress(OSError):
                remove(self._path)
            self.notes.append(f"{place} was damaged and is removed: files will be read again")
        else:
            self.notes.append(f"{place}: {error}: files will be read again")


def open_cache(folder: Path, *, read_only: bool = False) -> DigestCache:
    """The cache of digests that is kept in ``folder``.

    A damaged file is removed and begun anew, though its header no longer tells that it is ours:
    its place does. One of a newer version is left alone and not used.

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
        return DigestCache(path, connect_read_only(path, notes), notes, keeps=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(0, "this user may not write there")
        if not may_be_written(path):
            begin_anew(path, notes)
        return DigestCache(path, connect(path, notes, _KEPT_DAYS), notes, keeps=True)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        what = f"cannot keep the state in {printable(str(folder))}: {reason}"
        raise SurroundingsError(what, hint=_HINT) from error


def open_cache_file(path: Path, *, kept_days: int | None = _KEPT_DAYS) -> DigestCache:
    """The cache of digests that is kept in the file ``path``; never an error.

    A damaged file of ours is begun anew. Whatever else stands there (jigdo-file's own cache, or
    something precious given by mistake) is left alone: a note tells so, and the digests are
    remembered within the run only.

    Args:
        path: The file, made where missing; its folder must be there.
        kept_days: How many days a digest is kept without a use; None for ever.
    """
    notes: list[str] = []
    database = None
    try:
        if may_be_written(path):
            database = connect(path, notes, kept_days)
        else:
            place = printable(str(path))
            notes.append(f"{place} is no digest cache of ours: left alone, not used")
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        notes.append(f"{printable(str(path))}: {reason}: not used as a digest cache")
    return DigestCache(path, database, notes, keeps=True)


def no_cache() -> DigestCache:
    """A cache that remembers nothing."""
    return _NoCache(Path(os.devnull), None, [], keeps=False)


class _NoCache(DigestCache):
    def get(self, status: os.stat_result, algorithm: str) -> None:
        """Nothing is known."""

    def put(self, status: os.stat_result, digest: Digest) -> None:
        """Nothing is kept."""
        del status, digest
        self.computed += 1


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


def _file(status: os.stat_result) -> str:
    return f"{status.st_dev} {status.st_ino}"


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"


def _crc(file: str, algorithm: str, stamp: str, value: bytes) -> int:
    return zlib.crc32(b"\0".join((file.encode(), algorithm.encode(), stamp.encode(), value)))
