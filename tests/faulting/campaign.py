"""Many points of many worlds, and a table of what came of them."""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import tempfile
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING

from faulting.faults import FAULTS, MISCHIEF, Point, choose
from faulting.trial import PROGRAM, Stage, Verdict, stage
from faulting.worlds import all_worlds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from queue import Queue

    from faulting.world import World


@dataclass(frozen=True, slots=True)
class Broken:
    """A world that could not be prepared, or tried out to the end.

    Attributes:
        world: Its name.
        why: What happened.
    """

    world: str
    why: str


@dataclass(slots=True)
class Tally:
    """What came of the points so far, by world and fault."""

    injected: Counter[tuple[str, str]] = field(default_factory=Counter)
    survived: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, verdict: Verdict | Broken) -> None:
        """Count a point; one that no call met is not counted, but must have gone well too."""
        if isinstance(verdict, Broken):
            self.failures.append(f"{verdict.world}: {verdict.why}")
            return
        key = verdict.point.world, verdict.point.fault
        self.injected[key] += verdict.injected
        self.survived[key] += verdict.injected and not verdict.troubles
        if verdict.troubles:
            self.failures.append(f"{verdict}\n    {replay(verdict.point)}")

    def table(self) -> str:
        """World by fault: how many were survived of those that were injected."""
        worlds = sorted({world for world, _ in self.injected})
        faults = [*FAULTS, *(f"mirror-{each}" for each in MISCHIEF)]
        rows = [["", *worlds, "all"]]
        for fault in faults:
            cells = [self._cell({(world, fault)}) for world in worlds]
            rows.append([fault, *cells, self._cell({(world, fault) for world in worlds})])
        totals = [self._cell({(world, fault) for fault in faults}) for world in worlds]
        rows.append(["all", *totals, self._cell(set(self.injected))])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        )

    def _cell(self, keys: Iterable[tuple[str, str]]) -> str:
        keys = list(keys)
        injected = sum(self.injected[key] for key in keys)
        return f"{sum(self.survived[key] for key in keys)}/{injected}" if injected else "-"


def replay(point: Point) -> str:
    """The command that tries a point alone."""
    return f"from tests/: python -m faulting --replay {point.name}"


@contextlib.contextmanager
def staged(world: World, program: Sequence[str] = PROGRAM) -> Iterator[Stage]:
    """A world on a stage of its own, below the folder for temporary files."""
    folder = Path(tempfile.mkdtemp(prefix="release-builder-faults."))
    try:
        with stage(world, folder, program) as ready:
            yield ready
    finally:
        shutil.rmtree(folder)


def chunk(name: str, count: int, seed: str) -> Iterator[Verdict]:
    """So many points of a world, one after the other."""
    world = all_worlds()[name]
    with staged(world) as ready:
        points = choose(
            name, ready.seen, count, seed, mirror=bool(world.mirror), without=world.without
        )
        for point in points:
            yield ready.tryout(point)


def campaign(
    worlds: Sequence[str], points: int, seed: int, jobs: int, size: int = 25
) -> Iterator[Verdict | Broken]:
    """Spread ``points`` over the worlds; verdicts come as they are there.

    What breaks a world is told, and the others go on.

    Args:
        worlds: Their names.
        points: How many in all.
        seed: The same points for the same seed.
        jobs: How many at a time.
        size: How many points a job tries before the next comes.
    """
    chunks = [
        (name, min(size, share - start), f"{seed}/{start}")
        for name, share in shares(worlds, points).items()
        for start in range(0, share, size)
    ]
    with multiprocessing.Manager() as manager, ProcessPoolExecutor(jobs) as pool:
        verdicts: Queue[Verdict | Broken] = manager.Queue()
        running = {pool.submit(_tell, verdicts, *each): each[0] for each in chunks}
        try:
            while running:
                ended = [each for each in running if each.done()]
                yield from _told(verdicts)
                for each in ended:
                    name = running.pop(each)
                    if error := each.exception():  # its process was killed
                        yield Broken(name, repr(error))
        finally:
            pool.shutdown(cancel_futures=True)


def shares(worlds: Sequence[str], points: int) -> dict[str, int]:
    """How many points each world gets."""
    return {
        name: points // len(worlds) + (at < points % len(worlds)) for at, name in enumerate(worlds)
    }


def _tell(verdicts: Queue[Verdict | Broken], name: str, count: int, seed: str) -> None:
    try:
        for verdict in chunk(name, count, seed):
            verdicts.put(verdict)
    except Exception:
        verdicts.put(Broken(name, traceback.format_exc()))


def _told(verdicts: Queue[Verdict | Broken]) -> Iterator[Verdict | Broken]:
    """What is there; waits a little for the first."""
    with contextlib.suppress(Empty):
        yield verdicts.get(timeout=0.2)
        while True:
            yield verdicts.get_nowait()
