"""Fuzz the targets, and tell what came of it: ``cd tests; python -m fuzz --minutes 10 [TARGET…]``.

Needs atheris (``pip install atheris``), which is no dependency of the project. What is found lies
in ``--dir``, below the target's name; ``python -m fuzz.one TARGET FILE`` runs it again.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fuzz import registry

_COUNTED = re.compile(r"^#(\d+)\s", re.MULTILINE)
_COVERED = re.compile(r" cov: (\d+) ")
_FOLDER = Path(tempfile.gettempdir(), "release-builder-fuzz")
_MOST_FINDINGS = 5  # of a target: more are mostly the same


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What came of a target.

    Attributes:
        name: Of the target.
        executions: Inputs that were tried.
        minutes: How long that took.
        findings: Inputs that it does not hold for.
        coverage: Edges that the seeds reach, and those that were reached in the end.
    """

    name: str
    executions: int
    minutes: float
    findings: tuple[Path, ...]
    coverage: tuple[int, int]

    def __str__(self) -> str:
        before, after = self.coverage
        told = f"{self.executions:>12,} {self.minutes:>7.1f} {len(self.findings):>8}"
        return f"{self.name:<18} {told} {after:>7,} (+{after - before:,})"


def fuzz(name: str, minutes: float, folder: Path) -> Fuzzed:
    """Fuzz a target for some minutes, going on after what is found."""
    corpus, found = folder / "corpus", folder / "found"
    registry.write_corpus(registry.load(name), corpus)
    found.mkdir(exist_ok=True)
    begin, executions = time.monotonic(), 0
    coverage: list[int] = []
    while (left := minutes * 60 - (time.monotonic() - begin)) > 1:
        argv = [sys.executable, "-m", "fuzz.one", name, f"-max_total_time={left:.0f}"]
        limits = ["-timeout=60", "-rss_limit_mb=1024", f"-artifact_prefix={found}/"]
        with (folder / "log").open("a+b") as log:
            start = log.seek(0, 2)
            ended = subprocess.run([*argv, *limits, corpus], stdout=log, stderr=log, check=False)
            log.seek(start)
            said = log.read().decode("utf-8", "replace")
        executions += max(map(int, _COUNTED.findall(said)), default=0)
        coverage += map(int, _COVERED.findall(said))
        if not ended.returncode or len(_inputs(found)) >= _MOST_FINDINGS or not coverage:
            break
    minutes_taken = (time.monotonic() - begin) / 60
    reached = (coverage[0], max(coverage)) if coverage else (0, 0)
    return Fuzzed(name, executions, minutes_taken, _inputs(found), reached)


def _inputs(found: Path) -> tuple[Path, ...]:
    return tuple(sorted(found.iterdir()))


def _say(*lines: str) -> None:
    sys.stdout.write("\n    ".join(lines) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Fuzz; the exit status is 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for each target")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    parser.add_argument("--dir", type=Path, default=_FOLDER, help="corpus and findings")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(registry.names()))
    given = parser.parse_args()
    names = given.targets or registry.names()
    if unknown := set(names) - set(registry.names()):
        parser.error(f"no target is called {min(unknown)}")
    _say(f"{'target':<18} {'executions':>12} {'minutes':>7} {'findings':>8}   edges (new)")
    was_found = False
    with ThreadPoolExecutor(given.jobs) as threads:
        tasks = [threads.submit(fuzz, name, given.minutes, given.dir / name) for name in names]
        for task in tasks:
            fuzzed = task.result()
            _say(str(fuzzed), *map(str, fuzzed.findings))
            was_found |= bool(fuzzed.findings)
    return int(was_found)


if __name__ == "__main__":
    sys.exit(main())
