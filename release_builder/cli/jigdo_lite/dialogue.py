"""What the user reads and answers: texts and questions on stdout, the rest on stderr."""

from __future__ import annotations

import os
import sys
from typing import Final

from release_builder.cli.jigdo_file.options import Report
from release_builder.cli.jigdo_file.screen import Screen
from release_builder.errors import ReleaseBuilderError, printable, without_users

_LONGEST: Final = 64 << 10  # bytes of an answer
_MOST: Final = 100  # answers that no person typed: `yes` never ends


class Dialogue(Screen):
    """Tells, and asks: a terminal, a file, a pipe, or nobody.

    Args:
        program: What messages begin with.
    """

    def __init__(self, program: str) -> None:
        super().__init__(program, Report.DEFAULT)
        self._left = _MOST
        self._told: set[str] = set()

    @property
    def is_attended(self) -> bool:
        """Whether another question may still be answered by other than its default."""
        return self._left > 0

    @property
    def has_person(self) -> bool:
        """Whether a person sits there, who decides when it is enough."""
        return self.is_attended and sys.stdin.isatty()

    def stop_asking(self) -> None:
        """From now on every question gets its default."""
        self._left = 0

    def text(self, *lines: str) -> None:
        """Lines on stdout."""
        self.end()
        sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
        sys.stdout.flush()

    def once(self, text: str) -> None:
        """A remark on stderr, unless it was made before."""
        if text not in self._told:
            self._told.add(text)
            self.complain(text)

    def ask(self, question: str, default: str = "") -> str:
        """The answer, without blanks round it; ``default`` if it is empty or nobody answers."""
        self.end()
        offer = f" [{printable(without_users(default))}]" if default else ""
        try:
            sys.stdout.write(f"{printable(question)}{offer}: ")
            sys.stdout.flush()
            is_shown = self.has_person
            answer = (self._line() if self._left else "") or default
        except KeyboardInterrupt:
            self.text("")  # what is said of it begins a line
            raise
        if not is_shown:  # no terminal did
            self.text(without_users(answer))
        return answer

    def _line(self) -> str:
        if not sys.stdin.isatty():
            self._left -= 1
        try:
            line = sys.stdin.buffer.readline(_LONGEST)
        except (ReleaseBuilderError, OSError):  # closed, or of a terminal that is not ours
            line = b""
        if not line.endswith(b"\n"):
            self._left = 0
        return os.fsdecode(line.replace(b"\0", b"")).strip()
