"""Packages are made from a clone of the project."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from release_builder.errors import Status
from release_builder.process import environment
from rpm.packages.application import TREE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="no time"),
        pytest.param({"SOURCE_DATE_EPOCH": "1700000000"}, id="a time"),
    ],
)
def test_outside_a_clone_it_is_said_at_once_that_one_is_needed(
    workdir: Path, given: dict[str, str]
) -> None:
    for name in ("release_builder", "rpm"):
        (workdir / name).symlink_to(TREE / name)

    ended = subprocess.run(
        [sys.executable, "-m", "rpm.packages", "--out", "out"],
        cwd=workdir,
        env=environment({**given, "GIT_CEILING_DIRECTORIES": str(workdir.parent)}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == Status.SURROUNDINGS
    assert ended.stderr == (
        f"error: {workdir} is no working tree of git with a commit\n"
        "packages are made from a clone\n"
    )
    assert not (workdir / "out").exists()
