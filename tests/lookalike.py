"""The jigdo-file look-alike, run inside the test's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.cli.jigdo_file import run

if TYPE_CHECKING:
    import pytest


class LookAlike:
    """Runs commands and keeps what they print.

    Attributes:
        err: What the last one printed on stderr.
    """

    def __init__(self, captured: pytest.CaptureFixture[bytes]) -> None:
        self._captured = captured
        self.err = ""

    def __call__(self, *argv: str, status: int = 0) -> str:
        """What the command printed; it must end with ``status``."""
        ended = run(argv, "jigdo-file")
        out, err = self._captured.readouterr()
        self.err = err.decode()
        assert ended == status, self.err
        return out.decode("utf-8", "surrogateescape")
