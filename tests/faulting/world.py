"""What a fault is tried on: a command, the folder it works in, and what it leaves there.

Each module ``worlds_*.py`` beside this one lists its own in ``WORLDS``, a tuple of World.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Services:
    """What runs beside the command, outside the reach of faults.

    Attributes:
        words: What stands for ``{name}`` in a world's arguments, such as a server's URL.
        processes: The ids of the server's processes; a mirror that stalls has them stopped.
    """

    words: Mapping[str, str] = field(default_factory=dict)
    processes: Callable[[], tuple[int, ...]] = tuple


@contextlib.contextmanager
def no_services(folder: Path) -> Iterator[Services]:
    """For worlds that are alone with their files."""
    yield Services()


@dataclass(frozen=True, slots=True)
class World:
    """A command of release-builder and what is around it.

    The command runs in the world's folder, which has the same path in all trials of a worker. HOME
    is its folder ``home``, RELEASE_BUILDER_STATE its folder ``state``, both made where ``prepare`` did
    not; TMPDIR is a folder outside.

    Attributes:
        name: The first word of its trials' names.
        argv: Of release-builder, without the program; ``{name}`` stands for a word of the services.
        prepare: Fills the folder, which exists and is empty; once a worker, then it is copied for
            each trial, with links, times and modes.
        finals: What a reader would take for finished, given the folder: sets of paths by the set's
            name. Each set must be, whatever happened, as it was before or as an undisturbed run
            leaves it; the files of one set all of one kind. A path may be absent, a folder (all
            that is in it counts) or a link (what it leads to counts).
        watched: Folders whose system calls count, relative to the world's.
        volatile: Names, as ``fnmatch`` patterns of paths relative to the folder, whose bytes may
            differ from those of an undisturbed run: logs, databases. They may be there or not. A
            folder's pattern covers all that is below it.
        mirror: ``fnmatch`` patterns of the files that a bad mirror spoils, of those alone whose
            right bytes the command can know; none where there is no mirror.
        copied: ``fnmatch`` patterns of sets of ``finals`` that are only as right as the mirror: while
            that is bad they may be anything.
        alias: What a path, or a link's target, is called in comparisons: for names that the clock
            gives, which no two runs have in common.
        check: More that must hold after each run, whatever happened to it; given the folder, it
            raises AssertionError.
        without: Names of faults after which something else is right; the world says why.
        services: Started once a worker, before ``prepare``, with the folder's path.
        environment: More of it, for the command.
        bound: Seconds that a run may take, whatever happens.
    """

    name: str
    argv: tuple[str, ...]
    prepare: Callable[[Path, Services], None]
    finals: Callable[[Path], Mapping[str, tuple[Path, ...]]]
    watched: tuple[str, ...] = (".",)
    volatile: tuple[str, ...] = ("state/*", "home/*")
    mirror: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    alias: Callable[[str], str] = str
    check: Callable[[Path], None] = lambda folder: None
    without: tuple[str, ...] = ()
    services: Callable[[Path], AbstractContextManager[Services]] = no_services
    environment: Mapping[str, str] = field(default_factory=dict)
    bound: float = 60.0
