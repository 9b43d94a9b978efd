"""What a bad mirror does to its files while somebody fetches them."""

from __future__ import annotations

import os
import random
import shutil
import signal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from faulting.world import Services, World


class Mirror:
    """The files of a world that a mirror serves.

    Args:
        folder: The world's.
        pristine: A copy of it, as it was prepared.
    """

    def __init__(self, world: World, services: Services, folder: Path, pristine: Path) -> None:
        self._services = services
        self._folder = folder
        self._pristine = pristine
        self._files = sorted(_matching(pristine, world.mirror))
        self._stopped: list[int] = []

    def spoil(self, mischief: str, seed: str) -> None:
        """Do one of the MISCHIEF, to a file that ``seed`` chooses."""
        chance = random.Random(seed)
        first, second = chance.sample(self._files, 2)
        path, other = self._folder / first, self._folder / second
        acts: dict[str, Callable[[], None]] = {
            "truncates": lambda: _change(path, path.read_bytes()[: path.stat().st_size // 2]),
            "corrupts": lambda: _change(path, _corrupted(path, chance)),
            "swaps": lambda: _swap(path, other),
            "loses": path.unlink,
            "stalls": self._stall,
        }
        acts[mischief]()

    def mend(self) -> None:
        """Put all right again."""
        for process in self._stopped:
            os.kill(process, signal.SIGCONT)
        self._stopped.clear()
        for name in self._files:
            shutil.copy2(self._pristine / name, self._folder / name)

    def _stall(self) -> None:
        self._stopped = list(self._services.processes())
        for process in self._stopped:
            os.kill(process, signal.SIGSTOP)


def _matching(folder: Path, patterns: Iterable[str]) -> list[str]:
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return [name for name in names if any(fnmatchcase(name, each) for each in patterns)]


def _change(path: Path, content: bytes) -> None:
    """Other bytes under the same time: what a disk that fails does, too."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _corrupted(path: Path, chance: random.Random) -> bytes:
    content = bytearray(path.read_bytes() or b"?")
    content[chance.randrange(len(content))] ^= 0xFF
    return bytes(content)


def _swap(one: Path, other: Path) -> None:
    contents = one.read_bytes(), other.read_bytes()
    _change(one, contents[1])
    _change(other, contents[0])
