"""Tiny images as Puavo's build makes them: squashfs with puavo-conf definitions, always the same.

They share most of their content, so that deltas are small; each later one differs a little.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder import process

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = "1640995200"  # of all times in an image
SIZE = 200_000  # bytes of noise in each
DEFINITIONS = "usr/share/puavo-conf/definitions"
# What puavo-conf says of each image that make_images makes, merged in the order of the files.
CONF = {
    "puavo.desktop.greeting": {
        "default": 'Hyvää päivää / "hi"',
        "description": "not ASCII, quotes, a slash",
        "typehint": "string",
    },
    "puavo.image.automatic_updates": {"default": "true", "typehint": "bool"},
}
NAMES = (
    "puavo-os-amxa-buster-2021-04-13-192449-amd64.img",
    "puavo-os-amxa-buster-2021-04-13-193910-amd64.img",
    "puavo-os-amxa-buster-2022-01-17-120001-amd64.img",
    "puavo-os-amxa-buster-2022-01-20-173248-amd64.img",
)


def make_images(folder: Path, *names: str, size: int = SIZE) -> tuple[Path, ...]:
    """Make an image of each name in ``folder``; the bytes depend on the name alone.

    Args:
        folder: Made where missing.
        names: Default ``NAMES``.
        size: Bytes of noise that all share, less some that are a name's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(make_image(folder / name, content(name, size)) for name in names or NAMES)


def content(seed: object, size: int = SIZE) -> dict[str, bytes]:
    """The files of an image: a large one that all share but for a few bytes, and definitions."""
    own = random.Random(repr(seed))
    shared = bytearray(random.Random(0).randbytes(size))
    for _ in range(3):
        at = own.randrange(max(1, size - 1000))
        shared[at : at + 1000] = own.randbytes(min(1000, size))
    first, second = CONF.items()
    return {
        "usr/lib/shared.so": bytes(shared),
        "usr/lib/own.so": own.randbytes(2000),
        **definitions({"a-desktop.json": dict([first]), "b-image.json": dict([second])}),
    }


def definitions(files: Mapping[str, object]) -> dict[str, bytes]:
    """Files of puavo-conf by what they say."""
    return {
        f"{DEFINITIONS}/{name}": json.dumps(said, ensure_ascii=False).encode()
        for name, said in files.items()
    }


def make_image(path: Path, files: Mapping[str, bytes], *options: str) -> Path:
    """Make a squashfs image of ``files``, by their names inside."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tree") as folder:
        tree = Path(folder, "tree")
        for name in sorted(files):
            file = tree / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(files[name])
            file.chmod(0o644)
        for place, _folders, _files in os.walk(tree):
            Path(place).chmod(0o755)
        made = Path(folder, "image")
        outcome = process.run(
            [
                *("mksquashfs", str(tree), str(made), "-noappend", "-no-recovery", "-no-xattrs"),
                *("-all-root", "-all-time", SECONDS, "-mkfs-time", SECONDS, "-processors", "1"),
                *("-no-progress", "-quiet", *options),
            ]
        )
        assert outcome.status == 0, outcome.stderr
        return made.replace(path)
