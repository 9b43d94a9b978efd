"""An image repository, brought to where it is served: over ssh, or to a folder at hand."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import process
from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    StoppedError,
    SurroundingsError,
    printable,
    without_users,
)
from release_builder.files import check_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.monitor import Monitor

_SSH: Final = (
    *("-o", "BatchMode=yes"),
    *("-o", "ConnectTimeout=15"),
    *("-o", "ServerAliveInterval=15"),
    *("-o", "ServerAliveCountMax=4"),
)
_IMAGES: Final = ("/*.img",)
_RDIFFS: Final = ("/rdiffs/", "/rdiffs/*.rdiff")
_META: Final = ("/meta/", "/meta/*.json", "/meta/*.json.asc")
_SUMS: Final = ("/CKSUMS", "/CKSUMS.asc")
_CHART: Final = "/images.svg"
_PARTIAL: Final = ".rsync-partial"
# What an rsync leaves there that is killed; one that is only stopped goes on with the second kind.
_UNFINISHED: Final = (
    *(f"/.{name}.??????" for name in ("*.img", "CKSUMS", "CKSUMS.asc", "images.svg")),
    *("/rdiffs/", "/rdiffs/.*.rdiff.??????"),
    *("/meta/", "/meta/.*.json.??????", "/meta/.*.json.asc.??????"),
    *(f"{folder}/{each}" for folder in (_PARTIAL, ".~tmp~") for each in ("", "*")),
)
_CHECK: Final = "--dry-run"
_SMALL: Final = ("--checksum", "--delay-updates")  # their sizes and times may be as before
_GOING: Final = ("--existing", "--ignore-existing", "--delete-after")
_ITEM: Final = re.compile(r"([<>ch.*][^|]{1,11})\|(\d+)\|(.*)")
_PROGRESS: Final = re.compile(r"\s*([\d,]+)\s+\d+%\s")
_LOST: Final = {6, 10, 12, 24, 30, 35, 255}  # the last is ssh's own
_STOPPED: Final = {20, -2, -15}
_DOOR: Final = {
    r"Permission denied \([a-z]|Host key verification failed|Too many authentication failures": (
        "see to it that ssh reaches it without a question"
    ),
    r"No space left|Disk quota exceeded": "free some room there",
    r"Too many open files": "raise the limit of open files there (ulimit -n)",
    r"File too large": "raise the limit of a file's size there",
    r"Permission denied|Operation not permitted": "give that user the permission",
    r"Read-only file system": "name another folder",
    r"not found|No such file": "make the folder there; rsync must be installed there too",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a repository goes.

    Attributes:
        host: ``host`` or ``user@host``; empty for this machine.
        path: The folder; for a host it is absolute.
    """

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}:{self.path}" if self.host else self.path


@dataclass(frozen=True, slots=True)
class Pushed:
    """What went over.

    Attributes:
        sent: Files that are new or other there now.
        size: Bytes that went over for them.
        deleted: Files that are gone from there.
    """

    sent: int = 0
    size: int = 0
    deleted: int = 0


def parse_target(text: str) -> Target:
    """Where ``HOST:/path`` or a local path leads to.

    Raises:
        DescriptorError: It is neither.
    """
    head, colon, path = text.partition(":")
    if not colon or "/" in head or not head:
        if not text or colon == text:
            raise DescriptorError("an empty name is no place", hint="write HOST:/path or a path")
        return Target("", text)
    if head.startswith("-") or not path.startswith("/") or path.startswith("//"):
        shown = re.sub(r":(?!//).*@", ":…@", without_users(text), flags=re.S)
        raise DescriptorError(
            f"{printable(shown)} is no place that ssh reaches",
            hint="write HOST:/path, or ./ before the name of a folder here",
        )
    return Target(head, path)


def push_argv(
    source: Path, target: Target, patterns: Sequence[str], options: Sequence[str], ssh: str
) -> list[str]:
    """How rsync brings what ``patterns`` name below ``source`` to ``target``.

    All else there is out of its sight: it neither comes nor goes.
    """
    argv = [
        "rsync",
        *("--recursive", "--copy-links", "--times", "--perms", "--chmod=D755,F644"),
        *("--protect-args", "--timeout=300", f"--partial-dir={_PARTIAL}"),
        *("--out-format=%i|%b|%n", "--info=progress2", *options),
        *(f"--include={pattern}" for pattern in patterns),
        "--exclude=*",
    ]
    if target.host:
        argv.append(f"--rsh={shlex.join((*shlex.split(ssh), *_SSH))}")
    place = str(target) if target.host else os.path.abspath(target.path)  # noqa: PTH100 (links stay)
    return [*argv, "--", f"{source}/", f"{place.rstrip('/')}/"]


def push(
    source: Path, target: Target, monitor: Monitor, *, ssh: str = "ssh", full: bool = False
) -> Pushed:
    """Bring the repository ``source`` to ``target``, so that clients there never miss a file.

    First images, then rdiffs, what describes them, CKSUMS; last goes what the repository has no
    more. Hidden files (work in progress, signatures of rdiff) and files of others stay where they
    are, but for what a push left there that was cut off; a large file goes on where it was.

    Args:
        source: The folder; if it is a link to a generation, this one goes over whatever happens.
        target: Where to; a local folder is made where missing.
        monitor: Hears how far it is.
        ssh: The command that reaches the host.
        full: Whether images and rdiffs are compared by content, not by size and time.

    Raises:
        IncompleteError: The host cannot be reached, or not any more.
        SurroundingsError: rsync failed, here or there; a local target is another user's link.
    """
    source = source.resolve()
    if not target.host:
        check_link(Path(target.path))  # rsync itself follows none below it
        Path(target.path).mkdir(parents=True, exist_ok=True)
    large = ["--checksum"] if full else []
    passes: tuple[tuple[str, tuple[str, ...], Sequence[str]], ...] = (
        ("images", _IMAGES, large),
        ("rdiffs", _RDIFFS, large),
        ("meta", _META, _SMALL),
        ("CKSUMS", (*_SUMS, _CHART), _SMALL),
        ("what was pushed, again", (*_META, *_SUMS, _CHART), ["--checksum", _CHECK]),
        # What is described goes after its description.
        ("meta that is gone", _META, _GOING),
        ("rdiffs that are gone", _RDIFFS, _GOING),
        ("the rest that is gone", (*_IMAGES, *_SUMS, *_UNFINISHED), _GOING),
    )
    pushed = Pushed()
    for name, patterns, options in passes:
        argv = push_argv(source, target, patterns, options, ssh)
        before, pushed = pushed, _run(argv, target, pushed, name, monitor)
        # rsync 3.5.0 says that all is well where it had no room for what it holds back.
        if _CHECK in options and pushed != before:
            raise SurroundingsError(
                f"{printable(str(target))}: rsync could not replace all that tells of images",
                hint="look at the room and the permissions there, or it changed here meanwhile:"
                " run it again",
            )
    return pushed


def _run(
    argv: Sequence[str], target: Target, before: Pushed, name: str, monitor: Monitor
) -> Pushed:
    reader = _Reader(monitor)
    monitor.begin(f"push {name}")
    try:
        outcome = process.run(
            argv,
            on_output=reader.feed,
            on_start=monitor.detail,
            env=process.environment(pass_on=("SSH_AUTH_SOCK",)),
        )
    finally:
        monitor.end()
    if outcome.status:
        raise _failure(outcome.status, outcome.stderr, target)
    return Pushed(
        before.sent + reader.sent, before.size + reader.size, before.deleted + reader.deleted
    )


class _Reader:
    """Takes rsync's stdout in pieces."""

    def __init__(self, monitor: Monitor) -> None:
        self.sent = self.size = self.deleted = 0
        self._monitor = monitor
        self._rest = ""

    def feed(self, piece: bytes) -> None:
        text = self._rest + piece.decode("utf-8", "surrogateescape")
        *lines, self._rest = re.split("[\r\n]", text)
        for line in lines:
            if item := _ITEM.fullmatch(line):
                self._item(item[1], int(item[2]), item[3])
            elif progress := _PROGRESS.match(line):
                self._monitor.progress(int(progress[1].replace(",", "")))

    def _item(self, change: str, length: int, name: str) -> None:
        if change.startswith("*deleting"):
            self.deleted += not any(part.startswith(".") for part in name.split("/"))
        elif change[:2] in {"<f", ">f"}:  # to a host, or to a folder
            self.sent += 1
            self.size += length


def _failure(status: int, stderr: str, target: Target) -> ReleaseBuilderError:
    where = printable(str(target))
    lines = [line for line in stderr.splitlines() if line.strip("* ")]
    for pattern, hint in _DOOR.items():
        if line := next((line for line in lines if re.search(pattern, line)), ""):
            return SurroundingsError(f"{where}: {printable(line)}", hint=hint)
    said = printable(lines[0]) if lines else f"rsync's status {status}"
    if status in _STOPPED:
        return StoppedError(
            f"{where}: rsync was stopped", hint="the same command goes on from here"
        )
    if status < 0:
        return IncompleteError(
            f"{where}: rsync was killed by signal {-status}",
            hint="the same command goes on from here",
        )
    if status in _LOST:
        return IncompleteError(f"{where} cannot be reached: {said}", hint="run it again later")
    return SurroundingsError(f"{where}: {said}")
