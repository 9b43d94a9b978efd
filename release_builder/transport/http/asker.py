"""Many URLs asked whether they have their files, none without end."""

from __future__ import annotations

import random as random_module
import threading
import time
from typing import TYPE_CHECKING, Final

from release_builder.transport.http import Answer, HttpError, Try
from release_builder.transport.http.backoff import Deadline, pause_after
from release_builder.transport.http.server import PASSING, server_of
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from release_builder.transport.http import HttpOptions

    class LengthClient(Protocol):
        """What asks; used by several threads at once."""

        def length(self, url: str, expected: int) -> int | None:
            """See HeadClient."""


LENGTH_UNTOLD: Final = "its length is not told"
"""Detail of a RIGHT answer that may be wrong all the same."""

# Files in a row that a server failed, each with all retries, until it is asked no more.
_STRIKES: Final = {Answer.TLS: 1, Answer.UNREACHABLE: 3, Answer.TIMEOUT: 3}
_USUAL_STRIKES: Final = 20


class Asker:
    """Asks servers whether they have files; used by several threads at once.

    A server that is away is given up soon: what else it should have is then not asked for.

    Args:
        client: Asks.
        options: How; its deadline counts from here.
        random: A number from 0 up to 1.
    """

    def __init__(
        self,
        client: LengthClient,
        options: HttpOptions,
        *,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self._client = client
        self._retries = options.retries
        self._random = random
        self._deadline = Deadline(options.deadline, time.monotonic)
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._strikes: dict[str, int] = {}
        self._away: dict[str, Answer] = {}

    def stop(self) -> None:
        """Ask nobody any more; what is under way ends by its timeout."""
        self._deadline.stop()
        self._stopped.set()

    def ask(self, url: str, length: int) -> Try:
        """What the server says of the file at ``url``, which should have ``length`` bytes.

        Returns:
            RIGHT, perhaps with LENGTH_UNTOLD; else what came in the place of the file.
        """
        server, failures = server_of(url), 0
        while True:
            if away := self._away.get(server):
                return Try(shown(url), away, f"not asked: {server} is {away.value}")
            try:
                self._deadline.check()
                told = self._client.length(url, length)
            except HttpError as error:
                if error.answer not in PASSING or failures >= self._retries:
                    self._note(server, error.answer)
                    return Try(shown(url), error.answer, error.detail)
                failures += 1
                pause = pause_after(failures, error.after, self._random)
                self._stopped.wait(self._deadline.left(pause))
            else:
                self._note(server, Answer.RIGHT)
                return Try(shown(url), Answer.RIGHT, LENGTH_UNTOLD if told is None else "")

    def _note(self, server: str, answer: Answer) -> None:
        with self._lock:
            if answer not in PASSING and answer is not Answer.TLS:
                self._strikes[server] = 0
                return
            self._strikes[server] = self._strikes.get(server, 0) + 1
            if self._strikes[server] >= _STRIKES.get(answer, _USUAL_STRIKES):
                self._away[server] = answer
