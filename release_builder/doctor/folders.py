"""Folders that commands write to: whether they may, how much room there is, and who is at work."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.doctor.checkup import COMMANDS, Check, Mark
from release_builder.doctor.system import text_of
from release_builder.errors import printable
from release_builder.files import existing_parent, free_space

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.plan import Plan

_TOPIC: Final = "folders"
_STATE_ROOM: Final = 20 << 20
_USUAL_IMAGE: Final = 700 << 20
_SELINUX: Final = ("/sys/fs/selinux/enforce", "/selinux/enforce")  # the latter: el5, el6
_LOCK_WORDS: Final = 512


def check_state(folder: Path) -> Iterator[Check]:
    """Look at the folder that state is kept in."""
    yield from _place("state folder", folder, _STATE_ROOM, COMMANDS[:5], "RELEASE_BUILDER_STATE")


def check_workdir(plan: Plan) -> Iterator[Check]:
    """Look at the folder that a release is worked on in."""
    workdir, release = plan.workdir, plan.release
    name = f"workdir of {release.product} {release.version} {release.arch}"
    image = release.size or _USUAL_IMAGE
    room = image + (0 if workdir.tree.exists() else image) + release.retain.free
    yield from _place(name, workdir.root, room, ("build", "refresh"), "workdir:")
    if holder := lock_holder(workdir.lock):
        says = f"at work there now: {printable(holder)}"
        yield Check(_TOPIC, name, Mark.NOTE, says, "wait until it has ended")


def check_selinux() -> Iterator[Check]:
    """Whether SELinux has a say."""
    told = next(filter(None, (text_of(Path(path)).strip() for path in _SELINUX)), "")
    mode = {"1": "enforcing", "0": "permissive"}.get(told, "off")
    mend = "where a web server may not read what was published: restorecon -R FOLDER"
    yield Check(_TOPIC, "SELinux", Mark.OK, mode, mend if mode == "enforcing" else "")


def lock_holder(lock: Path, proc: Path = Path("/proc")) -> str:
    """Who holds ``lock``; empty if nobody does, or nothing tells.

    The lock is not tried: a run that begins in that very moment would find it taken.

    Args:
        lock: The lock's file.
        proc: Where the kernel tells of its locks.
    """
    try:
        number = lock.stat().st_ino
    except OSError:
        return ""
    # 1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF
    held = re.search(
        rf"FLOCK +\S+ +\S+ +(-?\d+) +[0-9a-f]+:[0-9a-f]+:{number} ", text_of(proc / "locks")
    )
    if not held:
        return ""
    words = text_of(lock)[:_LOCK_WORDS].strip()
    return words or f"process {held[1]}"


def _place(
    name: str, folder: Path, room: int, needed_by: tuple[str, ...], key: str
) -> Iterator[Check]:
    shown = printable(str(folder))
    there = existing_parent(folder)
    if not there.is_dir():
        says = f"{shown}: {printable(str(there))} is no folder"
        yield Check(_TOPIC, name, Mark.MISSING, says, f"name another by {key}", needed_by)
        return
    if not os.access(there, os.W_OK | os.X_OK):
        says = f"{shown}: this user may not write in {printable(str(there))}"
        mend = _permission(folder) + f", or name another by {key}"
        yield Check(_TOPIC, name, Mark.MISSING, says, mend, needed_by)
        return
    free = free_space(there)
    says = f"{shown}: {_mib(free)} free"
    if free < room:
        says += f"; about {_mib(room)} wanted"
        mend = f"free some room (release-builder plan tells how much), or name another by {key}"
        yield Check(_TOPIC, name, Mark.WARNING, says, mend)
    else:
        yield Check(_TOPIC, name, Mark.OK, says)


def _permission(folder: Path) -> str:
    if os.geteuid() == 0:
        return f"mount it read-write: {printable(str(folder))}"
    return f"as root: install -d -o $(id -un) {printable(str(folder))}".replace(
        "$(id -un)", str(os.getuid())
    )


def _mib(count: int) -> str:
    return f"{count / (1 << 30):,.1f} GiB" if count >= 1 << 30 else f"{count >> 20:,} MiB"
