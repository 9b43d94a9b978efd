"""Finished interpreters, each under a name that says what it was made from."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rpm.interpreter import toolchain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rpm.interpreter.sources import Source

SCRIPTS: Final = Path(__file__).parent
# They decide on no byte of the result: a change of them asks for no new build.
_BESIDE: Final = frozenset({"__main__.py", "checks.py", "selftest.py"})
VARIABLE: Final = "RELEASE_BUILDER_CACHE"


def default_cache() -> Path:
    """$RELEASE_BUILDER_CACHE, else ~/.cache/release-builder."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "release-builder"


@dataclass(frozen=True, slots=True)
class Store:
    """The interpreters of one arch in a cache.

    Attributes:
        folder: Of all interpreters.
        arch: As RPM calls it.
    """

    folder: Path
    arch: str

    @property
    def work(self) -> Path:
        """Where one is built; who builds there holds the lock."""
        return self.folder / f"work-{self.arch}"

    @property
    def log(self) -> Path:
        """What the programs of the last build printed, if that failed."""
        return self.folder / f"{self.arch}.log"

    def place(self, sources: tuple[Source, ...]) -> Path:
        """Where the interpreter made from ``sources`` by these scripts stands, once built."""
        return self.folder / f"{self._stem()}{_short(json.dumps(list(map(asdict, sources))))}"

    def newest(self) -> Path | None:
        """The interpreter that these scripts made last, from whatever sources."""
        made = self.folder.glob(f"{self._stem()}*")
        return max(made, key=lambda path: path.stat().st_ctime_ns, default=None)

    def _stem(self) -> str:
        return f"{self.arch}-{_short(recipe())}-"

    @contextlib.contextmanager
    def locked(self, say: Callable[[str], None]) -> Iterator[int]:
        """Wait until nobody else builds for this arch, and let nobody while the block runs.

        Yields:
            The lock's file descriptor: a program that inherits it keeps the lock when we die.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"lock-{self.arch}").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"{self.arch}: another process builds it; waiting …")
                fcntl.flock(lock, fcntl.LOCK_EX)
            shutil.rmtree(self.work, ignore_errors=True)  # of a build that was killed
            yield lock.fileno()


@functools.cache  # what this process was started with, even if someone edits it meanwhile
def recipe() -> str:
    """A digest, in hex, over the files of this package that decide on the result."""
    digest = hashlib.sha256()
    for path in sorted(SCRIPTS.iterdir()):
        if path.suffix in {".py", ".txt"} and path.name not in _BESIDE:
            content = path.read_bytes()
            digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def origin(sources: tuple[Source, ...]) -> str:
    """The text of sources.json: what an interpreter is made from."""
    made_from = {
        "recipe": recipe(),
        "sources": list(map(asdict, sources)),
        "ziglang": toolchain.version(SCRIPTS),
    }
    return json.dumps(made_from, indent=2, sort_keys=True) + "\n"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
