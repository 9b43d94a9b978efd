"""Scheduled refreshes: turn them on, turn them off."""

from __future__ import annotations

import contextlib
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, SurroundingsError
from release_builder.files import replacing, sync_folder
from release_builder.schedule import (
    Change,
    Deed,
    Kind,
    Schedule,
    afterwards,
    parse_times,
    sme_settings,
    to_install,
    to_remove,
)
from release_builder.schedule.changes import check_system
from release_builder.schedule.ready import DAILY, DESCRIPTORS, ENABLED, FRAGMENT, MAX_AGE

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAVED: Final = ".rpmsave"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What was changed, or would be.

    Attributes:
        changes: The files, in the order in which they change.
        commands: What a person has to run now.
    """

    changes: tuple[Change, ...]
    commands: tuple[str, ...]


def schedule(  # noqa: PLR0913 (each is a setting)
    root: Path,
    *,
    program: str,
    at: str | None = None,
    page: str | None = None,
    metrics: str | None = None,
    max_age: str | None = None,
) -> Schedule:
    """The settings of a schedule; None is what an SME Server's database says, or the default.

    Raises:
        DescriptorError: One of them cannot be meant.
        OSError: The database cannot be read.
    """
    settings = sme_settings(root)
    if at and settings.get("Time", at) != at:
        raise DescriptorError(
            f"the configuration database has '{settings['Time']}' for the time",
            hint=f"config setprop release-builder Time '{at}', or leave --at out",
        )
    stored = _stored(settings, at=at, page=page, metrics=metrics, max_age=max_age)
    return Schedule(
        at=parse_times(at) if at else stored.at,
        program=program,
        page=stored.page if page is None else page,
        metrics=stored.metrics if metrics is None else metrics,
        max_age=max_age or stored.max_age,
    )


def _stored(settings: Mapping[str, str], **given: str | None) -> Schedule:
    """What ``settings`` say of what is not given, and the default."""
    properties = {"at": "Time", "page": "Page", "metrics": "Metrics", "max_age": "MaxAge"}
    said = {name: settings.get(properties[name], "") for name in given if given[name] is None}
    try:
        return Schedule(
            at=parse_times(said["at"]) if said.get("at") else DAILY,
            page=said.get("page", ""),
            metrics=said.get("metrics", ""),
            max_age=said.get("max_age") or MAX_AGE,
        )
    except DescriptorError as error:
        raise DescriptorError(
            f"release-builder in the configuration database: {error.what}",
            hint=f"{error.hint}; config setprop release-builder PROPERTY 'VALUE' puts it there",
        ) from error


def install_schedule(
    kind: Kind, wanted: Schedule, root: Path, *, force: bool = False, dry_run: bool = False
) -> Scheduled:
    """Let ``kind`` run the refreshes from now on, and nobody else.

    Args:
        kind: Who runs them.
        wanted: What, and when.
        root: The root of the system.
        force: Whether files that others wrote or changed are put aside.
        dry_run: Whether nothing is changed.

    Raises:
        DescriptorError: A file is not as we wrote it, and ``force`` does not say so.
        SurroundingsError: Nobody there would read the files, or only root may write them.
        OSError: A file cannot be read or written.
    """
    if not dry_run:
        _check_root(root)
        check_system(kind, root)
    first = []
    descriptors = root / DESCRIPTORS[1:]
    if not descriptors.is_dir():
        first.append(f"mkdir -p {shlex.quote(str(descriptors))}")
    if kind is Kind.SME and sme_settings(root).get("status", "enabled") != "enabled":
        first.append("/sbin/e-smith/config setprop release-builder status enabled")
    done = _carried_out(to_install(kind, wanted, root, force=force), root, dry_run=dry_run)
    return Scheduled(done.changes, (*first, *done.commands))


def remove_schedule(root: Path, *, force: bool = False, dry_run: bool = False) -> Scheduled:
    """Undo ``install_schedule``; arguments and errors are as there."""
    if not dry_run:
        _check_root(root)
    return _carried_out(to_remove(root, force=force), root, dry_run=dry_run)


def _check_root(root: Path) -> None:
    if root == Path("/") and os.geteuid():
        raise SurroundingsError(
            "only root may change when the system runs what",
            hint="become root, look at it by --dry-run, or name another --root",
        )


def _carried_out(changes: tuple[Change, ...], root: Path, *, dry_run: bool) -> Scheduled:
    if not dry_run:
        for change in changes:
            _carry_out(change, root / change.path[1:])
    return Scheduled(changes, afterwards(changes))


def _carry_out(change: Change, path: Path) -> None:
    if change.deed in {Deed.WRITE, Deed.RESTORE}:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as out:
            out.write(change.text.encode())
    elif change.deed is Deed.LINK:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(change.text)
        sync_folder(path.parent)
    elif change.deed is Deed.SAVE:
        _save(path)
    elif change.deed is Deed.REMOVE:
        path.unlink()
        sync_folder(path.parent)
        if change.path in {ENABLED, FRAGMENT}:  # in folders that may be of our making
            _remove_empty(path.parent, 1 if change.path == ENABLED else 2)


def _save(path: Path) -> None:
    saved = path.with_name(f"{path.name}{_SAVED}")
    if os.path.lexists(saved):
        raise SurroundingsError(f"{saved} is in the way", hint="look at it, and move it away")
    path.rename(saved)
    sync_folder(path.parent)


def _remove_empty(folder: Path, levels: int) -> None:
    with contextlib.suppress(OSError):  # what is not empty, or not ours to remove, stays
        for _ in range(levels):
            folder.rmdir()
            folder = folder.parent
