"""Functions that workers of a cluster find by name."""

from __future__ import annotations

import os
import time
from pathlib import Path

from release_builder.errors import WrongBytesError


def slow(folder: str, name: str, seconds: float) -> str:
    """Say who does it, take some time, and make a file."""
    (Path(folder) / f"{name}.by.{os.getpid()}").touch()
    time.sleep(seconds)
    (Path(folder) / name).write_text(name)
    return f"made {name}"


def fail(words: str) -> None:
    """Be wrong."""
    raise WrongBytesError(words, hint="a hint")
