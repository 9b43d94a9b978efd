"""Names: where what belongs to a release lies below the root."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from release_builder.errors import WrongBytesError, printable
from release_builder.files import check_relative

if TYPE_CHECKING:
    from collections.abc import Sequence

NEXT: Final = "next"  # staged
AWAY: Final = "away"  # changes places with what is public, or just has
LAST: Final = (
    "last"  # was public until a moment ago, where two names cannot change places in one go
)
GONE: Final = "gone"  # is being removed
LINK: Final = "link"  # becomes a public link, or the mark, by a rename
MARK: Final = "public"  # a link that names the generation that the public folder is
ORIGIN: Final = "from"  # a link that names the folder that a retired release came from
LOCK: Final = ".lock"
INDEX: Final = ".release-builder"  # the hidden folder with the lock of the root's index
_MOMENT: Final = "%Y%m%dT%H%M%SZ"
_GENERATION: Final = re.compile(r"\d{8}T\d{6}Z")
_WITHDRAWN: Final = ".back"


@dataclass(frozen=True, slots=True)
class Generation:
    """A release as it was published once.

    Attributes:
        name: The moment of its publishing, such as ``20261121T103000Z``.
        path: Where it lies below the root.
        public: Whether it is what the world sees.
    """

    name: str
    path: str
    public: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a release lie; all names are relative to the root.

    Attributes:
        folder: The public name, such as ``testing/9.0beta3``.
    """

    folder: str

    @classmethod
    def of(cls, folder: str) -> Layout:
        """The layout of the release at ``folder``; a slash at its end does not count.

        Raises:
            WrongBytesError: It leads out of the root, or part of it is hidden.
        """
        plain = posixpath.normpath(check_relative(folder.rstrip("/")))
        if any(part.startswith(".") for part in plain.split("/")):
            raise WrongBytesError(f"'{printable(folder)}' has a hidden folder in it")
        return cls(plain)

    @property
    def parent(self) -> str:
        """The folder that the public name is in; empty for the root."""
        return posixpath.dirname(self.folder)

    @property
    def leaf(self) -> str:
        """The public name in its folder."""
        return posixpath.basename(self.folder)

    @property
    def store(self) -> str:
        """The hidden folder beside the public name."""
        return posixpath.join(self.parent, f".{self.leaf}")

    def inside(self, name: str) -> str:
        """Where ``name`` of the hidden folder lies."""
        return posixpath.join(self.store, name)

    def target(self, generation: str) -> str:
        """What the public link says when ``generation`` is public."""
        return f".{self.leaf}/{generation}"


def leads_to(link: str, target: str) -> str:
    """Where the link ``link`` with the text ``target`` leads, below the root.

    It is ``target`` itself where that is absolute, and begins with ``..`` out of the root.
    """
    return posixpath.normpath(posixpath.join(posixpath.dirname(link), target))


def is_generation(name: str) -> bool:
    """Whether ``name`` is that of a generation: a moment there was, or will be."""
    if _GENERATION.fullmatch(name) is None:
        return False
    try:
        moment(name)
    except ValueError:
        return False
    return True


def is_stored(folders: Sequence[str]) -> bool:
    """Whether what lies in these ``folders``, one in the other, is part of a generation."""
    return any(
        store.startswith(".") and (is_generation(name) or is_withdrawn(name))
        for store, name in pairwise(folders)
    )


def withdrawn_name(name: str) -> str:
    """The name of generation ``name`` once nobody is to go back to it."""
    return name + _WITHDRAWN


def is_withdrawn(name: str) -> bool:
    """Whether ``name`` is that of a generation that nobody is to go back to."""
    return name.endswith(_WITHDRAWN) and is_generation(name.removesuffix(_WITHDRAWN))


def moment_name(seconds: int) -> str:
    """The name of a generation of that second since 1970."""
    return datetime.fromtimestamp(seconds, UTC).strftime(_MOMENT)


def moment(name: str) -> int:
    """The second since 1970 at which generation ``name``, taken back or not, was published."""
    plain = name.removesuffix(_WITHDRAWN)
    return int(datetime.strptime(plain, _MOMENT).replace(tzinfo=UTC).timestamp())
