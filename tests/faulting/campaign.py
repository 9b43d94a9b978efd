"""Many points of many worlds, and a table of what came of them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from faulting.faults import FAULTS, MISCHIEF, Point, choose
from faulting.trial import PROGRAM, Stage, Verdict, stage
from faulting.worlds import all_worlds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from faulting.world import World


@dataclass(slots=True)
class Tally:
    """What came of the points so far, by world and fault."""

    injected: Counter[tuple[str, str]] = field(default_factory=Counter)
    survived: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Count a point; one that no call met is not counted, but must have gone well too."""
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
) -> Iterator[Verdict]:
    """Spread ``points`` over the worlds; verdicts come as they are there.

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
    with ProcessPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(_listed, *each) for each in chunks]):
            yield from done.result()


def shares(worlds: Sequence[str], points: int) -> dict[str, int]:
    """How many points each world gets."""
    return {
        name: points // len(worlds) + (at < points % len(worlds)) for at, name in enumerate(worlds)
    }


def _listed(name: str, count: int, seed: str) -> list[Verdict]:
    return list(chunk(name, count, seed))
