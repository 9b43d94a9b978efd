"""Many fetch a release while others of its name become public: nobody gets a wrong image."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.interop, pytest.mark.slow]

SEED = os.environ.get("LOAD_SEED", "7")
CLIENTS = os.environ.get("LOAD_CLIENTS", "32")
ROUNDS = os.environ.get("LOAD_ROUNDS", "5")  # a beta and its final become public in each


def test_each_client_has_a_right_image_or_is_told_that_it_changed(tmp_path: Path) -> None:
    here = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    ended = subprocess.run(
        [sys.executable, "-m", "public_load", tmp_path, SEED, CLIENTS, ROUNDS],
        env=here,
        check=False,
        capture_output=True,
        text=True,
    )

    sys.stdout.write(ended.stdout)
    assert not ended.returncode, f"LOAD_SEED={SEED}\n{ended.stderr}"
    seen = json.loads(ended.stdout)
    assert seen["wrong"] == seen.get("files wrong", 0) == 0
    assert seen["images"] == seen["clients"] >= int(CLIENTS)
    assert seen["flips"] >= 2 + 2 * int(ROUNDS)
    assert seen["changed"] > 0, "nothing changed under anybody's hands, however often"
