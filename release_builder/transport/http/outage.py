"""Whether a server is away, and who looks when whether it is back."""

from __future__ import annotations

import random as random_module
from typing import TYPE_CHECKING, Final

from release_builder.transport.http import Answer
from release_builder.transport.http.backoff import pause_before_probe

if TYPE_CHECKING:
    from collections.abc import Callable

# Files in a row that must fail so; a server may well have a few that it cannot read.
_AWAY: Final = {Answer.UNREACHABLE: 3, Answer.TIMEOUT: 3, Answer.TLS: 3, Answer.SERVER_ERROR: 16}
_NEVER: Final = float("inf")
_GONE_FOR: Final = 30.0  # seconds; then one request tells whether it is back after all


class Outage:
    """What is known of a server's being away; not thread-safe.

    It begins when several files in a row fail. From then on only probes are sent, one at a time,
    after longer and longer pauses. A server that some probes in a row did not find is gone:
    nobody waits for it any longer.

    Args:
        probes: How many must fail until it is gone.
        random: A number from 0 up to 1.
    """

    def __init__(self, probes: int = 4, random: Callable[[], float] = random_module.random) -> None:
        self._probes = probes
        self._random = random
        self._answer = Answer.UNREACHABLE
        self._files: set[object] = set()
        self._failed = 0
        self._next: float | None = None
        self._probe: object | None = None

    @property
    def why(self) -> tuple[Answer, str] | None:
        """How it is away, and for how many files; None if it is not."""
        if self._next is None:
            return None
        return self._answer, f"{self._answer.value} for {len(self._files)} files in a row"

    @property
    def probe_at(self) -> float:
        """When the next request may be sent; infinite while a probe is under way."""
        if self._next is None:
            return -_NEVER
        return self._next if self._probe is None else _NEVER

    @property
    def may_pass(self) -> bool:
        """Whether it is away, and worth waiting for."""
        passes = self._answer is not Answer.TLS
        return self._next is not None and passes and self._failed < self._probes

    def begin(self, request: object) -> bool:
        """A request is sent.

        Returns:
            Whether it is a probe, as all are while the server is away.
        """
        if self._next is None:
            return False
        self._probe = request
        return True

    def end(self, request: object) -> None:
        """A request is over."""
        if request is self._probe:
            self._probe = None

    def over(self) -> None:
        """The server answered."""
        self._files.clear()
        self._failed, self._next = 0, None

    def failed(self, answer: Answer, file: object, now: float, *, probe: bool) -> bool:
        """A request failed.

        Args:
            answer: How.
            file: What was asked for.
            now: When.
            probe: Whether it was a probe.

        Returns:
            Whether that is all the server's fault, so that the file keeps its retries.
        """
        if answer not in _AWAY:
            self.over()
            return False
        self._files.add(file)
        if self._next is None:
            if len(self._files) < _AWAY[answer]:
                return False
        elif not probe:  # it was asked before the server was known to be away
            return False
        excused = self.may_pass
        self._answer = answer
        self._failed += probe
        self._next = now
        if self.may_pass:
            self._next += pause_before_probe(self._failed, self._random)
        else:
            self._next += _GONE_FOR
        return excused
