"""The packaged recipe: a descriptor in /etc, refreshed where that is read-only as to the unit."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest
from own_mounts import need_own_mounts, need_root

from release_builder.process import environment
from release_builder.schedule import Kind, Schedule, ready_files
from release_builder.schedule.ready import DESCRIPTORS, UNITS

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Mirror

pytestmark = pytest.mark.interop

OWN: Final = ("unshare", "--mount")
# What ProtectSystem=full makes of a system, as far as it matters here.
PROTECTED: Final = """
mount --bind "$1/lib" /var/lib
mount --bind "$1/etc" /etc
mount -o remount,bind,ro /etc
mount --bind /usr /usr
mount -o remount,bind,ro /usr
shift
exec "$@"
"""


def test_the_unit_refreshes_a_descriptor_of_read_only_settings(
    mirror: Mirror, workdir: Path
) -> None:
    need_root()
    need_own_mounts(OWN)
    subprocess.run(["cp", "-a", "/etc", workdir / "etc"], check=True)
    settings = workdir / DESCRIPTORS[1:]
    settings.mkdir(parents=True)
    (settings / "sme9.yaml").write_text(mirror.descriptor)
    lib = workdir / "lib"
    lib.mkdir()
    unit = ready_files(Kind.SYSTEMD, Schedule())[f"{UNITS}/release-builder-refresh.service"]
    (line,) = [each for each in unit.splitlines() if each.startswith("ExecStart=")]
    program = [sys.executable, "-m", "release_builder", *shlex.split(line)[1:]]

    ended = subprocess.run(
        [*OWN, "sh", "-ec", PROTECTED, "sh", workdir, *program],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert "\nProtectSystem=full\n" in unit
    assert list(lib.glob("release-builder/images/sme9/smeserver-x86_64/image/*.iso"))
    assert [path.name for path in settings.iterdir()] == ["sme9.yaml"]
