"""What was read of which file, so that an unchanged file is not read again."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import IncompleteError
from release_builder.files import replacing
from release_builder.repository.sums import Sums, sums_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SPARE: Final = 1000  # outlived lines that are no reason yet to write the journal anew


@dataclass(frozen=True, slots=True)
class Mark:
    """By what a file is known to be the one that was read. A new link to it changes nothing.

    Attributes:
        device: st_dev.
        inode: st_ino.
        size: Bytes.
        mtime_ns: When it was written last, nanoseconds.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int


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

        Raises:
            IncompleteError: It was changed since.
            OSError: It is not there.
        """
        now = mark_of(self.path)
        if (now.size, now.mtime_ns) != (self.mark.size, self.mark.mtime_ns):
            raise _changing(self.path)


def mark_of(path: Path) -> Mark:
    """The mark of ``path``.

    Raises:
        OSError: It is not there.
    """
    status = path.stat()
    return Mark(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def read(path: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> Known:
    """Read ``path`` for its digests.

    Raises:
        IncompleteError: It was written to meanwhile.
        OSError: It cannot be read.
    """
    before = mark_of(path)
    sums = sums_of(path, on_bytes)
    if mark_of(path) != before:
        raise _changing(path)
    return Known(path, before, sums)


def _changing(path: Path) -> IncompleteError:
    return IncompleteError(f"{path} was changed while it was read", hint="run again later")


class Journal:
    """The digests of files that have been read, in a file of JSON lines; the last word holds.

    What a killed run has appended counts; a line that is no JSON does not.

    Args:
        path: The journal; it is made with the first entry. One process writes it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[tuple[int, int], tuple[Mark, Sums]] = {}
        lines = path.read_bytes().split() if path.exists() else []
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
            OSError: It is not there.
        """
        mark = mark_of(path)
        entry = self._entries.get((mark.device, mark.inode))
        return Known(path, mark, entry[1]) if entry and entry[0] == mark else None

    def remember(self, known: Known) -> None:
        """Keep the digests of ``known``."""
        self._take(known.mark, known.sums)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as out:
            # A line that a killed run began ends here; it is no JSON.
            out.write(b"\n" + _line(known.mark, known.sums))

    def _take(self, mark: Mark, sums: Sums) -> None:
        self._entries[mark.device, mark.inode] = mark, sums

    def _write_anew(self) -> None:
        with replacing(self._path) as out:
            out.writelines(_line(mark, sums) for mark, sums in self._entries.values())


def _line(mark: Mark, sums: Sums) -> bytes:
    entry = {"mark": dataclasses.asdict(mark), "sums": dataclasses.asdict(sums)}
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"
