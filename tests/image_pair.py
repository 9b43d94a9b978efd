"""Two files that share most of their bytes, known and with a store beside them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.repository import rdiff
from release_builder.repository.deltas import Wanted
from release_builder.repository.journal import read
from release_builder.repository.store import Store

if TYPE_CHECKING:
    from pathlib import Path

BLOCK_SIZE = 256


def some_bytes(seed: int, size: int = 300_000) -> bytes:
    """What every image has, but for a few places."""
    own, data = random.Random(seed), bytearray(random.Random(0).randbytes(size))
    for _ in range(4):
        at = own.randrange(size - 3000)
        data[at : at + own.randrange(2000)] = own.randbytes(own.randrange(2000))
    return bytes(data)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of images and the work folder of their repository."""

    folder: Path
    split: bool = False

    @property
    def store(self) -> Store:
        """The work folder, for the rdiff that is installed."""
        return Store(self.folder / "work", rdiff.version(), split=self.split)

    def image(self, seed: int) -> Path:
        """An image; the bytes depend on ``seed`` alone."""
        path = self.folder / f"{seed}.img"
        if not path.exists():
            path.write_bytes(some_bytes(seed))
        return path

    def wanted(self, old: int, new: int) -> Wanted:
        """The delta between two images."""
        return Wanted(read(self.image(old)), read(self.image(new)), BLOCK_SIZE)
