"""For those who have a newer Python: the wheel and the source distribution."""

from __future__ import annotations

import os
import shutil
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


def test_two_builds_give_the_same_wheel_and_source_distribution(
    environment: Path, outside: dict[str, str], tmp_path: Path
) -> None:
    run([environment / "pip", "install", "--quiet", "hatchling"], outside, tmp_path)
    ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "build", "dist")
    one = shutil.copytree(TREE, tmp_path / "tree", ignore=ignored)
    other = shutil.copytree(one, tmp_path / "other/place", copy_function=shutil.copy)  # other times

    build = (environment / "python", "-m", "hatchling", "build", "--directory")
    run((*build, tmp_path / "1"), outside, one)
    run(("sh", "-c", 'umask 077; exec "$@"', "sh", *build, tmp_path / "2"), outside, other)

    first = {path.name: path.read_bytes() for path in (tmp_path / "1").iterdir()}
    assert len(first) == 2
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "2").iterdir()}
