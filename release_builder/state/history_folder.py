"""Whose history is shown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import SurroundingsError
from release_builder.state.digest_cache import state_folder
from release_builder.state.history import HISTORY_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

_SYSTEM: Final = Path("/var/lib/release-builder")  # where root's runs are remembered


def folder_to_read(
    environ: Mapping[str, str], *, user: int | None = None, system: Path = _SYSTEM
) -> Path:
    """The state folder of the history to be shown: root's, for a user who has none.

    Args:
        environ: The environment.
        user: Who asks, by number; default: this process.
        system: Root's folder.

    Raises:
        SurroundingsError: Nothing tells a place, and root's cannot be read.
    """
    roots = system if os.access(system / HISTORY_FILE, os.R_OK) else None
    try:
        own = state_folder(environ, user=user)
    except SurroundingsError:
        if roots is None:
            raise
        return roots
    if environ.get("RELEASE_BUILDER_STATE") or os.path.lexists(own / HISTORY_FILE):
        return own
    return roots or own
