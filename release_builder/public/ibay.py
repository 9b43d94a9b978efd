"""Folders of an SME server's web: an ibay follows links only where that is switched on.

Source: the SME wiki on mirrors in an ibay: the property FollowSymLinks, the event ibay-modify.
"""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath
from typing import Final

from release_builder import process
from release_builder.errors import SurroundingsError

IBAYS: Final = PurePosixPath("/home/e-smith/files/ibays")


def ibay_of(path: PurePosixPath, ibays: PurePosixPath = IBAYS) -> str | None:
    """The name of the ibay that ``path`` is in; None if it is in none."""
    inside = path.relative_to(ibays).parts if path.is_relative_to(ibays) else ()
    return inside[0] if inside else None


def links_advice(path: PurePosixPath, ibays: PurePosixPath = IBAYS) -> str | None:
    """The command that makes the web server follow links at ``path``; None if none is needed."""
    name = ibay_of(path, ibays)
    if name is None or _follows_links(name):
        return None
    ibay = shlex.quote(name)
    return f"db accounts setprop {ibay} FollowSymLinks enabled; signal-event ibay-modify {ibay}"


def _follows_links(name: str) -> bool:
    try:
        said = process.run(["db", "accounts", "getprop", name, "FollowSymLinks"])
    except SurroundingsError:
        return False
    return said.status == 0 and said.stdout.strip() == "enabled"
