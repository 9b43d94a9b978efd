"""A Dask cluster on loopback: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TESTS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Cluster:
    """What runs.

    Attributes:
        address: Of the scheduler.
        workers: The processes of the workers.
    """

    address: str
    workers: Sequence[subprocess.Popen[bytes]]

    def kill(self, pid: int) -> None:
        """End the worker of that process id as the kernel does when memory is short."""
        worker = next(each for each in self.workers if each.pid == pid)
        worker.kill()
        worker.wait()


@contextmanager
def dask_cluster(folder: Path, workers: int = 3, memory: int | None = None) -> Iterator[Cluster]:
    """Run a cluster for as long as the block lasts.

    Args:
        folder: For the logs and the scheduler's address.
        workers: How many, of one thread each.
        memory: Bytes that each worker says it has; None: it says nothing.
    """
    place = folder / "scheduler.json"
    common = ["--no-dashboard", "--scheduler-file", str(place)]
    resources = [] if memory is None else ["--resources", f"memory={memory}"]
    with ExitStack() as stack:
        log = stack.enter_context((folder / "cluster.log").open("wb"))

        def start(kind: str, *options: str) -> subprocess.Popen[bytes]:
            argv = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options, *common]
            environment = {**os.environ, "PYTHONPATH": f"{TESTS.parent}:{TESTS}"}
            process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)
            stack.callback(_end, process)
            return process

        start("scheduler", "--host", "127.0.0.1", "--port", "0")
        address = _address(place, folder / "cluster.log")
        own = ["--no-nanny", "--nthreads", "1", "--local-directory", str(folder), *resources]
        yield Cluster(address, [start("worker", *own) for _ in range(workers)])


def _address(place: Path, log: Path) -> str:
    patience = time.monotonic() + 60
    while time.monotonic() < patience:
        try:
            return str(json.loads(place.read_text())["address"])
        except (OSError, ValueError):
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
