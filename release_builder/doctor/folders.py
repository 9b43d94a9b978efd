"""Folders that commands write to: whether they may, how much room there is, and who is at work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.filesize import decimal

from release_builder.doctor.checkup import COMMANDS, Check, Mark
from release_builder.doctor.room import Room, room_for
from release_builder.doctor.system import text_of
from release_builder.errors import printable
from release_builder.files import existing_parent, free_space
from release_builder.state.lock import holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from release_builder.plan import Plan

_TOPIC: Final = "folders"
_STATE_ROOM: Final = Room(wanted=20_000_000, needed=0)
_SELINUX: Final = ("/sys/fs/selinux/enforce", "/selinux/enforce")  # the latter: el5, el6


def check_state(folder: Path) -> Iterator[Check]:
    """Look at the folder that state is kept in."""
    yield from _place(
        "state folder", folder, lambda: _STATE_ROOM, COMMANDS[:5], "RELEASE_BUILDER_STATE"
    )


def check_workdir(plan: Plan) -> Iterator[Check]:
    """Look at the folder that a release is worked on in."""
    workdir, release = plan.workdir, plan.release
    name = f"workdir of {release.product} {release.version} {release.arch}"
    yield from _place(name, workdir.root, lambda: room_for(plan), ("build", "refresh"), "workdir:")
    if at_work := holder(workdir.lock):
        says = f"at work there now: {printable(at_work)}"
        yield Check(_TOPIC, name, Mark.NOTE, says, "wait until it has ended")


def check_selinux() -> Iterator[Check]:
    """Whether SELinux has a say."""
    told = next(filter(None, (text_of(Path(path)).strip() for path in _SELINUX)), "")
    mode = {"1": "enforcing", "0": "permissive"}.get(told, "off")
    mend = "where a web server may not read what was published: restorecon -R FOLDER"
    yield Check(_TOPIC, "SELinux", Mark.OK, mode, mend if mode == "enforcing" else "")


def _place(
    name: str, folder: Path, room: Callable[[], Room], needed_by: tuple[str, ...], key: str
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
    free, least = free_space(there), room()
    says = f"{shown}: {decimal(free)} free"
    if free < max(least.wanted, least.needed):
        lacking = free < least.needed
        says += f"; about {decimal(least.needed if lacking else least.wanted)} "
        says += "needed" if lacking else "wanted"
        mend = f"free some room (release-builder plan tells how much), or name another by {key}"
        mark = Mark.MISSING if lacking else Mark.WARNING
        yield Check(_TOPIC, name, mark, says, mend, needed_by)
    else:
        yield Check(_TOPIC, name, Mark.OK, says)


def _permission(folder: Path) -> str:
    if os.geteuid() == 0:
        return f"mount it read-write: {printable(str(folder))}"
    return f"as root: install -d -o $(id -un) {printable(str(folder))}".replace(
        "$(id -un)", str(os.getuid())
    )
