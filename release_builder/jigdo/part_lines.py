"""The lines of [Parts] in a .jigdo that is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class PartLines:
    """The lines of [Parts], each once, in jigdo-file's order; 50,000 shall cost few bytes.

    Args:
        lines: Key and value of those that are there already.
    """

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._lines: set[bytes] = set()
        for key, value in lines:
            self.add(key, value)

    def add(self, key: str, value: str) -> None:
        """Add a line, unless it is there."""
        # The order: what follows a value is its digest, so "x" may come after "xy".
        line = f"{value}{key}\0{len(key)}"
        self._lines.add(line.encode("utf-8", "surrogateescape"))

    def encoded(self) -> Iterator[bytes]:
        """The lines, in order."""
        for line in sorted(self._lines):
            text, _, length = line.rpartition(b"\0")
            at = len(text) - int(length)
            yield b"%s=%s\n" % (text[at:], text[:at])
