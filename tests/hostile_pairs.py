"""Runs of the jigdo commands on input that means harm, and odd files; see ``work`` in conftest."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest
from hostile import IMAGE, Run, draw_map, jigdo_file

WANTED = ("-t", "t.template", "-i", "new.iso")  # of an image that is not there
READERS = {
    "make-image": (*WANTED, "tree"),
    "print-missing": (*WANTED, "-j", "t.jigdo"),
    "verify": ("-t", "t.template", "-i", "old.iso"),
    "list-template": ("-t", "t.template"),
    "map": ("old.iso", "new.svg", "-t", "t.template"),
}
PAIR = ("-i", "old.iso", "-t", "new.template", "-j", "new.jigdo")


def run(command: str, *arguments: str, more: int = 0) -> Run:
    if command == "map":
        return draw_map(*arguments, cwd=Path.cwd(), more=more)
    return jigdo_file(command, *arguments, cwd=Path.cwd(), more=more)


def assert_refused(ended: Run, status: int, words: str) -> None:
    assert (ended.status, ended.errors) == (status, 1), ended.err
    assert words in ended.err
    assert ended.out == b""


def assert_made(ended: Run, image: bytes = IMAGE) -> None:
    assert ended.status == 0, ended.err
    assert Path("new.iso").read_bytes() == image
    assert not Path("new.iso").is_symlink()
    assert not os.path.lexists("new.iso.tmp")


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def unix_socket(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(path.name)  # the whole name may be too long for it


ODD_FILES = [
    pytest.param(make, id=make.__name__)
    for make in (fifo, folder, dangling, link_to_itself, link_to_zeros, unix_socket)
]
