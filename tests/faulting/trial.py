"""One run with a fault, one without, and what must hold after each."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from faulting.board import Board, Call
from faulting.mischief import Mirror
from faulting.run import Command, Ended, run
from faulting.snapshot import difference, names, readers_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from faulting.faults import Point
    from faulting.world import Services, World

PROGRAM: Final = (str(Path(sys.executable).with_name("release-builder")),)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a point.

    Attributes:
        point: Where the fault was to be.
        injected: Whether a call met it: threads may make another number of calls.
        where: The program and the path of that call.
        troubles: What did not hold; empty if it survived.
    """

    point: Point
    injected: bool
    where: str
    troubles: tuple[str, ...]

    def __str__(self) -> str:
        lines = (f"{self.point.name} at {self.where or '(nothing)'}", *self.troubles)
        return "\n    ".join(lines)


class Stage:
    """A world in its place, and what an undisturbed run makes of it.

    Attributes:
        seen: How many calls of each kind that run made.
    """

    def __init__(
        self, world: World, folder: Path, services: Services, program: Sequence[str]
    ) -> None:
        self._world = world
        self._place, self._pristine = folder / "world", folder / "pristine"
        self._scratch = folder / "tmp"
        self._argv = [*program, *(word.format(**services.words) for word in world.argv)]
        self.board = Board(folder / "board")
        world.prepare(self._place, services)
        for name in ("home", "state"):
            (self._place / name).mkdir(exist_ok=True)
        _copy(self._place, self._pristine)
        self._mirror = Mirror(world, services, self._place, self._pristine)
        self._before = self._finals()
        self._restore()
        self.seen = self._rehearse()

    def tryout(self, point: Point) -> Verdict:
        """Run with the fault, then without it."""
        self._restore()
        fault = point.what
        self._order(kind=point.kind, at=point.at, action=fault.action, value=fault.value)
        ended = self._run(point)
        fired, where = self.board.fired, self.board.where
        troubles = list(ended.troubles)
        if ended.status >= 0 and ended.status not in fault.ends | ({0} if not fired else set()):
            troubles.append(f"status {ended.status}, not {sorted(fault.ends)}")
        copied = self._world.copied if point.mischief else ()
        troubles += self._lies(copied)[:6]
        self._mirror.mend()
        if ended.status == 0:
            troubles += [f"done, but {line}" for line in self._left_over(copied)]
        # What is killed, or cannot remove what is there, cannot but leave it.
        if ended.status != -signal.SIGKILL and str(self._scratch) not in where:
            troubles += [f"in TMPDIR: {path.name}" for path in self._scratch.iterdir()]
        troubles += [f"the second run: {line}" for line in self._again()]
        if troubles:
            troubles += [f"status {ended.status}; it said:", *ended.words.splitlines()[-8:]]
        return Verdict(point, fired, where, tuple(troubles))

    def trace(self) -> list[Call]:
        """The calls of an undisturbed run."""
        self._restore()
        self._order(tracing=True)
        self._run()
        return self.board.calls()

    def first(self, kind: str, path: str) -> int:
        """Which call of ``kind`` is the first on a path like the pattern ``path``.

        Raises:
            StopIteration: There is none.
        """
        calls = self.trace()
        return next(
            each.number for each in calls if each.kind == kind and fnmatchcase(each.path, path)
        )

    def _rehearse(self) -> Mapping[str, int]:
        self._order()
        ended = self._run()
        assert ended.status == 0, ended
        assert not ended.troubles, ended
        seen = self.board.seen
        self._after = self._finals()
        self._whole = self._names()
        again = self._again()
        assert not again, again
        return seen

    def _again(self) -> list[str]:
        """What is wrong after one more run, without fault."""
        self._order()
        ended = self._run()
        if ended.status:
            return [f"status {ended.status}", *ended.words.splitlines()[-12:]]
        return [*ended.troubles, *self._checked(), *self._left_over()]

    def _checked(self) -> list[str]:
        """What the world itself finds wrong."""
        try:
            self._world.check(self._place)
        except AssertionError as error:
            return [f"what a reader sees is wrong: {str(error)[:500]}"]
        return []

    def _lies(self, copied: Sequence[str]) -> list[str]:
        """What stands under final names and is neither what was there nor what is to be.

        Args:
            copied: Patterns of sets that are only as right as the mirror.
        """
        now = self._finals()
        return self._checked() + [
            f"{name} is neither old nor new: {line}"
            for name in sorted(now.keys() | self._before.keys() | self._after.keys())
            if not _like(name, copied)
            if (view := now.get(name, {}))
            not in (before := self._before.get(name, {}), after := self._after.get(name, {}))
            for line in (*difference(before, view)[:2], *difference(view, after)[:2])
        ]

    def _left_over(self, copied: Sequence[str] = ()) -> list[str]:
        """What differs from what an undisturbed run leaves."""
        right = {name: what for name, what in self._whole.items() if not _like(name, copied)}
        found = {name: what for name, what in self._names().items() if not _like(name, copied)}
        return difference(right, found)[:8]

    def _names(self) -> dict[str, str]:
        return names(self._place, self._world.volatile, self._world.alias)

    def _finals(self) -> dict[str, dict[str, str]]:
        sets = self._world.finals(self._place)
        return {name: readers_view(paths) for name, paths in sets.items()}

    def _restore(self) -> None:
        shutil.rmtree(self._place)
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        _copy(self._pristine, self._place)

    def _order(
        self,
        kind: str = "",
        at: int = 0,
        action: str = "nothing",
        value: int = 0,
        *,
        tracing: bool = False,
    ) -> None:
        watched = [*(self._place / each for each in self._world.watched), self._scratch]
        self.board.order(watched, kind=kind, at=at, action=action, value=value, tracing=tracing)

    def _run(self, point: Point | None = None) -> Ended:
        def spoil() -> None:
            assert point
            self._mirror.spoil(point.mischief, point.name)

        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self._place / "home"),
            "TMPDIR": str(self._scratch),
            "RELEASE_BUILDER_STATE": str(self._place / "state"),
            "LC_ALL": "C.UTF-8",
            # What lies beyond the loopback interface answers: refused.
            "http_proxy": "http://127.0.0.1:9",
            "https_proxy": "http://127.0.0.1:9",
            "no_proxy": "127.0.0.1,localhost",
            **self._world.environment,
        }
        command = Command(self._argv, self._place, environment, self._world.bound)
        return run(command, self.board, spoil)


@contextlib.contextmanager
def stage(world: World, folder: Path, program: Sequence[str] = PROGRAM) -> Iterator[Stage]:
    """A world put in place below ``folder``, which is empty, with its services running."""
    place = folder / "world"
    place.mkdir()
    (folder / "tmp").mkdir()
    with world.services(place) as services:
        staged = Stage(world, folder, services, program)
        try:
            yield staged
        finally:
            staged.board.close()


def _like(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)
