"""The programs that make the demo's release, and what they take from the machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import SurroundingsError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_builder.monitor import Monitor

PROGRAMS: Final = ("rpmbuild", "createrepo_c", "xorriso", "jigdo-file", "rsync")
# BIOS boot files: (isolinux.bin, the folder of its modules) on Debian, on Enterprise Linux.
_ISOLINUX: Final = (
    ("/usr/lib/ISOLINUX/isolinux.bin", "/usr/lib/syslinux/modules/bios"),
    ("/usr/share/syslinux/isolinux.bin", "/usr/share/syslinux"),
)


def missing_programs() -> tuple[str, ...]:
    """What this machine lacks, a line each, with the command that installs it."""
    lines = []
    finders: list[Callable[[], object]] = [partial(process.find, name) for name in PROGRAMS]
    for find in (*finders, boot_files):
        try:
            find()
        except SurroundingsError as error:
            lines.append(f"{error.what}: {error.hint}")
    return tuple(lines)


def boot_files() -> tuple[Path, Path]:
    """isolinux.bin and ldlinux.c32, the module that it cannot do without.

    Raises:
        SurroundingsError: isolinux is not installed.
    """
    for loader, modules in _ISOLINUX:
        files = (Path(loader), Path(modules, "ldlinux.c32"))
        if all(file.is_file() for file in files):
            return files
    raise SurroundingsError(
        "isolinux.bin, or its module ldlinux.c32, is not installed",
        hint=process.installation_hint("isolinux"),
    )


def versions() -> tuple[str, ...]:
    """What each program says of its version: another one may make other bytes."""
    return tuple(process.run([program, "--version"]).stdout for program in PROGRAMS)


def call(argv: Sequence[str], monitor: Monitor, *, home: Path, epoch: int) -> None:
    """Run a program that has to succeed and whose output depends on its arguments only.

    Args:
        argv: The program and its arguments.
        monitor: Told the command line.
        home: Its HOME, so that no dot file of the user's changes the outcome.
        epoch: SOURCE_DATE_EPOCH, in seconds since 1970.

    Raises:
        SurroundingsError: It is missing or fails.
    """
    clean = {"HOME": str(home), "SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC"}
    outcome = process.run(argv, on_start=monitor.detail, env=process.environment(clean))
    if outcome.status:
        last = outcome.stderr.strip().splitlines()[-5:]
        raise SurroundingsError(
            f"{argv[0]} failed with status {outcome.status}",
            hint="it said: " + " / ".join(printable(line) for line in last),
        )
