"""File systems of a test's own: small ones, and such as may only be read."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN_MOUNTS: Final = ("unshare", "--user", "--map-root-user", "--mount")  # a command follows


def need_own_mounts(own: Sequence[str] = OWN_MOUNTS) -> None:
    """Skip where nobody may mount anything, not even in a namespace; `make test` can."""
    if subprocess.run([*own, "true"], check=False, capture_output=True).returncode:
        _give_up("this user may not mount anything")


def need_root() -> None:
    """Skip for a user who may not mount a file system that others see; `make test` may."""
    if os.geteuid():
        _give_up("only root may mount a file system")


def _give_up(why: str) -> None:
    # There, a skip would hide what was never tried.
    (pytest.fail if "CI" in os.environ else pytest.skip)(why)
