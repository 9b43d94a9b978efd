"""The right to ask a server once, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_builder.transport.http import HttpError
    from release_builder.transport.http.attempts import Candidate
    from release_builder.transport.http.line import Line
    from release_builder.transport.http.server import Server


@dataclass(eq=False, slots=True)
class Turn:
    """The right to ask a server once.

    Attributes:
        candidate: What to ask.
        server: Its server.
        line: Of its connections, that by which it is asked.
        began: When it was given, in seconds.
        probe: Whether it tells if a server is back that was away.
        answered: When the answer began; None before.
        received: Bytes that came.
        error: How it failed; None while it did not.
        ended: Whether all came that was to come, and no more.
        excused: Whether its failure costs the file none of its retries.
        slow: Bytes a second for which it was left; None if it was not.
    """

    candidate: Candidate
    server: Server
    line: Line
    began: float
    probe: bool = False
    answered: float | None = None
    received: int = 0
    error: HttpError | None = None
    ended: bool = False
    excused: bool = False
    slow: float | None = None
