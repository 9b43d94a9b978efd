"""Releases for the public tree: small folders whose sums file tells what belongs together."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import traceback
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from release_builder.public.shelf import open_shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from release_builder.public.shelf import Flip, Shelf

BETA = "testing/9.0beta3"
SUMS = "SHA256SUMS"
FILES = ("iso/x86_64/a.jigdo", "smeos/x86_64/one.rpm", "index.html")
CHANGES = {
    *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink"),
    *("os.utime", "os.chmod"),
}


def local_shelf(root: Path, *, links: bool = True) -> Shelf:
    """The public tree at ``root``, which is made if it is not there."""
    root.mkdir(exist_ok=True)
    return open_shelf(PurePosixPath(root), links=links, scratch=root.parent / "scratch")


def publish(
    shelf: Shelf, text: str, links: Sequence[str] = ("testing/9",), folder: str = BETA
) -> Flip:
    """Make a release public whose files say ``text``."""
    with shelf.locked(folder):
        staged = shelf.stage(folder, ["iso/x86_64/", "smeos/x86_64"])
        sums = ""
        for name in FILES:
            content = f"{name} of {text}\n".encode()
            staged.write(name, content)
            sums += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        staged.write(SUMS, sums.encode())
        shelf.upload(staged)
        return shelf.flip(staged, links)


def text_of(release: Path) -> str:
    """What the files of a release say; they must be whole and belong together.

    The folder is opened once: what it leads to may be replaced meanwhile.
    """
    folder = os.open(release, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sums = _read(SUMS, folder).decode()
        contents = {name: _read(name, folder) for name in FILES}
    finally:
        os.close(folder)
    check(sums, contents.items())
    return contents[FILES[0]].decode().split(" of ")[1].strip()


def check(sums: str, contents: Iterable[tuple[str, bytes]]) -> None:
    """Refuse contents that the sums do not fit."""
    stated = {name: digest for digest, name in map(str.split, sums.splitlines())}
    found = {name: hashlib.sha256(content).hexdigest() for name, content in contents}
    assert found == stated


def _read(name: str, folder: int) -> bytes:
    with open(os.open(name, os.O_RDONLY, dir_fd=folder), "rb") as stream:  # noqa: PTH123 (below a folder that is open)
        return stream.read()


def in_child(work: Callable[[], None]) -> int:
    """Have a process of its own do ``work``; its id is returned, its status 1 if that failed."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return child


def kill_before_change(number: int) -> None:
    """Kill this process as it is about to change a file system for the ``number``-th time."""
    left = number

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        flags = arguments[2] if event == "open" else 0
        if event in CHANGES or (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def unable(_one: Path, _two: Path) -> bool:
    """What a file system such as NFS can do to let two names change places."""
    return False
