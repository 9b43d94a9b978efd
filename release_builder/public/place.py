"""What the public tree asks of the file system that it lies on, here or on another machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

SMALL: Final = 16 << 20  # bytes of a file that is read whole


class Kind(Enum):
    """What a name stands for."""

    FOLDER = "d"
    LINK = "l"
    FILE = "f"


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder.

    Attributes:
        kind: What it stands for.
        target: The text of a link; empty for others.
        changed: The second since 1970 of its last change.
    """

    kind: Kind
    target: str
    changed: int


class Place(Protocol):
    """A root folder; all names are relative to it, and hidden ones are seen like others.

    What a method has done is on disk when it returns. All of them raise SurroundingsError for
    what the file system refuses, and IncompleteError where another machine cannot be reached.
    """

    def lock(self, store: str) -> AbstractContextManager[None]:
        """Hold the lock in the folder ``store``, which is made where missing.

        Raises:
            BusyError: Somebody else holds it.
            WrongBytesError: A link leads out of the root; nothing is made.
        """

    def listings(self, folders: Sequence[str]) -> tuple[Mapping[str, Entry], ...]:
        """What is in each of ``folders``, by name; nothing where one does not exist."""

    def local(self, name: str) -> Path | None:
        """The path of ``name`` on this machine; None where it is on another."""

    def stage(self, source: str | None, name: str, without: Sequence[str]) -> Path:
        """A folder on this machine whose content ``upload`` brings to ``name``.

        Args:
            source: The folder that ``name`` starts from: its files are linked, not copied.
            name: Where the new folder will lie; what is there goes first.
            without: Files and folders of ``source`` that are left out.
        """

    def upload(self, source: str | None, name: str, without: Sequence[str]) -> None:
        """Make ``name`` what ``stage`` was told, with what was added since."""

    def discard(self, name: str) -> None:
        """Remove what ``stage`` and ``upload`` made."""

    def settle(self, name: str, final: str, seconds: int) -> None:
        """Give the folder ``name`` that time of change, and the name ``final``: its own, or another."""

    def rename(self, name: str, final: str) -> None:
        """Give a folder or link another name; a link of that name is replaced by a link."""

    def exchange(self, first: str, second: str, spare: str) -> None:
        """Let two names change places; where that is not possible in one go, through ``spare``."""

    def link(self, name: str, target: str, beside: str) -> None:
        """Make ``name`` a link, in one go; ``beside`` is a name that may be used for it."""

    def remove(self, name: str) -> None:
        """Remove a link, a file or a folder with all below it."""

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None where there is none.

        Raises:
            WrongBytesError: It is too large or no file, or a link leads out of the root.
        """

    def replace(self, name: str, content: bytes) -> None:
        """Make ``content`` that of the file ``name``, in one go."""
