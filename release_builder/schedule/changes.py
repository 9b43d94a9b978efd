"""What turning a schedule on or off changes on a system."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, SurroundingsError
from release_builder.files import open_regular, read_bounded
from release_builder.schedule.ready import (
    ENABLED,
    FRAGMENT,
    LOGROTATE,
    TIMER,
    UNITS,
    Kind,
    Origin,
    Schedule,
    origin,
    ready_files,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LARGEST: Final = 1 << 20  # bytes
_OURS: Final = frozenset({Origin.OURS, Origin.OURS_FOR_PACKAGED})
_NEEDS: Final = {
    Kind.CRON_D: ("/etc/cron.d", "is cron installed?"),
    Kind.SYSTEMD: (UNITS, "systemd is on Enterprise Linux 7 and later"),
    Kind.SME: ("/etc/e-smith/templates-custom", "this is for SME Servers"),
}
_TARGET: Final = f"../{TIMER}"
_EXPAND: Final = "/sbin/e-smith/expand-template /etc/crontab"


class Deed(StrEnum):
    """What becomes of a file."""

    WRITE = "written"
    KEEP = "kept"
    REMOVE = "removed"
    RESTORE = "as the package has it"
    SAVE = "kept as .rpmsave"  # which cron, logrotate and e-smith all pass over
    LINK = "linked"


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one file.

    Attributes:
        path: On the system, without the root that a user may have named.
        deed: What becomes of it.
        text: What it holds then, or what the link leads to.
    """

    path: str
    deed: Deed
    text: str = ""


def to_install(kind: Kind, schedule: Schedule, root: Path, *, force: bool) -> tuple[Change, ...]:
    """What turns ``kind`` on, and the others off before that: two would work at once.

    Args:
        kind: Who shall run the refreshes.
        schedule: What, and when.
        root: The root of the system.
        force: Whether files that others wrote or changed are put aside.

    Raises:
        DescriptorError: A file is not as we wrote it, and ``force`` does not say so.
        OSError: A file cannot be read.
    """
    changes = list(to_remove(root, force=force, spared=kind))
    for path, text in ready_files(kind, schedule).items():
        if path == LOGROTATE and not (root / path[1:]).parent.is_dir():
            continue
        found = _origin(root, path)
        if found is Origin.PACKAGED and path == LOGROTATE:
            changes.append(Change(path, Deed.KEEP))
            continue
        if found in {Origin.CHANGED, Origin.FOREIGN}:
            changes.append(_saved(path, found, force=force))
        over = found in {Origin.PACKAGED, Origin.OURS_FOR_PACKAGED}
        new = ready_files(kind, schedule, over=True)[path] if over else text
        deed = Deed.KEEP if _read(root, path) == new else Deed.WRITE
        changes.append(Change(path, deed, new))
    if kind is Kind.SYSTEMD:
        deed = Deed.KEEP if _link(root) == _TARGET else Deed.LINK
        changes.append(Change(ENABLED, deed, _TARGET))
    return tuple(changes)


def to_remove(root: Path, *, force: bool, spared: Kind | None = None) -> tuple[Change, ...]:
    """What turns all kinds off but ``spared``.

    Args:
        root: The root of the system.
        force: Whether files that others changed are put aside.
        spared: The kind that stays, and the rotation of logs with it.

    Raises:
        DescriptorError: A file is not as we wrote it, and ``force`` does not say so.
        OSError: A file cannot be read.
    """
    changes = []
    if spared is not Kind.SYSTEMD and (root / ENABLED[1:]).is_symlink():
        changes.append(Change(ENABLED, Deed.REMOVE))
    for kind, path in _others(spared):
        found = _origin(root, path)
        if found is Origin.OURS_FOR_PACKAGED:
            text = ready_files(kind, Schedule(), packaged=True)[path]
            changes.append(Change(path, Deed.RESTORE, text))
        elif found is Origin.OURS:
            changes.append(Change(path, Deed.REMOVE))
        elif found is Origin.CHANGED or (found is Origin.FOREIGN and spared):
            changes.append(_saved(path, found, force=force))
    return tuple(changes)


def check_system(kind: Kind, root: Path) -> None:
    """See whether there is anybody to read the files of ``kind``.

    Raises:
        SurroundingsError: There is not.
    """
    folder, hint = _NEEDS[kind]
    if not (root / folder[1:]).is_dir():
        raise SurroundingsError(f"{root / folder[1:]}: there is no such folder", hint=hint)


def afterwards(changes: Sequence[Change]) -> tuple[str, ...]:
    """The commands that a person has to run now, so that the system knows of ``changes``."""
    done = {change.path: change.deed for change in changes if change.deed is not Deed.KEEP}
    commands = []
    if done.get(ENABLED) is Deed.REMOVE:
        commands.append(f"systemctl stop {TIMER}")
    if any(path.startswith(UNITS) for path in done):
        commands.append("systemctl daemon-reload")
    if done.get(ENABLED) is Deed.LINK:
        commands.append(f"systemctl start {TIMER}")
    elif done.get(f"{UNITS}/{TIMER}") is Deed.WRITE:
        commands.append(f"systemctl restart {TIMER}")
    if FRAGMENT in done:
        commands.append(_EXPAND)
    return tuple(commands)


def _others(spared: Kind | None) -> Iterator[tuple[Kind, str]]:
    """The files of all kinds but ``spared``; those for logs only where no kind stays."""
    for kind in Kind:
        if kind is not spared:
            for path in ready_files(kind, Schedule()):
                if path != LOGROTATE:
                    yield kind, path
    if spared is None:
        yield Kind.CRON_D, LOGROTATE


def _saved(path: str, found: Origin, *, force: bool) -> Change:
    if not force:
        what = "was changed by hand" if found is Origin.CHANGED else "was written by somebody else"
        raise DescriptorError(
            f"{path} {what}", hint=f"look at it; --force keeps it as {path}.rpmsave"
        )
    return Change(path, Deed.SAVE)


def _link(root: Path) -> str:
    """What the link that enables the timer leads to; empty where there is none."""
    path = root / ENABLED[1:]
    return str(path.readlink()) if path.is_symlink() else ""


def _origin(root: Path, path: str) -> Origin | None:
    """Whose the file is; None where there is none."""
    text = _read(root, path)
    return None if text is None else origin(text)


def _read(root: Path, path: str) -> str | None:
    try:
        with open_regular(root / path[1:]) as stream:
            return read_bounded(stream, _LARGEST, path).decode(errors="replace")
    except FileNotFoundError:
        return None
