"""Tasks on the cores of this machine."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from release_builder.errors import SurroundingsError
from release_builder.process import end_all
from release_builder.repository.sums import stop_all
from release_builder.spreading.tasks import Ended, Task, carry_out, check, failed_need

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOOK: Final = 0.2  # seconds


def run_local(tasks: Sequence[Task], jobs: int, memory: int) -> Iterator[Ended]:
    """Carry ``tasks`` out, in their order where what they need and the memory allow it.

    Threads do: what takes the time, other programs and digests, does not hold the interpreter.

    Args:
        tasks: Each stands after those that it needs.
        jobs: How many run at a time.
        memory: Bytes that those take together at most; a task that alone takes more is refused.

    Yields:
        Each task as it ends, also one that could not begin.

    Raises:
        ValueError: The tasks are in no order that can be carried out.
    """
    check(tasks)
    waiting = list(tasks)
    ended: dict[str, Ended] = {}
    under_way: dict[Future[Ended], Task] = {}
    pool = ThreadPoolExecutor(jobs)
    try:
        while waiting or under_way:
            for one in _refused(waiting, ended, memory):
                ended[one.key] = one
                yield one
            while task := _next(waiting, ended, under_way, jobs, memory):
                waiting.remove(task)
                under_way[pool.submit(carry_out, task)] = task
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                del under_way[future]
                ended[future.result().key] = future.result()
                yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        # What had not begun is never told as done.
        begun = [future for future in under_way if not future.cancelled()]
        while wait(begun, timeout=_LOOK).not_done:  # the user stops us
            end_all()
            stop_all()


def _refused(waiting: list[Task], ended: dict[str, Ended], memory: int) -> Iterator[Ended]:
    for task in list(waiting):
        refusal = failed_need(task, ended)
        if refusal is None and task.memory > memory:
            refusal = Ended(task.key, error=_too_large(task, memory))
        if refusal:
            waiting.remove(task)
            yield refusal


def _too_large(task: Task, memory: int) -> SurroundingsError:
    return SurroundingsError(
        f"{task.key} takes {task.memory >> 20:,} MiB of memory, {memory >> 20:,} MiB are allowed",
        hint="allow more with --memory",
    )


def _next(
    waiting: list[Task],
    ended: dict[str, Ended],
    under_way: dict[Future[Ended], Task],
    jobs: int,
    memory: int,
) -> Task | None:
    if len(under_way) >= jobs:
        return None
    left = memory - sum(task.memory for task in under_way.values())
    return next(
        (
            task
            for task in waiting
            if task.memory <= left and all(need in ended for need in task.needs)
        ),
        None,
    )
