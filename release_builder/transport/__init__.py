"""Where a tree comes from: rsync and local folders behind one small protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.monitor import Monitor


@dataclass(frozen=True, slots=True)
class Pull:
    """What to bring from a mirror's root into a folder.

    Attributes:
        into: The folder that becomes like the mirror, as far as ``wanted`` goes.
        wanted: What of the mirror is meant: ``smeos/x86_64/`` (a folder with all below it), or
            a pattern such as ``iso/x86_64/*.txt``. Anything else is neither fetched nor deleted.
        unwanted: Patterns that ``wanted`` does not bring back, such as ``*.iso``.
        excluded: Patterns that the user ruled out; they win over all others.
        delete: Remove below ``wanted`` what the mirror does not have.
        max_delete: Stop with an error rather than delete more files and folders than this;
            a preview counts them all.
        delay_updates: Put the new files in their places together, at the end.
        partial: Keep what came of a file when the transfer breaks off.
        only: Just these files, below the root, in the place of ``wanted``; size and time of a
            file are not trusted, both sides are read.
        bwlimit: KiB/s, or as rsync takes it; empty for no limit.
        timeout: Seconds without a byte after which the transfer is given up.
    """

    into: Path
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    delete: bool = False
    max_delete: int = 1000
    delay_updates: bool = True
    partial: bool = True
    only: tuple[str, ...] = ()
    bwlimit: str = ""
    timeout: int = 300


@dataclass(frozen=True, slots=True)
class Moved:
    """A file that came, or would come.

    Attributes:
        path: Below the mirror's root; odd bytes as rsync prints them.
        length: Bytes of the file.
    """

    path: str
    length: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a pull did, or would do.

    Attributes:
        fetched: The files that came over, whole or in part.
        deleted: Paths that went.
        changes: Entries that differed in any way, times and folders included.
        listed_size: Bytes of all files that the mirror has of what was wanted.
        received: Bytes that came over the wire; 0 for a preview.
        literal: Bytes of content that came, without what was here already; 0 for a preview.
        vanished: The mirror took files away while they were read.
    """

    fetched: tuple[Moved, ...]
    deleted: tuple[str, ...]
    changes: int
    listed_size: int
    received: int
    literal: int
    vanished: bool = False

    @property
    def size(self) -> int:
        """Bytes of the fetched files."""
        return sum(moved.length for moved in self.fetched)


class Transport(Protocol):
    """A mirror that can be asked and pulled from."""

    def names(self) -> tuple[str, ...]:
        """What lies in the mirror's root: names, those of folders with a slash behind.

        Raises:
            ReleaseBuilderError: As pull.
        """

    def preview(self, pull: Pull, monitor: Monitor) -> Transfer:
        """What ``pull`` would do; touches nothing.

        Raises:
            ReleaseBuilderError: As pull; a preview that failed is never "nothing to do".
        """

    def pull(self, pull: Pull, monitor: Monitor) -> Transfer:
        """Make ``pull.into`` like the mirror.

        Raises:
            IncompleteError: The mirror cannot be reached, is busy or changes.
            DescriptorError: The mirror has no such place.
            SurroundingsError: rsync is missing, the disk is full, a folder is not writable.
        """
