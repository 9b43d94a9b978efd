"""What lies in the folders of a mirror, without fetching any of it: by rsync, or in local folders."""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from release_builder import process
from release_builder.errors import DescriptorError, surroundings
from release_builder.transport.rsync import RsyncMirror, exact_rules
from release_builder.transport.rsync_output import VANISHED, failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST: Final = 20_000
"""Entries of a folder that are looked at; what is behind them is no release."""
_CONNECT_TIMEOUT: Final = 30  # seconds
_TIMEOUT: Final = 60
_PASSED_ON: Final = ("RSYNC_PROXY", "RSYNC_PASSWORD")
# lrwxrwxrwx              8 2013/10/15 16:41:30 testing/9 -> 9.0beta3
_LINE: Final = re.compile(
    r"([-dl])\S{9,10} +[\d,.]+ \d{4}/\d\d/\d\d \d\d:\d\d:\d\d (.+)", re.DOTALL
)
# What a daemon without chroot puts before the targets of links (rsyncd.conf, "munge symlinks").
_MUNGED: Final = "/rsyncd-munged/"


class EntryKind(Enum):
    """What an entry of a folder is."""

    FILE = "file"
    FOLDER = "folder"  # or a link to one, where links are followed before anyone sees them
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a folder has in it.

    Attributes:
        name: Its plain name; bytes that are no UTF-8 as whoever listed them shows them.
        kind: What it is.
        target: What a link says; empty for others.
    """

    name: str
    kind: EntryKind
    target: str = ""


class Lister(Protocol):
    """A mirror that tells what its folders have."""

    def folders(self, names: Iterable[str]) -> dict[str, tuple[Entry, ...]]:
        """What lies in each of some folders.

        Args:
            names: Of folders below the root, without slashes around; empty for the root.

        Returns:
            By folder, its entries by name. A folder that is not there is left out.

        Raises:
            IncompleteError: The mirror cannot be reached.
            DescriptorError: It has no such root, or lists no folders.
            SurroundingsError: rsync is missing, or a folder may not be read.
        """


class LocalLister:
    """The folders below ``root``; links on the way to them are followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folders(self, names: Iterable[str]) -> dict[str, tuple[Entry, ...]]:
        """See Lister."""
        if not self._root.is_dir():
            raise DescriptorError(f"there is no folder {self._root}", hint="correct `mirror:`")
        listed = {name: _local_entries(self._root / name) for name in names}
        return {name: entries for name, entries in listed.items() if entries is not None}


class RsyncLister:
    """The folders below ``source``, as RsyncMirror takes it; all of them by one question."""

    def __init__(self, source: str) -> None:
        self._source = source

    def folders(self, names: Iterable[str]) -> dict[str, tuple[Entry, ...]]:
        """See Lister."""
        wanted = list(dict.fromkeys(names))
        outcome = process.run(
            self._argv(),
            stdin=b"".join(os.fsencode(rule) + b"\0" for rule in listing_rules(wanted)),
            env=process.environment(pass_on=_PASSED_ON),
        )
        if outcome.status not in {0, VANISHED}:
            raise failure(outcome.status, outcome.stderr, self._source)
        return parse_listing(outcome.stdout, wanted)

    def _argv(self) -> list[str]:
        remote = self._source.startswith("rsync:")
        patient = remote and RsyncMirror(self._source).version >= (3, 0)
        return [
            *("rsync", "--list-only", "--recursive", "--links"),
            f"--timeout={_TIMEOUT}",
            *([f"--contimeout={_CONNECT_TIMEOUT}"] if patient else []),
            *("--from0", "--include-from=-", "--exclude=*"),
            self._source,
        ]


def listing_rules(folders: Iterable[str]) -> list[str]:
    """The include rules that let just the entries of ``folders`` pass, all else being excluded."""
    rules: list[str] = []
    for folder in folders:
        *way, last = exact_rules([f"{folder}/x" if folder else "x"])
        rules += [*way, f"{last[:-1]}*"]
    return list(dict.fromkeys(rules))


def parse_listing(text: str, wanted: Sequence[str]) -> dict[str, tuple[Entry, ...]]:
    """What rsync's ``--list-only`` shows of the folders ``wanted``.

    Args:
        text: rsync's stdout; the paths in it are relative to what was asked.
        wanted: Names of folders; empty for the root.
    """
    inside: dict[str, list[Entry]] = defaultdict(list)
    folders = {""}
    for line in text.split("\n"):
        read = _LINE.fullmatch(line)
        if read is None or read[2] == ".":
            continue
        kind = {"-": EntryKind.FILE, "d": EntryKind.FOLDER, "l": EntryKind.LINK}[read[1]]
        is_link = kind is EntryKind.LINK
        path, _, target = read[2].partition(" -> ") if is_link else (read[2], "", "")
        if kind is EntryKind.FOLDER:
            folders.add(path)
        entries = inside[posixpath.dirname(path)]
        if len(entries) < LONGEST:
            target = target.removeprefix(_MUNGED)
            entries.append(Entry(posixpath.basename(path), kind, target))
    return {name: _sorted(inside[name]) for name in wanted if name in folders}


def _local_entries(folder: Path) -> tuple[Entry, ...] | None:
    found = []
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(LONGEST), entries, strict=False):
                if entry.is_symlink():
                    found.append(Entry(entry.name, EntryKind.LINK, str(Path(entry).readlink())))
                else:
                    is_folder = entry.is_dir()
                    kind = EntryKind.FOLDER if is_folder else EntryKind.FILE
                    found.append(Entry(entry.name, kind))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise surroundings(error) from error
    return _sorted(found)


def _sorted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.name))
