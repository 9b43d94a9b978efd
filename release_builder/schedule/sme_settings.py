"""The settings of an SME Server, read as data: no program of e-smith's is run.

Source: the e-smith databases: a line a record, ``key=type|property|value|property|value``; a bar
or a backslash within a value has a backslash before it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.files import open_regular, read_bounded

if TYPE_CHECKING:
    from pathlib import Path

KEY: Final = "release-builder"
_DATABASE: Final = "home/e-smith/db/configuration"
_LARGEST: Final = 16 << 20  # bytes


def sme_settings(root: Path) -> dict[str, str]:
    """The properties of ``release-builder`` in the configuration database.

    Args:
        root: The root of the system.

    Returns:
        Name of each property → its value; empty on a system without such a database.

    Raises:
        OSError: The database is there but cannot be read.
    """
    try:
        with open_regular(root / _DATABASE) as stream:
            text = read_bounded(stream, _LARGEST, str(root / _DATABASE)).decode(errors="replace")
    except FileNotFoundError:
        return {}
    for line in text.splitlines():
        key, equals, record = line.partition("=")
        if equals and key == KEY:
            words = [re.sub(r"\\(.)", r"\1", word) for word in _parted(record)]
            return dict(zip(words[1::2], words[2::2], strict=False))
    return {}


def _parted(record: str) -> list[str]:
    """``record`` at the bars that no backslash protects."""
    return re.findall(r"(?:^|\|)((?:[^|\\]|\\.)*)", record)
