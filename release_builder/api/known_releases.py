"""Descriptors, and which releases of the history are theirs."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable
from release_builder.loader import load
from release_builder.report import Finding, Severity
from release_builder.state.history import ReleaseState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_YAML: Final = {".yaml", ".yml"}
_GONE: Final = timedelta(days=7)  # after its last run: then a removed descriptor is no news


def key_of(descriptor: str) -> str:
    """How the history calls the descriptor at this path, whose links stay as they are."""
    path = os.path.abspath(descriptor)  # noqa: PTH100 (resolve() would follow links)
    # As history_rows stores it: what is no UTF-8 in a name is escaped there.
    return path.encode("utf-8", "backslashreplace").decode()


def states_of(path: Path, known: Sequence[ReleaseState]) -> list[ReleaseState]:
    """How the releases of the descriptor at ``path`` stand.

    Args:
        path: The descriptor.
        known: What the history knows of it.

    Raises:
        ReleaseBuilderError: It cannot be read.
    """
    descriptor = load(path)
    by_release = {(state.product, state.arch): state for state in known}
    product = descriptor.profile.name
    # Where nothing is known but that it could not be read, that befell all its arches.
    unread = by_release.get(("", ""))
    return [
        by_release.get((product, arch))
        or (replace(unread, product=product, arch=arch) if unread else never(path, product, arch))
        for arch in descriptor.arch
    ]


def never(path: Path, product: str = "", arch: str = "") -> ReleaseState:
    """A release that never ran."""
    return ReleaseState(
        descriptor=key_of(str(path)),
        product=product,
        arch=arch,
        version="",
        last_run=None,
        last_success=None,
        last_change=None,
        failing_since=None,
        failures=0,
        runs=0,
    )


def gone(states: Sequence[ReleaseState]) -> Iterator[Finding]:
    """Tell of removed descriptors, in one line, while that is news."""
    since = datetime.now(UTC) - _GONE
    news = dict.fromkeys(
        state.descriptor for state in states if state.last_run and state.last_run.started > since
    )
    if news:
        names = ", ".join(map(printable, news))
        verb = "is" if len(news) == 1 else "are"
        yield Finding(Severity.NOTE, f"{names} {verb} gone")


def is_there(path: Path) -> bool:
    """Whether it is a file; one in a folder that this user may not enter may well be."""
    try:
        return path.is_file()
    except PermissionError:
        return True


def descriptors_of(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The descriptors that ``paths`` name: files, and those of folders.

    Raises:
        DescriptorError: One is not there, or a folder has none.
    """
    found = dict.fromkeys(each for path in paths for each in inside(path))
    for path in found:
        if not path.is_file():
            raise DescriptorError(
                f"there is no file {printable(str(path))}",
                hint="name a descriptor, or none for all",
            )
    return tuple(found)


def inside(path: Path) -> tuple[Path, ...]:
    """The descriptors of the folder ``path``; of a file, itself.

    Raises:
        DescriptorError: The folder has none.
    """
    if not path.is_dir():
        return (path,)
    found = tuple(sorted(each for each in path.iterdir() if each.suffix in _YAML))
    if not found:
        raise DescriptorError(
            f"{printable(str(path))} has no descriptor in it", hint="they end in .yaml"
        )
    return found
