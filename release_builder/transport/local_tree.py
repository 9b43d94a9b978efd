"""What lies in two folders, and what makes the one like the other; nothing is written here."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.digests import BLOCK
from release_builder.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from release_builder.transport.rsync_filter import Selection

_BITS: Final = 0o7777
_GIVEN: Final = 0o775  # what MODES of rsync leaves


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a tree.

    Attributes:
        path: Below the root; empty for the root.
        status: Of the name itself, were it a link.
    """

    path: str
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.status.st_mode)

    @property
    def is_special(self) -> bool:
        """Whether it is a device, a FIFO or a socket: those have no place in a release."""
        return not (self.is_folder or self.is_file or self.is_link)

    @property
    def inode(self) -> tuple[int, int]:
        """What all names of one file have in common."""
        return self.status.st_dev, self.status.st_ino

    @property
    def mode(self) -> int:
        """Its permissions."""
        return self.status.st_mode & _BITS

    @property
    def mode_here(self) -> int:
        """The permissions that it gets in our copy."""
        return self.mode & _GIVEN

    @property
    def second(self) -> int:
        """When it was written; old file systems and rsync know no more than the second."""
        return self.status.st_mtime_ns // 1_000_000_000


@dataclass(slots=True)
class Listing:
    """What lies in a folder.

    Attributes:
        root: The folder.
        entries: What was selected, by path; a folder stands before what lies in it.
        others: What was not; nobody looks into such folders.
        complaints: What could not be read.
        vanished: Something went away meanwhile.
    """

    root: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    others: dict[str, Entry] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    vanished: bool = False


@dataclass(slots=True)
class Differences:
    """What is to be done.

    Attributes:
        folders: To be made, those above first.
        files: To be copied.
        links: Symbolic ones, to be made.
        names: Further names of a file, and its first name.
        attributes: To be given their time and mode, and nothing else.
        room: To be removed before something else can take the place of the folder around it.
        deleted: To be removed; here as there what lies in a folder stands before the folder.
        crowded: Folders where something else belongs, and which have what may not go.
    """

    folders: list[Entry] = field(default_factory=list)
    files: list[Entry] = field(default_factory=list)
    links: list[Entry] = field(default_factory=list)
    names: list[tuple[Entry, str]] = field(default_factory=list)
    attributes: list[Entry] = field(default_factory=list)
    room: list[Entry] = field(default_factory=list)
    deleted: list[Entry] = field(default_factory=list)
    crowded: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many entries differ in any way."""
        changed = (self.folders, self.files, self.links, self.names, self.attributes)
        return sum(len(each) for each in (*changed, self.room, self.deleted))


def read_tree(root: Path, selection: Selection) -> Listing:
    """What lies in ``root``; links are never followed.

    Raises:
        OSError: ``root`` itself cannot be read.
    """
    listing = Listing(root)
    listing.entries[""] = Entry("", root.stat())
    _read_folder(listing, "", _names(root), selection)
    return listing


def _names(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return sorted(found, key=lambda entry: os.fsencode(entry.name))


def _read_folder(
    listing: Listing, above: str, found: list[os.DirEntry[str]], selection: Selection
) -> None:
    for each in found:
        path = f"{above}/{each.name}" if above else each.name
        try:
            entry = Entry(path, each.stat(follow_symlinks=False))
            if not selection.admits(path, is_folder=entry.is_folder):
                listing.others[path] = entry
                continue
            listing.entries[path] = entry
            if entry.is_folder:
                _read_folder(listing, path, _names(listing.root / path), selection)
        except FileNotFoundError:
            listing.vanished = True
        except OSError as error:
            listing.complaints.append(f"{listing.root / path}: {error.strerror}")


def differences(there: Listing, here: Listing, *, by_content: bool, delete: bool) -> Differences:
    """What makes ``here`` like ``there``.

    Args:
        there: The mirror.
        here: Our copy of it.
        by_content: Size and time of a file are not trusted.
        delete: What the mirror does not have goes.
    """
    found = Differences()
    firsts: dict[tuple[int, int], Entry] = {}
    alike = partial(_same, there.root, here.root, by_content=by_content)
    renewed: set[str] = set()  # first names that will be other files than now
    for path, entry in there.entries.items():
        ours = here.entries.get(path) or here.others.get(path)
        first = entry
        if not entry.is_folder and entry.status.st_nlink > 1:
            first = firsts.setdefault(entry.inode, entry)
        if first is not entry and not entry.is_special:
            leader = here.entries.get(first.path) or here.others.get(first.path)
            same = ours and leader and ours.inode == leader.inode
            if not same or first.path in renewed:
                found.names.append((entry, first.path))
            continue
        wanting = _wanting(found, entry, ours, alike)
        if wanting is not None:
            wanting.append(entry)
            if wanting is not found.attributes:
                renewed.add(path)
    _find_deletions(found, there, here, delete=delete)
    return found


def _wanting(
    found: Differences, entry: Entry, ours: Entry | None, alike: Callable[[Entry, Entry], bool]
) -> list[Entry] | None:
    """The list of ``found`` that ``entry`` belongs to, if any."""
    kept_time = True
    if entry.is_folder:
        if not (ours and ours.is_folder):
            return found.folders
    elif entry.is_link:
        if not (ours and ours.is_link and alike(entry, ours)):
            return found.links
        kept_time = links_have_times()
    elif entry.is_file:
        if not (ours and ours.is_file and alike(entry, ours)):
            return found.files
    else:
        return None
    other_mode = not entry.is_link and entry.mode_here != ours.mode
    other_time = kept_time and entry.second != ours.second
    return found.attributes if other_mode or other_time else None


def _same(there: Path, here: Path, entry: Entry, ours: Entry, *, by_content: bool) -> bool:
    """Whether two files, or two links, are the same but for mode, and time if nobody trusts it."""
    try:
        if entry.is_link:
            return (there / entry.path).readlink() == (here / ours.path).readlink()
        if entry.status.st_size != ours.status.st_size:
            return False
        if not by_content:
            return entry.second == ours.second
        with open_regular(there / entry.path) as one, open_regular(here / ours.path) as other:
            return _same_bytes(one, other)
    except OSError:
        return False  # who copies it will say what is wrong with it


def _same_bytes(one: BinaryIO, other: BinaryIO) -> bool:
    while block := one.read(BLOCK):
        left = memoryview(block)
        while left:
            piece = other.read(len(left))
            if not piece or piece != left[: len(piece)]:
                return False
            left = left[len(piece) :]
    return True


def _find_deletions(found: Differences, there: Listing, here: Listing, *, delete: bool) -> None:
    kept = {_above(path) for path in here.others}
    for path, ours in reversed(here.entries.items()):
        entry = there.entries.get(path)
        above = _nearest(_above(path), there)
        if entry is not None:
            if ours.is_folder and (entry.is_file or entry.is_link) and path in kept:
                found.crowded.append(path)
        elif delete and path not in kept and not above.is_special:
            (found.deleted if above.is_folder else found.room).append(ours)
            continue
        kept.add(_above(path))


def _above(path: str) -> str:
    return path.rpartition("/")[0]


def _nearest(path: str, listing: Listing) -> Entry:
    """The entry of ``path``, or of what is nearest above it."""
    while path not in listing.entries:
        path = _above(path)
    return listing.entries[path]


@cache
def links_have_times() -> bool:
    """Whether this system sets the time of a link itself: Linux does from 2.6.22 on."""
    try:
        os.utime("", follow_symlinks=False)
    except FileNotFoundError:
        return True
    except (OSError, NotImplementedError):
        pass
    return False
