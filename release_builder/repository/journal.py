"""What was read of which file, so that an unchanged file is not read again."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from release_builder.errors import (
    IncompleteError,
    SurroundingsError,
    WrongBytesError,
    printable,
)
from release_builder.files import replacing
from release_builder.repository.sums import Sums, sums_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_TICK: Final = 0.02  # seconds, with room: of the clock that stamps files; and
_COARSE_TICK: Final = 2.0  # where stamps have whole seconds
_SPARE: Final = 1000  # outlived lines that are no reason yet to write the journal anew


@dataclass(frozen=True, slots=True)
class Mark:
    """By what a file is known to be the one that was read.

    Attributes:
        device: st_dev.
        inode: st_ino.
        size: Bytes.
        mtime_ns: When it was written last, nanoseconds, as far as it says so itself.
        ctime_ns: When it, or the number of its names, was changed last: nobody can set that back.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class Known:
    """A file and its digests.

    Attributes:
        path: Where it lies.
        mark: What it was like before and after it was read.
        sums: Its digests.
    """

    path: Path
    mark: Mark
    sums: Sums

    def check(self) -> None:
        """Let pass what is as it was read; also seen from a machine where st_dev is another.

        What may have been written, or have got no more than another name, is read again.

        Raises:
            IncompleteError: It was changed since, or removed.
            OSError: It cannot be reached or read.
        """
        now = mark_of(self.path)
        _check_same(self.path, now, self.mark)
        is_touched = (now.inode, now.ctime_ns) != (self.mark.inode, self.mark.ctime_ns)
        if is_touched and read(self.path).sums != self.sums:
            raise _changed(self.path)

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Let the block work with it; whatever fails there, an image that was changed is to blame.

        Raises:
            IncompleteError: It was changed since it was read, or removed.
            OSError: It cannot be reached.
        """
        try:
            yield
        except (OSError, SurroundingsError, WrongBytesError):
            self.check()
            raise
        self.check()


def mark_of(path: Path) -> Mark:
    """The mark of ``path``.

    Raises:
        IncompleteError: It is not there, or not any more.
        OSError: It cannot be reached.
    """
    try:
        return _mark(path.stat())
    except FileNotFoundError as error:
        raise gone(path) from error


def read(path: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> Known:
    """Read ``path`` for its digests.

    Raises:
        IncompleteError: It was written to meanwhile, or removed.
        OSError: It cannot be read.
    """
    before = mark_of(path)
    # What is written within the same tick of the clock as before would leave no trace.
    tick = _TICK if before.ctime_ns % 1_000_000_000 else _COARSE_TICK
    age = time.time() - before.ctime_ns / 1e9
    if 0 <= age < tick:
        time.sleep(tick - age)
    try:
        sums = sums_of(path, on_bytes)
    except FileNotFoundError as error:
        raise gone(path) from error
    _check_same(path, mark_of(path), before)
    return Known(path, before, sums)


def _changed(path: Path) -> IncompleteError:
    return IncompleteError(
        f"{printable(str(path))} was changed while it was read", hint="run again later"
    )


def gone(path: Path) -> IncompleteError:
    """What to say of a file that somebody has removed meanwhile."""
    return IncompleteError(
        f"{printable(str(path))} is not there any more", hint="bring it back, or run again without"
    )


def _mark(status: os.stat_result) -> Mark:
    return Mark(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def _check_same(path: Path, now: Mark, before: Mark) -> None:
    """Let pass a file that got no more than another name, or is seen from another machine."""
    if (now.size, now.mtime_ns) != (before.size, before.mtime_ns):
        raise _changed(path)


class Journal:
    """The digests of files that have been read, in a file of JSON lines; the last word holds.

    What a killed run has appended counts; a line that is no JSON does not.

    Args:
        path: The journal; it is made with the first entry. One process writes it.
        full: Whether what other runs have read counts for nothing.
    """

    def __init__(self, path: Path, *, full: bool = False) -> None:
        self._path = path
        self._entries: dict[tuple[int, int], tuple[Mark, Sums]] = {}
        lines = path.read_bytes().split() if path.exists() and not full else []
        for line in lines:
            try:
                entry = json.loads(line)
                self._take(Mark(**entry["mark"]), Sums(**entry["sums"]))
            except (ValueError, TypeError, KeyError, RecursionError):
                continue
        if len(lines) > 2 * len(self._entries) + _SPARE:
            self._write_anew()

    def known(self, path: Path) -> Known | None:
        """``path`` with its digests, if it is as it was when it was read.

        Raises:
            IncompleteError: It is not there.
            OSError: It cannot be reached.
        """
        mark = mark_of(path)
        sums = self._find(mark)
        return Known(path, mark, sums) if sums else None

    def sums_of(self, path: Path) -> Sums:
        """The digests of ``path``, which is read only if it is not known.

        Raises:
            IncompleteError: It was written to meanwhile, or removed.
            OSError: It cannot be read.
        """
        known = self.known(path)
        if known is None:
            known = read(path)
            self.remember(known)
        return known.sums

    @contextlib.contextmanager
    def renaming(self, path: Path) -> Iterator[None]:
        """Let the block give the file ``path`` another name, by which it stays known.

        Raises:
            OSError: It is not there.
        """
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            sums = self._find(before := _mark(os.fstat(descriptor)))
            yield
            after = _mark(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        if sums and after != before and replace(after, ctime_ns=before.ctime_ns) == before:
            self.remember(Known(path, after, sums))

    def remember(self, known: Known) -> None:
        """Keep the digests of ``known``."""
        self._take(known.mark, known.sums)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as out:
            # A line that a killed run began ends here; it is no JSON.
            out.write(b"\n" + _line(known.mark, known.sums))

    def _find(self, mark: Mark) -> Sums | None:
        entry = self._entries.get((mark.device, mark.inode))
        return entry[1] if entry and entry[0] == mark else None

    def _take(self, mark: Mark, sums: Sums) -> None:
        self._entries[mark.device, mark.inode] = mark, sums

    def _write_anew(self) -> None:
        with replacing(self._path) as out:
            out.writelines(_line(mark, sums) for mark, sums in self._entries.values())


def _line(mark: Mark, sums: Sums) -> bytes:
    entry = {"mark": dataclasses.asdict(mark), "sums": dataclasses.asdict(sums)}
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"
