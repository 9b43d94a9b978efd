"""Work cut into tasks that need one another, for the cores of a machine or many machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.errors import ReleaseBuilderError, surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work whose results are files in a folder that all workers share.

    Attributes:
        key: Its name; no two tasks of a graph have the same.
        function: A function of a module, so that another process can find it. It may run twice
            (a worker got lost): what it makes goes to its name in one rename.
        arguments: What it is called with; small, and fit for pickle, as is its result.
        memory: Bytes that it and its programs take at most.
        needs: Keys of the tasks that must have gone well before.
    """

    key: str
    function: Callable[..., object]
    arguments: tuple[object, ...] = ()
    memory: int = 0
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended.

    Attributes:
        key: Which.
        result: What its function returned.
        error: What was wrong instead, with it or with a task that it needs.
    """

    key: str
    result: object = None
    error: ReleaseBuilderError | None = None


def check(tasks: Sequence[Task]) -> None:
    """Let a graph pass that has an end.

    Raises:
        ValueError: A key is there twice, or a task needs one that is not before it.
    """
    seen: set[str] = set()
    for task in tasks:
        if task.key in seen or not seen.issuperset(task.needs):
            raise ValueError(f"{task.key} is there twice, or before what it needs")
        seen.add(task.key)


def carry_out(task: Task) -> Ended:
    """Do ``task`` here; what is wrong with the data or the machine becomes part of the result."""
    try:
        return Ended(task.key, task.function(*task.arguments))
    except ReleaseBuilderError as error:
        return Ended(task.key, error=error)
    except OSError as error:
        return Ended(task.key, error=surroundings(error))


def failed_need(task: Task, ended: Mapping[str, Ended]) -> Ended | None:
    """How ``task`` ends, because one that it needs failed; None when none did."""
    return _failure(task.key, (ended[need] for need in task.needs if need in ended))


def _failure(key: str, needs: Iterable[Ended]) -> Ended | None:
    return next((Ended(key, error=need.error) for need in needs if need.error), None)
