"""Python itself, and what it runs on."""

from __future__ import annotations

import os
import platform
import sqlite3
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import __version__
from release_builder.doctor.checkup import Check, Mark
from release_builder.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOPIC: Final = "python"
_OWN: Final = "/usr/lib/release-builder/"


def check_interpreter() -> Iterator[Check]:
    """Tell how this program runs; without what it needs of Python it would not."""
    version = platform.python_version()
    says = f"{version}, {_way()}; release-builder {__version__}"
    yield Check(_TOPIC, "python", Mark.OK, printable(says))
    says = f"{ssl.OPENSSL_VERSION}, SQLite {sqlite3.sqlite_version}"
    yield Check(_TOPIC, "libraries", Mark.OK, printable(says))
    told = os.uname()
    says = printable(f"{told.sysname} {told.release}, {told.machine}")
    yield Check(_TOPIC, "kernel", Mark.OK, says)


def _way() -> str:
    executable = sys.executable or "an unnamed interpreter"
    if executable.startswith(_OWN):
        return "the package's own"
    if sys.prefix != sys.base_prefix:
        return f"in the virtual environment {sys.prefix}"
    zipped = not Path(__file__).exists()
    return f"{executable}, from a zip file" if zipped else executable
