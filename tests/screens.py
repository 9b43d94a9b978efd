"""The program before a terminal, and what must not come out of it anywhere."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import threading
from typing import TYPE_CHECKING

from program import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A terminal's title, a cleared screen, C1 controls, texts that run backwards, line ends of all
# kinds, markup, quotes, escapes of URLs and of templates; no slash, so that it can be a name.
NASTY = (
    "-n\x1b]0;own\x07\x1b[2J\x9b31m\x85\u202egpj.\u2066\u2028\u200f"
    "<img src=x onerror=y>\"'`$(id)&%0d%0aX-Y: z{{7*7}}\N{LATIN SMALL LETTER E WITH ACUTE}"
)
_PIECES = ("\x1b]0;", "\x07", "\x1b[2J", "\x9b", "\x85", "\u202e", "\u2066", "\u2028", "\u200f")
_PATIENCE = 60  # seconds


def assert_harmless(output: str | bytes) -> None:
    """Nothing but text and line ends is in it."""
    text = output.decode() if isinstance(output, bytes) else output
    assert {each for each in text if not each.isprintable() and each != "\n"} == set()


def assert_harmless_on_a_terminal(output: bytes) -> None:
    """What is in it for the terminal is ours."""
    text = output.decode()
    assert [piece for piece in _PIECES if piece in text] == []


def on_a_terminal(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """The status and all output of a run of the program whose user sits before a terminal."""
    ours, theirs = pty.openpty()
    seen: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):  # the last who had it open has closed it
            while block := os.read(ours, 65536):
                seen.append(block)

    reader = threading.Thread(target=read)
    with subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "TERM": "xterm", **(env or {})},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as program:
        os.close(theirs)
        reader.start()
        status = program.wait(_PATIENCE)
    reader.join()
    os.close(ours)
    return status, b"".join(seen)
