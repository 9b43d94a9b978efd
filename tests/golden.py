"""An image, and its pairs as jigdo-file made them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

GOLDEN: Final = Path(__file__).parent / "data" / "jigdo-file"
IMAGE: Final = (GOLDEN / "image.bin").read_bytes()
TREE: Final = {"a.txt": IMAGE[256:1806], "b c#.bin": IMAGE[2106:3136]}


def write_tree(folder: Path) -> None:
    """The files that are in the image, below a new folder."""
    folder.mkdir()
    for name, content in TREE.items():
        (folder / name).write_bytes(content)
