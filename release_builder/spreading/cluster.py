"""Tasks on a Dask cluster, whose workers share the folders that the tasks name.

A worker that has ``--resources "memory=BYTES"`` gets no more at a time than fits; without any
such worker, a task is as good as another. Source: distributed, ``docs/source/resources.rst``.
"""

from __future__ import annotations

import uuid
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Final

from release_builder.errors import IncompleteError, SurroundingsError
from release_builder.spreading.tasks import Ended, Task, carry_out, check, failed_need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from distributed import Client, Future

_RESOURCE: Final = "memory"
_PATIENCE: Final = 5.0  # seconds for the scheduler to answer


def run_dask(tasks: Sequence[Task], scheduler: str) -> Iterator[Ended]:
    """Carry ``tasks`` out on a cluster; one whose worker gets lost is done again by another.

    Args:
        tasks: Each stands after those that it needs.
        scheduler: Its address, such as ``tcp://host:8786``.

    Yields:
        Each task as it ends, also one that could not begin.

    Raises:
        SurroundingsError: Dask is not installed, the scheduler does not answer or has no
            workers, or another release of this program or of Dask answers.
        ValueError: The tasks are in no order that can be carried out.
    """
    check(tasks)
    if not tasks:
        return
    client = _connect(scheduler)
    try:
        yield from _run(client, tasks, _most_memory(client, scheduler))
    finally:
        client.close()  # type: ignore[no-untyped-call]  # distributed has few types


def _connect(scheduler: str) -> Client:
    try:
        from distributed import Client  # noqa: PLC0415 (an extra)
        from distributed.comm.addressing import resolve_address  # noqa: PLC0415
    except ImportError as error:
        raise SurroundingsError(
            "Dask is not installed", hint="pip install 'release-builder[cluster]'"
        ) from error
    try:
        # A Client of what is no address complains once more when it is collected.
        resolve_address(scheduler)
        return Client(scheduler, timeout=_PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise SurroundingsError(
            f"the scheduler {scheduler} does not answer",
            hint="start it: dask scheduler; and on each machine: dask worker ADDRESS",
        ) from error


def _most_memory(client: Client, scheduler: str) -> int | None:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if not workers:
        raise SurroundingsError(
            f"the scheduler {scheduler} has no workers",
            hint="on each machine: dask worker ADDRESS --nthreads 1 --resources memory=BYTES",
        )
    known = [worker["resources"].get(_RESOURCE) for worker in workers]
    return max((int(most) for most in known if most is not None), default=None)


def _run(client: Client, tasks: Sequence[Task], most: int | None) -> Iterator[Ended]:
    from distributed import as_completed  # noqa: PLC0415 (an extra)

    # Another run's tasks have the same names; their results would be taken for ours.
    run = uuid.uuid4().hex
    futures: dict[str, Future[Ended]] = {}
    for task in tasks:
        if most is not None and task.memory > most:
            futures[task.key] = client.submit(_refuse, task, most, key=f"{task.key}-{run}")
            continue
        futures[task.key] = client.submit(
            _carry_out,
            task,
            {need: futures[need] for need in task.needs},
            key=f"{task.key}-{run}",
            resources={} if most is None else {_RESOURCE: task.memory},
        )
    keys = {future.key: key for key, future in futures.items()}
    for future in as_completed(futures.values(), loop=client.loop):  # type: ignore[no-untyped-call]
        yield _ended(keys[future.key], future)


def _carry_out(task: Task, needs: Mapping[str, Ended]) -> Ended:
    return failed_need(task, needs) or carry_out(task)


def _refuse(task: Task, most: int) -> Ended:
    what = f"{task.key} takes {task.memory >> 20:,} MiB of memory, no worker has {most >> 20:,}"
    return Ended(task.key, error=SurroundingsError(what, hint="start a worker that has more"))


def _ended(key: str, future: Future[Ended]) -> Ended:
    from distributed import KilledWorker  # noqa: PLC0415 (an extra)

    try:
        # It waits again if the worker was lost that had ended it and not told.
        return future.result()
    except (KilledWorker, CancelledError, OSError) as error:
        what = f"{key}: the cluster gave it up: {type(error).__name__} {error}"
        return Ended(key, error=IncompleteError(what, hint="look at the workers; then run again"))
