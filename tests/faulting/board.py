"""The shim and the file by which it is told what to do: see shim.c."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KINDS: Final = (  # as shim.c's enum kind
    "open",
    "create",
    "list",
    "read",
    "pread",
    "write",
    "pwrite",
    "copy",
    "reserve",
    "truncate",
    "sync",
    "rename",
    "link",
    "unlink",
    "mkdir",
    "attribute",
)
ACTIONS: Final = (  # as shim.c's enum fault
    "nothing",
    "fail",
    "full",
    "short",
    "kill-all",
    "kill-all-after",
    "kill-one",
    "clock",
    "ask",
)
_SOURCE: Final = Path(__file__).with_name("shim.c")
_PROCESSES: Final = 1 << 12
_ORDER: Final = struct.Struct("7i")
_SEEN: Final = struct.Struct(f"{len(KINDS)}i")
_LIST: Final = struct.Struct(f"{1 + _PROCESSES}i")
_WATCHED, _WHERE = 4096, 1024
_SIZE: Final = _ORDER.size + _SEEN.size + _LIST.size + _WATCHED + _WHERE


def shim() -> Path:
    """The compiled shim: made once a source and user, outside the tree."""
    key = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir(), f"release-builder-faults-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    library = folder / f"{key}.so"
    if not library.exists():
        own = folder / f"{key}.{os.getpid()}"
        argv = ["cc", "-O2", "-shared", "-fPIC", "-o"]
        subprocess.run([*argv, own, _SOURCE, "-ldl"], check=True)
        own.replace(library)
    return library


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that counts.

    Attributes:
        kind: One of KINDS.
        number: Which of its kind, from 1 on.
        program: The name of the process.
        path: What it was made on.
    """

    kind: str
    number: int
    program: str
    path: str


class Board:
    """What a run's processes are told, and what they tell."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("w+b") as file:
            file.truncate(_SIZE)
            self._map = mmap.mmap(file.fileno(), _SIZE)
        for name in (self.ask, self.answer):
            name.unlink(missing_ok=True)
            os.mkfifo(name)

    @property
    def environment(self) -> Mapping[str, str]:
        """What puts a process under the board."""
        return {"FAULT_BOARD": str(self.path), "LD_PRELOAD": str(shim())}

    @property
    def ask(self) -> Path:
        """The FIFO by which the process that met the fault asks to go on."""
        return Path(f"{self.path}.ask")

    @property
    def answer(self) -> Path:
        """The FIFO by which it is let go on."""
        return Path(f"{self.path}.answer")

    def order(
        self,
        watched: Iterable[Path],
        *,
        kind: str = "",
        at: int = 0,
        action: str = "nothing",
        value: int = 0,
        tracing: bool = False,
    ) -> None:
        """Begin a run: all counts are zero.

        Args:
            watched: Folders whose calls count.
            kind: Of the call that meets the fault; none does if it is empty.
            at: Which of its kind, from 1 on.
            action: One of ACTIONS.
            value: An errno, or the days that the clock jumps.
            tracing: Whether ``calls`` will be asked for.
        """
        self._map[:] = bytes(_SIZE)
        folders = "".join(f"{os.path.normpath(folder)}\n" for folder in watched).encode()
        assert len(folders) < _WATCHED
        start = _ORDER.size + _SEEN.size + _LIST.size
        self._map[start : start + len(folders)] = folders
        number = KINDS.index(kind) if kind else -1
        order = (number, at, ACTIONS.index(action), value, 0, int(tracing), 0)
        self._map[: _ORDER.size] = _ORDER.pack(*order)
        self._trace.unlink(missing_ok=True)

    @property
    def fired(self) -> bool:
        """Whether a call met the fault."""
        return bool(_ORDER.unpack_from(self._map)[4])

    @property
    def seen(self) -> dict[str, int]:
        """How many calls of each kind there were."""
        counts = _SEEN.unpack_from(self._map, _ORDER.size)
        return {kind: count for kind, count in zip(KINDS, counts, strict=True) if count}

    @property
    def where(self) -> str:
        """The program and the path of the call that met the fault."""
        return self._map[-_WHERE:].rstrip(b"\0").decode(errors="replace")

    def calls(self) -> list[Call]:
        """The calls of a run that was traced, about in their order."""
        lines = self._trace.read_text(errors="replace").splitlines()
        words = [line.split(" ", 3) for line in lines]
        return [
            Call(KINDS[int(kind)], int(number), program, path)
            for kind, number, program, path in words
        ]

    def running(self) -> list[int]:
        """The processes under the board that have not ended."""
        count, *listed = _LIST.unpack_from(self._map, _ORDER.size + _SEEN.size)
        return [process for process in listed[:count] if self._is_ours(process)]

    def close(self) -> None:
        self._map.close()

    @property
    def _trace(self) -> Path:
        return Path(f"{self.path}.trace")

    def _is_ours(self, process: int) -> bool:
        # Ids are given anew; a zombie's environment is empty.
        with contextlib.suppress(OSError):
            environment = Path(f"/proc/{process}/environ").read_bytes()
            return f"FAULT_BOARD={self.path}\0".encode() in environment
        return False
