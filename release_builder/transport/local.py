"""A mirror in a local folder, read without any other program."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    SurroundingsError,
    printable,
    surroundings,
)
from release_builder.transport import Moved, Transfer
from release_builder.transport.http.rate_limit import RateLimit
from release_builder.transport.local_copy import Copier
from release_builder.transport.local_tree import Entry, Listing, differences, read_tree
from release_builder.transport.rsync import RsyncMirror, exact_rules, filters
from release_builder.transport.rsync_filter import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from release_builder.monitor import Monitor
    from release_builder.transport import Pull, Transport
    from release_builder.transport.local_tree import Differences

_UNITS: Final = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SHOWN: Final = 5
# What rsync prints as octal numbers in the C locale.
_ODD: Final = re.compile(rb"[^\t -~]|\\(?=#[0-9]{3})")


def open_mirror(source: str, keep_open: Sequence[int] = ()) -> Transport:
    """The mirror at ``source``, read by rsync where that is installed or nothing else can.

    Args:
        source: As RsyncMirror takes it.
        keep_open: As RsyncMirror takes it.
    """
    if source.startswith("/") and shutil.which("rsync") is None:
        return LocalMirror(Path(source))
    return RsyncMirror(source, keep_open)


class LocalMirror:
    """The tree in the folder ``source``, where no rsync program is installed.

    It does what RsyncMirror does with a folder, but for this: nothing is touched when more would
    be deleted than may be; a file that is written while it is read comes with the next pass;
    nothing is kept of a file that broke off; there is no timeout.

    Args:
        source: An absolute path.
    """

    def __init__(self, source: Path) -> None:
        self.source = source

    def names(self) -> tuple[str, ...]:
        """See Transport."""
        try:
            with os.scandir(self.source) as found:
                entries = [Entry(each.name, each.stat(follow_symlinks=False)) for each in found]
        except OSError as error:
            raise _unread(self.source, error) from error
        return tuple(
            sorted(
                _as_printed(entry.path) + "/" * entry.is_folder
                for entry in entries
                if not entry.is_special
            )
        )

    def preview(self, pull: Pull, monitor: Monitor) -> Transfer:
        """See Transport."""
        there, found = self._compare(pull, monitor)
        self._check(there.complaints)
        return _transfer(there, found, found.files)

    def pull(self, pull: Pull, monitor: Monitor) -> Transfer:
        """See Transport."""
        try:
            pull.into.mkdir(parents=True, exist_ok=True)
            there, found = self._compare(pull, monitor)
            if len(found.deleted) > pull.max_delete:
                raise DescriptorError(
                    f"{self.source}: more files are gone from the mirror than may be deleted here;"
                    " nothing was touched",
                    hint="look at the mirror; if it is right, raise `max_delete:` below `sync:`",
                )
            copier = Copier(self.source, pull.into, RateLimit(_rate(pull.bwlimit)).take)
            if there.complaints:
                found.deleted.clear()  # what cannot be read may be there all the same
            fetched = _carry_out(copier, there, found, monitor, delay=pull.delay_updates)
        except OSError as error:
            raise surroundings(error) from error
        self._check([*there.complaints, *copier.complaints])
        there.vanished = there.vanished or copier.vanished
        return _transfer(there, found, fetched, copier.literal)

    def _compare(self, pull: Pull, monitor: Monitor) -> tuple[Listing, Differences]:
        monitor.detail(f"compare {self.source} with {pull.into}, as rsync is not installed")
        exact = [*(f"--include={rule}" for rule in exact_rules(pull.only)), "--exclude=*"]
        selection = Selection(exact if pull.only else filters(pull))
        try:
            there = read_tree(self.source, selection)
        except OSError as error:
            raise _unread(self.source, error) from error
        here = read_tree(pull.into, selection) if pull.into.is_dir() else Listing(pull.into)
        found = differences(there, here, by_content=bool(pull.only), delete=pull.delete)
        if here.complaints:
            raise SurroundingsError(printable(here.complaints[0]), hint="let this user read it")
        if found.crowded:
            raise SurroundingsError(
                f"{printable(str(pull.into / found.crowded[0]))}: this folder is in the way of what"
                " the mirror has there",
                hint="move it away",
            )
        return there, found

    def _check(self, complaints: Sequence[str]) -> None:
        if complaints:
            lines = [f"    {printable(each)}" for each in complaints[:_SHOWN]]
            if more := len(complaints) - len(lines):
                lines.append(f"    … {more} more")
            raise IncompleteError(
                "\n".join((f"{self.source}: the mirror could not be read to the end", *lines)),
                hint="run again later",
            )


def _carry_out(
    copier: Copier, there: Listing, found: Differences, monitor: Monitor, *, delay: bool
) -> list[Entry]:
    """Do what ``found`` says; the files that came."""
    copier.make_folders(found.folders)
    for entry in found.room:
        copier.delete(entry)
    fetched = []
    for entry in _copied(copier, found.files, monitor):
        fetched.append(entry)
        if not delay:
            _put(copier, [entry])
    if delay:
        _put(copier, fetched)
    for entry in found.links:
        if copier.link(entry):
            copier.place(entry)
    for entry, first in found.names:
        copier.name(entry, first)
    for entry in found.deleted if not copier.complaints else ():
        copier.delete(entry)
    folders = [entry for entry in there.entries.values() if entry.is_folder]
    copier.finish(found.attributes, folders)
    return fetched


def _copied(copier: Copier, wanted: Iterable[Entry], monitor: Monitor) -> Iterator[Entry]:
    count = size = 0
    for entry in wanted:
        if copier.copy(entry):
            count, size = count + 1, size + entry.status.st_size
            yield entry
        monitor.progress(size, note=f"{count:,} files")


def _put(copier: Copier, entries: Sequence[Entry]) -> None:
    for entry in entries:
        copier.settle(entry)
    for entry in entries:
        copier.place(entry)


def _transfer(
    there: Listing, found: Differences, fetched: Sequence[Entry], literal: int = 0
) -> Transfer:
    deleted = (*found.room, *found.deleted)
    return Transfer(
        fetched=tuple(Moved(_as_printed(each.path), each.status.st_size) for each in fetched),
        deleted=tuple(_as_printed(each.path) + "/" * each.is_folder for each in deleted),
        changes=found.count,
        listed_size=_size(
            entry for entry in there.entries.values() if entry.is_file or entry.is_link
        ),
        received=0,
        literal=literal,
        vanished=there.vanished,
    )


def _size(entries: Iterable[Entry]) -> int:
    return sum(entry.status.st_size for entry in entries)


def _as_printed(path: str) -> str:
    return _ODD.sub(lambda odd: b"\\#%03o" % odd[0][0], os.fsencode(path)).decode("ascii")


def _rate(text: str) -> int | None:
    """Bytes a second; rsync counts in KiB where no unit is given."""
    if not text:
        return None
    unit = _UNITS.get(text[-1].lower())
    return int(float(text[:-1] if unit else text) * (unit or _UNITS["k"])) or None


def _unread(source: Path, error: OSError) -> ReleaseBuilderError:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return DescriptorError(
            f"{source}: the mirror has no such place: {error.strerror}", hint="correct `mirror:`"
        )
    return IncompleteError(
        f"{source}: the mirror cannot be read: {error.strerror}", hint="run again later"
    )
