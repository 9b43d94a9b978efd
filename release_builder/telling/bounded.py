"""A program that is given something to read, and neither much time nor much to say."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PATIENCE: Final = 60.0  # seconds
_LAST_WORDS: Final = 1.0  # seconds that may pass between a program's end and its words
_PAUSE: Final = 0.02
_WORDS: Final = 2000  # bytes
# Endless output would fill the disk: tail holds no more than its last bytes. The status is told
# apart, since a program that left a child behind has ended though the pipe has not.
_SCRIPT: Final = f'{{ "$@" <"$0"; echo $? >"$0.status"; }} 2>&1 | tail -c {_WORDS}'


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        status: Its exit status; None if it took too long and was stopped.
        words: The last that it said, on stdout or stderr; printable, in one line.
    """

    status: int | None
    words: str


def run_bounded(
    argv: Sequence[str], stdin: bytes, env: Mapping[str, str], patience: float = _PATIENCE
) -> Ended:
    """Run ``argv``, at most for ``patience`` seconds; what it leaves in the background is ended.

    Args:
        argv: The program and its arguments.
        stdin: What it gets to read.
        env: Its whole environment.
        patience: In seconds.

    Raises:
        SurroundingsError: The program is missing.
        OSError: There is no room for ``stdin``.
    """
    program = process.find(argv[0])
    with tempfile.TemporaryDirectory(prefix="release-builder-told.") as name:
        given, said, status = (Path(name, each) for each in ("in", "out", "in.status"))
        given.write_bytes(stdin)
        script = ["sh", "-c", _SCRIPT, str(given), program, *argv[1:]]
        with process.start(script, log=said, env=env, grace=_LAST_WORDS) as is_running:
            _wait(patience, lambda: bool(_text(status)) or not is_running())
            if _text(status):
                _wait(_LAST_WORDS, lambda: not is_running())
        ended = _text(status)
        return Ended(int(ended) if ended else None, printable(" ".join(_text(said).split())))


def _wait(seconds: float, is_over: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not is_over() and time.monotonic() < end:
        time.sleep(_PAUSE)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""
