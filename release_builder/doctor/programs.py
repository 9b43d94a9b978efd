"""The programs of others that commands run: which are there, and what they can do."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.doctor.checkup import COMMANDS, Check, Mark, looked_at
from release_builder.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from release_builder.doctor.system import System

_TOPIC: Final = "programs"
# Beside PATH: cron's is short, and these are programs of the system.
_PLACES: Final = ("/usr/sbin", "/sbin", "/usr/local/bin", "/usr/lib", "/usr/lib/anaconda-runtime")
# sh looks there for what a program must not inherit.
_OPEN_FILES: Final = (Path("/dev/fd"), Path("/proc/self/fd"))
_VERSION: Final = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True)
class Program:
    """A program that some commands run.

    Attributes:
        name: Its own.
        use: What for.
        debian: The package that has it on Debian.
        enterprise: The same on Enterprise Linux; empty where there is none.
        needed_by: The commands that do not work without it.
        version: Arguments that make it tell its version; empty where it cannot.
        epel: Whether Enterprise Linux has it in EPEL alone.
        features: Told what it says of itself: what it lacks, one sentence each.
    """

    name: str
    use: str
    debian: str
    enterprise: str
    needed_by: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    epel: bool = False
    features: Callable[[str], Iterator[tuple[Mark, str]]] | None = None


def _rsync(said: str) -> Iterator[tuple[Mark, str]]:
    version = _number(said)
    if version < (3, 0):
        yield Mark.WARNING, "older than 3.0: publishing to another host needs a newer one"
    elif version < (3, 1):
        yield Mark.NOTE, "older than 3.1: it shows no progress"
    if "hardlinks" in said and "no hardlinks" in said:
        yield Mark.WARNING, "built without hard links"


def _xorriso(said: str) -> Iterator[tuple[Mark, str]]:
    if _number(said) < (1, 2, 4):
        yield Mark.WARNING, "older than 1.2.4: images may not start from a USB stick"
    if "libjte" not in said:
        yield Mark.NOTE, "without libjte, which release-builder does not need: `pair` makes pairs"


def _gpg(said: str) -> Iterator[tuple[Mark, str]]:
    if _number(said) < (2, 0):
        yield Mark.WARNING, "older than 2.0: it does not know newer keys"


PROGRAMS: Final = (
    Program(
        "rsync",
        "fetches from rsync mirrors",
        "rsync",
        "rsync",
        ("demo",),
        ("--version",),
        features=_rsync,
    ),
    Program(
        "xorriso",
        "writes images",
        "xorriso",
        "xorriso",
        ("compose", "demo"),
        ("-version",),
        features=_xorriso,
    ),
    Program("isohybrid", "lets images start from a USB stick", "syslinux-utils", "syslinux"),
    Program("implantisomd5", "implants the sum that media checks use", "isomd5sum", "isomd5sum"),
    Program(
        "gpg",
        "verifies and makes signatures",
        "gpg",
        "gnupg2",
        version=("--version",),
        features=_gpg,
    ),
    Program("rpmkeys", "verifies the signatures of packages", "rpm", "rpm", version=("--version",)),
    Program(
        "ssh", "publishes on other hosts", "openssh-client", "openssh-clients", version=("-V",)
    ),
    Program("sendmail", "mails what went wrong", "postfix", "postfix"),
    Program(
        "rdiff",
        "makes deltas of images",
        "rdiff",
        "librsync",
        ("images update",),
        ("--version",),
        epel=True,
    ),
    Program(
        "unsquashfs",
        "looks into images of the image repository",
        "squashfs-tools",
        "squashfs-tools",
        ("images update",),
        ("-v",),
    ),
    Program("rpmbuild", "makes the demo's packages", "rpm", "rpm-build", ("demo",), ("--version",)),
    Program(
        "createrepo_c",
        "makes the demo's metadata",
        "createrepo-c",
        "createrepo_c",
        ("demo",),
        ("--version",),
        epel=True,
    ),
    Program(
        "jigdo-file",
        "makes the demo's pair",
        "jigdo-file",
        "release-builder-jigdo",
        ("demo",),
        ("--version",),
    ),
)


def check_programs(
    system: System,
    needs: Mapping[str, Collection[str]],
    open_files: Sequence[Path] = _OPEN_FILES,
) -> tuple[Check, ...]:
    """Look for all programs, and whether any can be started.

    Args:
        system: Whose packages they are in.
        needs: By program, the commands that need it for the descriptors in question besides.
        open_files: Folders one of which must be there for a program to be started.
    """
    startable = any(folder.is_dir() for folder in open_files)
    return (*(() if startable else (_no_proc(needs),)), *_each(system, needs, startable=startable))


def _no_proc(needs: Mapping[str, Collection[str]]) -> Check:
    of_programs = {command for program in PROGRAMS for command in program.needed_by}
    needed_by = of_programs.union(*needs.values())
    says = "not mounted; without it no program can be started"
    mend = "as root: mount -t proc proc /proc"
    by = tuple(command for command in COMMANDS if command in needed_by)
    return Check(_TOPIC, "/proc", Mark.MISSING, says, mend, by)


def _each(
    system: System, needs: Mapping[str, Collection[str]], *, startable: bool
) -> Iterator[Check]:
    return (
        check
        for program in PROGRAMS
        for check in looked_at(
            _TOPIC,
            program.name,
            lambda each=program: [_check(each, system, needs, startable=startable)],  # type: ignore[misc] # a lambda's default
        )
    )


def _check(
    program: Program, system: System, needs: Mapping[str, Collection[str]], *, startable: bool
) -> Check:
    needed_by = tuple(dict.fromkeys((*program.needed_by, *needs.get(program.name, ()))))
    path = shutil.which(program.name) or _elsewhere(program.name)
    install = system.install(program.debian, program.enterprise, epel=program.epel)
    if path is None:
        says = f"not installed; it {program.use}"
        return Check(_TOPIC, program.name, Mark.MISSING, says, install, needed_by)
    said = _said(path, program) if startable else ""
    lacks = list(program.features(said)) if program.features and said else []
    number = _VERSION.search(said)
    says = "; ".join((f"{number[0]}, {path}" if number else path, *(words for _, words in lacks)))
    mark = max((mark for mark, _ in lacks), key=list(Mark).index, default=Mark.OK)
    mend = install if mark is Mark.WARNING else ""
    return Check(_TOPIC, program.name, mark, printable(says), mend, needed_by)


def _elsewhere(name: str) -> str | None:
    return shutil.which(name, path=":".join(_PLACES))


def _said(path: str, program: Program) -> str:
    if not program.version:
        return ""
    outcome = process.run([path, *program.version])
    return f"{outcome.stdout}\n{outcome.stderr}"


def _number(said: str) -> tuple[int, ...]:
    found = _VERSION.search(said)
    return tuple(map(int, found[0].split("."))) if found else ()
