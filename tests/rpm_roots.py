"""Folders that stand for the root of a machine, and what runs in them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

EPOCH = 1_795_000_000  # of the packages that the tests make; any time will do


def rpm(root: Path, *options: str) -> str:
    """Run this machine's rpm on ``root``; what it prints."""
    argv = ["rpm", "--root", str(root), "--dbpath", "/var/lib/rpm", *options]
    if Path("/etc/debian_version").exists():
        argv.append("--force-debian")  # else it would rather have alien
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def install(root: Path, *packages: Path) -> str:
    """Install packages, whatever they are for and need; what rpm prints."""
    root.mkdir(exist_ok=True)
    return rpm(root, "--install", "--nodeps", "--ignorearch", *map(str, packages))


def run_in(root: Path, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a program of ``root`` there, with an environment of its own."""

    def enter() -> None:
        os.chroot(root)
        os.chdir("/")

    return subprocess.run(
        argv, env=env, preexec_fn=enter, capture_output=True, text=True, check=False
    )


def files(root: Path) -> set[str]:
    """All that is below ``root`` and not a folder."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}
