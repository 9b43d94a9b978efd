"""Commands that are started at once in one place, and what came of each of them."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import random
import re
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from program import PROGRAM, Ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_PATIENCE: Final = 100.0  # seconds; nobody waits for a lock for as long as that
_SPREAD: Final = 0.4  # seconds within which commands start
_NOT_ALONE: Final = re.compile(r"again|wait|later|meanwhile")
_HELD: Final = re.compile(r"process \d+|just started")
_NEVER: Final = ("Traceback", "database is locked", "Exception ignored", "Errno")

# Waits until all are there, and then as long as it is told.
_START: Final = ': < "$1"; sleep "$2"; shift 2; exec "$@"'


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the program.

    Attributes:
        argv: What follows the program's name.
        also: What it may end with besides 0, 1 and 75: exit statuses, each with words on stderr.
    """

    argv: tuple[str, ...]
    also: tuple[tuple[int, str], ...] = ()

    def below(self, folder: Path) -> Command:
        """The same where ``{here}`` is ``folder``."""
        return replace(self, argv=tuple(each.format(here=folder) for each in self.argv))

    def complaint(self, ended: Ended) -> str:
        """What is wrong with its end; empty if nothing is."""
        words = f"{' '.join(self.argv)}: {ended.status}\n{ended.stderr}{ended.stdout}"
        if any(each in ended.stderr for each in _NEVER):
            return words
        fine = {
            0: True,
            1: bool(_NOT_ALONE.search(ended.stderr)),
            75: bool(_NOT_ALONE.search(ended.stderr) and _HELD.search(ended.stderr)),
        }
        fine |= {status: text in ended.stderr for status, text in self.also}
        return "" if fine.get(ended.status) else words


def at_once(commands: Sequence[Command], folder: Path, chance: random.Random) -> list[Ended]:
    """Start all at the same moment, or almost; how each ended, in their order."""
    door = folder / "door"
    os.mkfifo(door)
    start = ["sh", "-c", _START, "sh", str(door)]
    try:
        running = [
            subprocess.Popen(
                [*start, f"{chance.uniform(0, _SPREAD):.3f}", *PROGRAM, *command.argv],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for command in commands
        ]
        with ThreadPoolExecutor(len(running)) as pool, door.open("wb"):
            ends = [pool.submit(_ended, each) for each in running]
            return [each.result() for each in ends]
    finally:
        door.unlink()


def alone(command: Command, folder: Path) -> Ended:
    """How it ends with nobody else at work."""
    ended = subprocess.run(
        [*PROGRAM, *command.argv],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def _ended(process: subprocess.Popen[str]) -> Ended:
    with process:
        try:
            out, err = process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Ended(process.returncode, out, err)


def groups(names: Sequence[str], size: int, seed: int) -> list[tuple[str, ...]]:
    """Groups in which each name meets each, itself too."""
    chance = random.Random(seed)
    left = set(itertools.combinations_with_replacement(sorted(names), 2))
    found = []
    while left:
        tries = [
            (*chance.choice(sorted(left)), *chance.choices(names, k=size - 2)) for _ in range(99)
        ]
        best = max(tries, key=lambda group: len(left & _pairs(group)))
        left -= _pairs(best)
        found.append(best)
    return found


def _pairs(group: Sequence[str]) -> set[tuple[str, str]]:
    return {(min(pair), max(pair)) for pair in itertools.combinations(group, 2)}


@contextlib.contextmanager
def watching(release: Path) -> Iterator[list[str]]:
    """Read a public release again and again, as the web server would; what was wrong with it."""
    wrong: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            wrong.extend(_wrong_files(release))
            time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield wrong
    finally:
        over.set()
        thread.join()


def _wrong_files(release: Path) -> Iterator[str]:
    """What is not as its sums say; the release is opened once, so that it is one generation."""
    try:
        folder = os.open(release / "iso/x86_64", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:  # nothing of this name is public
        return
    try:
        for line in _read("sha256sum.txt", folder).decode().splitlines():
            expected, _, name = line.partition("  ")
            if hashlib.sha256(_read(name, folder)).hexdigest() != expected:
                yield f"{release}: {name}"
    except FileNotFoundError as error:
        yield f"{release}: {error.filename} is absent"
    finally:
        os.close(folder)


def _read(name: str, folder: int) -> bytes:
    with open(os.open(name, os.O_RDONLY, dir_fd=folder), "rb") as stream:  # noqa: PTH123 (below a folder that is open)
        return stream.read()


def copy_of(world: Path, folder: Path) -> Path:
    """A copy of a prepared folder, at its own place."""
    shutil.copytree(world, folder, symlinks=True)
    return folder


def told(commands: Mapping[str, Command], names: Sequence[str], ends: Sequence[Ended]) -> str:
    """All complaints, a paragraph each."""
    complaints = (commands[name].complaint(ended) for name, ended in zip(names, ends, strict=True))
    return "\n".join(filter(None, complaints))
