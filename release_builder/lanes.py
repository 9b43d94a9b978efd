"""Work beside the caller: hashlib, zlib and files let other threads run meanwhile."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_Result = TypeVar("_Result")


class Lane(Generic[_Result]):
    """Threads that take work in the order of its submission, never much ahead of the caller.

    Args:
        workers: How many threads; with one, the work is also done in that order.
        ahead: How many pieces of work may wait or be under way: it bounds the memory.
        on_result: Gets each result, in the order of submission, in the caller's thread.
    """

    def __init__(
        self,
        workers: int = 1,
        ahead: int = 4,
        on_result: Callable[[_Result], object] = lambda _result: None,
    ) -> None:
        self._pool = ThreadPoolExecutor(workers)
        self._ahead = ahead
        self._on_result = on_result
        self._under_way: deque[Future[_Result]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, work: Callable[[], _Result]) -> None:
        """Have ``work`` done; what earlier work raised is raised here or by ``finish``."""
        self._under_way.append(self._pool.submit(work))
        while len(self._under_way) > self._ahead:
            self._on_result(self._under_way.popleft().result())

    def finish(self) -> None:
        """Wait until all work is done."""
        while self._under_way:
            self._on_result(self._under_way.popleft().result())
