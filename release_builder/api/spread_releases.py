"""Releases on a cluster: each is worked on by one machine, in folders that all of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from release_builder.spreading import Task, run_dask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_builder.errors import ReleaseBuilderError

_Result = TypeVar("_Result")


def spread(
    function: Callable[..., _Result],
    arguments: Sequence[tuple[object, ...]],
    scheduler: str,
    failed: Callable[[int, ReleaseBuilderError], _Result],
) -> list[_Result]:
    """Call ``function`` on the machines of a cluster.

    Args:
        function: Of a module; what it is given and returns is fit for pickle.
        arguments: Of each call.
        scheduler: The cluster's address, such as ``tcp://host:8786``.
        failed: Makes the result of the call with that number, if it came to none.

    Returns:
        The results, in the order of ``arguments``.

    Raises:
        SurroundingsError: There is no such cluster.
    """
    tasks = [Task(str(number), function, each) for number, each in enumerate(arguments)]
    results: dict[int, _Result] = {}
    for ended in run_dask(tasks, scheduler):
        number = int(ended.key)
        results[number] = failed(number, ended.error) if ended.error else ended.result  # type: ignore[assignment]
    return [results[number] for number in range(len(tasks))]
