"""Measure this project beside its peers; see README, "Figures".

usage: python -m bench [--megabytes 1000] [--runs 3] [--folder DIR] [TABLE]...
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench import fetch, images, pairs, rebuild, start

_TABLES = ("rebuild", "pairs", "fetch", "growth", "content", "start", "images")


def main() -> None:
    """Make what is to be measured, run it, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(_TABLES))
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    tables = options.tables or _TABLES
    for unknown in set(tables) - set(_TABLES):
        parser.error(f"there is no table {unknown}")
    root = options.folder / "release-builder-bench"
    root.mkdir(parents=True, exist_ok=True)
    size, runs = options.megabytes, options.runs
    if "rebuild" in tables:
        rebuild.compare(root, size, runs)
    if "pairs" in tables:
        pairs.compare(root, size, runs)
    if "fetch" in tables:
        fetch.compare(root, size, runs)
    if "growth" in tables:
        pairs.grow(root, [(size, 2000), (size, 50_000), (size, None), (8 * size, None)], runs)
    if "content" in tables:
        pairs.show_content_rates()
    if "images" in tables:
        images.compare(root, min(size, 345), runs)
    if "start" in tables:
        start.compare(runs)


if __name__ == "__main__":
    main()
