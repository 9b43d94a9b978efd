"""For those who have a newer Python: the wheel and the source distribution."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from release_builder import __version__
from rpm.packages.application import TREE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """The programs of a new virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    return tmp_path / "venv/bin"


def run(argv: Sequence[str | Path], env: dict[str, str], folder: Path) -> str:
    ended = subprocess.run(argv, env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_wheel_passes_the_demo_in_a_new_environment(
    environment: Path, outside: dict[str, str], workdir: Path
) -> None:
    program, python = environment / "release-builder", environment / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "hatchling"], outside, workdir)
    run([python, "-m", "hatchling", "build", "--directory", workdir], outside, TREE)

    wheel = workdir / f"release_builder-{__version__}-py3-none-any.whl"
    run([*pip, str(wheel)], outside, workdir)
    told = run([program, "demo", "--dir", workdir / "demo"], dict(os.environ), workdir)

    assert (workdir / f"release_builder-{__version__}.tar.gz").is_file()
    assert "done and verified" in told
    assert list(workdir.rglob("*.iso"))
