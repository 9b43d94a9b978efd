"""Work as a graph of tasks, carried out by this machine or by a cluster of them."""

from __future__ import annotations

from release_builder.spreading.cluster import run_dask
from release_builder.spreading.local import run_local
from release_builder.spreading.tasks import Ended, Task

__all__ = ["Ended", "Task", "run_dask", "run_local"]
