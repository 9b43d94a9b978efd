"""Whole processes measured: wall seconds, and the memory of all of them together."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be measured.

    Attributes:
        name: What it is called in the table.
        argv: The command.
        cwd: Where it runs.
        prepare: Called before each run, not measured.
        env: Added to the environment.
        inputs: Files, and folders of files, that are read before each run: the machine may have
            dropped from memory what other tasks did not use.
    """

    name: str
    argv: Sequence[str]
    cwd: Path
    prepare: Callable[[], None] = lambda: None
    env: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the runs.

    Attributes:
        seconds: Wall time.
        megabytes: Peak memory of its processes together, in 10^6 bytes.
    """

    seconds: float
    megabytes: float


def print_table(title: str, tasks: Sequence[Task], runs: int) -> None:
    """Measure ``tasks`` and print them; the first is what the others are compared with."""
    figures = measure(tasks, runs)
    print(f"\n{title}; median of {runs} runs in turn")
    print(f"{'':<44}{'seconds':>9}{'times':>8}{'peak MB':>9}")
    for task, each in zip(tasks, figures, strict=True):
        times = each.seconds / figures[0].seconds
        print(f"{task.name:<44}{each.seconds:>9.2f}{times:>8.2f}{each.megabytes:>9.0f}")


def measure(tasks: Sequence[Task], runs: int) -> list[Figures]:
    """Run the tasks in turn, A B A B …, so that the machine's moods meet all of them alike."""
    taken: list[list[tuple[float, float]]] = [[] for _ in tasks]
    for _ in range(runs):
        for task, figures in zip(tasks, taken, strict=True):
            task.prepare()
            for path in task.inputs:
                _read(path)
            os.sync()  # what one has left for the disk must not slow the next
            figures.append(_once(task))
    return [
        Figures(median(seconds for seconds, _ in each), median(size for _, size in each))
        for each in taken
    ]


def _read(path: Path) -> None:
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as stream, Path(os.devnull).open("wb") as nowhere:
                shutil.copyfileobj(stream, nowhere, 1 << 20)


def _once(task: Task) -> tuple[float, float]:
    started = time.monotonic()
    process = subprocess.Popen(
        task.argv,
        cwd=task.cwd,
        env={**os.environ, **task.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(_peaks(process.pid)))
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"{task.name} ended with status {process.returncode}")
    return time.monotonic() - started, peak / 1e6


def _peaks(process: int) -> Iterator[int]:
    """The peak memory so far of a process and of those that it began, in bytes.

    Not what wait4 tells: that begins with the memory of the process that forked. Looking at all
    processes of the machine instead would take a fifth of a core from what is measured.
    """
    folder = Path("/proc", str(process))
    with suppress(OSError, IndexError):  # it has ended
        status = (folder / "status").read_text()
        yield int(status.partition("VmHWM:")[2].split()[0]) * 1024
        for thread in (folder / "task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _peaks(int(child))
