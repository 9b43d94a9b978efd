"""A lock that is worth waiting for: who holds it soon lets it go."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from release_builder.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.public.place import Place

_PAUSE: Final = 0.1  # seconds


@contextlib.contextmanager
def waited_lock(place: Place, store: str, patience: float) -> Iterator[None]:
    """Hold the lock in the folder ``store``; wait ``patience`` seconds for those who do.

    Raises:
        BusyError: Somebody still holds it.
    """
    deadline = time.monotonic() + patience
    with contextlib.ExitStack() as held:
        while True:
            try:
                held.enter_context(place.lock(store))
                break
            except BusyError:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(_PAUSE)
        yield
