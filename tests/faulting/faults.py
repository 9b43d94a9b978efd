"""The faults there are, and the choice of where to put them."""

from __future__ import annotations

import errno
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from faulting.board import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_ANY: Final = frozenset(KINDS)
_GROWING: Final = frozenset({"create", "write", "pwrite", "copy", "reserve", "mkdir", "link"})
_STREAMED: Final = frozenset({"read", "pread", "write", "pwrite", "copy"})
_NAMED: Final = frozenset({"open", "create", "list", "rename", "link", "unlink", "mkdir"})
_ENDS: Final = frozenset({0, 3})
_ANY_END: Final = frozenset({0, 1, 2, 3})
_YEAR: Final = 366


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a call.

    Attributes:
        action: Of the shim.
        kinds: The calls that it can happen to.
        value: For the shim.
        ends: The exit statuses that a run which lives on may have.
    """

    action: str
    kinds: frozenset[str]
    value: int = 0
    ends: frozenset[int] = _ENDS


FAULTS: Final[Mapping[str, Fault]] = {
    "kill": Fault("kill-all", _ANY),
    "kill-after": Fault("kill-all-after", _ANY - {"open", "list", "read", "pread"}),
    "kill-one": Fault("kill-one", _ANY, ends=_ANY_END),
    "enospc": Fault("fail", _GROWING | {"sync", "truncate", "rename"}, errno.ENOSPC),
    "full": Fault("full", _GROWING, errno.ENOSPC),
    "eio": Fault("fail", _ANY, errno.EIO),
    "emfile": Fault("fail", frozenset({"open", "create", "list"}), errno.EMFILE),
    "eacces": Fault("fail", _NAMED | {"attribute"}, errno.EACCES),
    "short": Fault("short", _STREAMED, ends=frozenset({0})),
    "clock-on": Fault("clock", _ANY, _YEAR, frozenset({0})),
    "clock-back": Fault("clock", _ANY, -_YEAR, frozenset({0})),
}
MISCHIEF: Final = ("truncates", "corrupts", "swaps", "loses", "stalls")
_MIRROR: Final = Fault("ask", _ANY, ends=frozenset({0, 1, 2}))


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A fault at a moment of a world's run.

    Attributes:
        world: The world's name.
        kind: Of the call.
        at: Which call of its kind, from 1 on.
        fault: One of FAULTS, or ``mirror-`` and one of MISCHIEF.
    """

    world: str
    kind: str
    at: int
    fault: str

    @classmethod
    def parse(cls, name: str) -> Point:
        """The point of that name, such as ``build:pwrite:17:enospc``."""
        world, kind, at, fault = name.split(":")
        return cls(world, kind, int(at), fault)

    @property
    def name(self) -> str:
        """Replays it alone."""
        return f"{self.world}:{self.kind}:{self.at}:{self.fault}"

    @property
    def what(self) -> Fault:
        """What happens."""
        return _MIRROR if self.mischief else FAULTS[self.fault]

    @property
    def mischief(self) -> str:
        """What the mirror does, or nothing."""
        return self.fault.partition("mirror-")[2]


def choose(
    world: str,
    seen: Mapping[str, int],
    count: int,
    seed: str,
    *,
    mirror: bool,
    without: Collection[str] = (),
) -> list[Point]:
    """Points of a world, spread over its faults, then over the kinds of calls, then over the run.

    Args:
        world: Its name.
        seen: How many calls of each kind an undisturbed run makes.
        count: How many points; fewer if there are not so many.
        seed: The same points for the same seed.
        mirror: Whether there is one that can be bad.
        without: Faults that are left out.
    """
    chance = random.Random(f"{world} {seed}")
    names = [*FAULTS, *(f"mirror-{each}" for each in MISCHIEF if mirror)]
    fits = {name: sorted(_kinds(name) & seen.keys()) for name in names}
    names = [name for name in names if fits[name] and name not in without]
    chance.shuffle(names)
    points: set[Point] = set()
    for turn in range(20 * count):
        if len(points) == count:
            break
        fault = names[turn % len(names)]
        kind = chance.choice(fits[fault])
        points.add(Point(world, kind, chance.randint(1, seen[kind]), fault))
    return sorted(points)


def _kinds(fault: str) -> frozenset[str]:
    return Point("", "", 0, fault).what.kinds
