"""``assemble``, a second ``build`` and a second ``refresh`` beside jigdo-lite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from bench.measure import Task, print_table
from bench.release import NAME, make_release, same

if TYPE_CHECKING:
    from pathlib import Path


def compare(root: Path, megabytes: int, runs: int) -> None:
    """Rebuild a release by both."""
    mirror, image = make_release(root, megabytes)
    program = [sys.executable, "-m", "release_builder"]
    ours, theirs = root / "ours", root / "theirs"
    ours.mkdir(exist_ok=True)
    (ours / "tree").unlink(missing_ok=True)
    (ours / "tree").symlink_to(mirror)
    descriptor = root / "sme.yaml"
    descriptor.write_text(f"version: 9.0beta3\narch: x86_64\nmirror: {mirror}\n", "utf-8")
    environment = {"RELEASE_BUILDER_STATE": str(root / "state")}
    offline = ["--offline", "--workdir", str(ours), str(descriptor)]

    def forget_ours() -> None:
        shutil.rmtree(root / "state", ignore_errors=True)
        shutil.rmtree(ours / "image", ignore_errors=True)

    def forget_theirs() -> None:
        shutil.rmtree(theirs, ignore_errors=True)
        shutil.copytree(mirror / "iso/x86_64", theirs)

    fresh = root / "fresh"
    followed = root / "followed.yaml"
    refresh = [*program, "refresh", "--no-splay", "--workdir", str(fresh), str(followed)]
    own = {"RELEASE_BUILDER_STATE": str(root / "state-of-fresh")}

    def make_fresh() -> None:
        if not (fresh / "image").is_dir():
            whole = root / "whole"  # the other has a link that leads out of it
            shutil.rmtree(whole, ignore_errors=True)
            shutil.copytree(mirror, whole, copy_function=os.link)
            followed.write_text(descriptor.read_text("utf-8").replace(str(mirror), str(whole)))
            subprocess.run(refresh, check=True, env={**os.environ, **own})

    scan = ["--noask", "--scan", str(mirror / "smeos/x86_64"), f"{NAME}.jigdo"]
    print_table(
        f"A release rebuilt from its tree: {megabytes:,} MB",
        [
            Task("jigdo-lite --noask --scan", ["jigdo-lite", *scan], theirs, forget_theirs),
            Task("assemble", [*program, "assemble", *offline], root, forget_ours, environment),
            Task("build, nothing to do", [*program, "build", *offline], root, env=environment),
            Task("refresh, nothing to do", refresh, root, make_fresh, own),
        ],
        runs,
    )
    for place in (ours / "image", fresh / "image", theirs):
        same(place / f"{NAME}.iso", image)
