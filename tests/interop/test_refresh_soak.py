"""A mirror that lives, a disk that fills, runs that are killed: in the end all is right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from own_mounts import OWN_MOUNTS, need_own_mounts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

# Nobody's root afterwards: an rsync daemon that is one would ask for more than it gets there.
SMALL = """
mount -t tmpfs -o size=48m,mode=0777 none "$1/disk"
exec unshare --user --map-user=1000 --map-group=1000 "$2" -m soaking "$1" "$3" "$4"
"""
SEED = os.environ.get("SOAK_SEED", "7")
ROUNDS = os.environ.get("SOAK_ROUNDS", "25")


def test_whatever_happens_the_public_image_is_right_and_nothing_is_left(tmp_path: Path) -> None:
    need_own_mounts()
    (tmp_path / "disk").mkdir()
    here = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    soak = ["sh", "-ec", SMALL, "sh", str(tmp_path), sys.executable, SEED, ROUNDS]

    ended = subprocess.run(
        [*OWN_MOUNTS, *soak], env=here, check=False, capture_output=True, text=True
    )

    sys.stdout.write(ended.stdout)
    assert not ended.returncode, f"SOAK_SEED={SEED} SOAK_ROUNDS={ROUNDS}\n{ended.stderr}"
    assert json.loads(ended.stdout.splitlines()[-1])["rounds"] == int(ROUNDS)
