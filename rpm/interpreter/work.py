"""Where one interpreter is being built: its folders, its log, and how programs run there."""

from __future__ import annotations

import os
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import SurroundingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_LAST_LINES: Final = 20
_PROXIES: Final = frozenset({"all_proxy", "http_proxy", "https_proxy", "no_proxy"})


@dataclass(frozen=True, slots=True)
class Arch:
    """One kind of processor.

    Attributes:
        name: As RPM calls it.
        target: As zig calls it.
        options: What the compiler needs beside the target.
        openssl: As OpenSSL's Configure calls it.
        elf_machine: e_machine of its ELF files.
    """

    name: str
    target: str
    options: tuple[str, ...]
    openssl: str
    elf_machine: int


# i386 without SSE2: the oldest boxes that run Enterprise Linux 5 have none.
ARCHES: Final = {
    "x86_64": Arch("x86_64", "x86_64-linux-musl", (), "linux-x86_64", 62),
    "i386": Arch("i386", "x86-linux-musl", ("-mcpu=i686",), "linux-x86", 3),
}


def network() -> dict[str, str]:
    """The environment of a program that fetches: the user's proxies, and what apt and pip heed."""
    own = ("APT_CONFIG", "PIP_")
    heeded = (name for name in os.environ if name.lower() in _PROXIES or name.startswith(own))
    return process.environment(pass_on=tuple(heeded))


@dataclass(frozen=True, slots=True)
class Work:
    """The folders of one build, and the way to run programs in them.

    Attributes:
        arch: What it is built for.
        folder: All that is unpacked and built; the caller removes it.
        log: All that the programs print; outlives the folder when the build fails.
        epoch: The time that the result carries, in seconds since 1970.
        lock: File descriptor of the lock on the folder; all programs inherit it.
        say: Gets a line a stage.
    """

    arch: Arch
    folder: Path
    log: Path
    epoch: int
    lock: int
    say: Callable[[str], None]

    @property
    def programs(self) -> Path:
        """The compiler and its companions, to stand first in PATH."""
        return self.folder / "programs"

    @property
    def prefix(self) -> Path:
        """Where the libraries are installed: include/ and lib/ of a system that is only theirs."""
        return self.folder / "root" / "usr"

    @property
    def sources(self) -> Path:
        """The unpacked sources, a folder a name."""
        return self.folder / "sources"

    @property
    def result(self) -> Path:
        """The interpreter with its files."""
        return self.folder / "result"

    def run(self, folder: Path, argv: Sequence[str], env: Mapping[str, str] | None = None) -> str:
        """Run a program of the build.

        Args:
            folder: Where it runs.
            argv: The program and its arguments.
            env: What its environment has beside the build's own.

        Returns:
            What it printed.

        Raises:
            SurroundingsError: It is missing, or it failed; the message has its last lines.
        """
        own = process.environment()
        own["PATH"] = f"{self.programs}:{own['PATH']}"
        own |= {"SOURCE_DATE_EPOCH": str(self.epoch), "TZ": "UTC", "PYTHONHASHSEED": "0"}
        own |= {"TMPDIR": str(self.folder), "ZIG_GLOBAL_CACHE_DIR": str(self.folder / "zig-cache")}
        own |= {"ZIG_LOCAL_CACHE_DIR": str(self.folder / "zig-cache"), **(env or {})}
        there = ["env", "-C", str(folder), "nice", "-n", "10", *argv]
        outcome = process.run(there, env=own, keep_open=[self.lock])
        with self.log.open("a", encoding="utf-8", errors="surrogateescape") as log:
            log.write(f"$ cd {folder} && {shlex.join(argv)}\n{outcome.stdout}{outcome.stderr}")
        if outcome.status:
            printed = (outcome.stdout + outcome.stderr).splitlines()[-_LAST_LINES:]
            raise SurroundingsError(
                f"{self.arch.name}: {argv[0]} failed with status {outcome.status}:\n"
                + "\n".join(printed),
                hint=f"all that was printed: {self.log}",
            )
        return outcome.stdout

    def stage(self, what: str, do: Callable[[], None]) -> None:
        """Do one stage, and say what it was and how long it took."""
        begun = time.monotonic()
        do()
        self.say(f"{self.arch.name}: {what} … {time.monotonic() - begun:.0f} s")
