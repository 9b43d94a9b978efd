"""A public tree on a file system that is really full: a small one, in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from own_mounts import OWN_MOUNTS, need_own_mounts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

SMALL = 'mount -t tmpfs -o size=512k none "$1" && exec "$2" -c "$3" "$1"'
FILL = """
import sys
from pathlib import Path
from public_tree import BETA, local_shelf, publish, text_of
from release_builder.errors import SurroundingsError
root = Path(sys.argv[1])
shelf = local_shelf(root)
publish(shelf, "first")
with shelf.locked(BETA):
    staged = shelf.stage(BETA, [])
    try:
        staged.write("iso/x86_64/a.iso", bytes(1 << 20))
    except SurroundingsError as error:
        print(error.what, error.hint, sep="|")
    print(staged.root.exists(), text_of(root / BETA))
publish(shelf, "second")
print(text_of(root / BETA))
"""


def test_on_a_full_disk_nothing_is_staged_and_the_public_release_stays(tmp_path: Path) -> None:
    need_own_mounts()
    root = tmp_path / "root"
    root.mkdir()
    here = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    argv = [*OWN_MOUNTS, "sh", "-c", SMALL, "sh", str(root), sys.executable, FILL]
    ended = subprocess.run(argv, env=here, check=False, capture_output=True, text=True)

    assert ended.stderr == ""
    assert ended.stdout.splitlines() == [
        f"{root}/testing/.9.0beta3/next: No space left on device|free some room, or name another folder",
        "False first",
        "second",
    ]
