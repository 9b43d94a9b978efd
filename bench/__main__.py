"""Measure ``assemble`` and a second ``build`` beside jigdo-lite; see README, "Figures".

usage: python -m bench [--megabytes 1000] [--runs 3] [--folder DIR]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from bench.measure import Figures, Task, measure
from bench.release import NAME, make_release


def main() -> None:
    """Make the release, run the tasks, print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    root = options.folder / f"release-builder-bench-{options.megabytes}"
    root.mkdir(parents=True, exist_ok=True)
    mirror = make_release(root, options.megabytes)
    tasks = _tasks(root, mirror)
    _print(tasks, measure(tasks, options.runs), options.megabytes, options.runs)
    _compare_images(root)


def _tasks(root: Path, mirror: Path) -> list[Task]:
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

    scan = ["--noask", "--scan", str(mirror / "smeos/x86_64"), f"{NAME}.jigdo"]
    return [
        Task("jigdo-lite --noask --scan", ["jigdo-lite", *scan], theirs, forget_theirs, {}),
        Task("assemble", [*program, "assemble", *offline], root, forget_ours, environment),
        Task(
            "build, nothing to do", [*program, "build", *offline], root, lambda: None, environment
        ),
    ]


def _print(tasks: list[Task], figures: list[Figures], megabytes: int, runs: int) -> None:
    peer = figures[0]
    print(f"{megabytes:,} MB image, median of {runs} runs in turn")
    print(f"{'':<28}{'seconds':>9}{'ratio':>8}{'peak MB':>9}")
    for task, each in zip(tasks, figures, strict=True):
        ratio = peer.seconds / each.seconds
        print(f"{task.name:<28}{each.seconds:>9.2f}{ratio:>7.1f}x{each.megabytes:>9.0f}")


def _compare_images(root: Path) -> None:
    """A fast wrong image would be no figure at all."""
    for place in ("ours/image", "theirs"):
        with (
            (root / f"{NAME}.iso").open("rb") as wanted,
            (root / place / f"{NAME}.iso").open("rb") as made,
        ):
            while block := wanted.read(1 << 20):
                if block != made.read(1 << 20):
                    raise SystemExit(f"{place}/{NAME}.iso is wrong")
            if made.read(1):
                raise SystemExit(f"{place}/{NAME}.iso is too long")


if __name__ == "__main__":
    main()
