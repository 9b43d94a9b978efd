"""The jigdo-lite look-alike before a person: a terminal to read from and to write to."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer
from golden import GOLDEN, IMAGE, TREE
from test_cli_jigdo_lite_program import GOOD, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE = 60.0  # seconds until the program must have said something


class Terminal:
    """What a program shows, and what is typed.

    Attributes:
        seen: All that was shown.
    """

    def __init__(self, ours: int, running: subprocess.Popen[bytes]) -> None:
        self.seen = ""
        self.running = running
        self._ours = ours
        self._read = 0  # characters of ``seen`` that were waited for

    def wait_for(self, words: str) -> str:
        """What is shown until ``words`` come, and they."""
        return self._until(lambda: words in self.seen[self._read :], words)

    def type(self, line: str) -> None:
        os.write(self._ours, f"{line}\n".encode())

    def end(self) -> int:
        """The exit status of the program, when it has ended by itself."""
        self._until(lambda: self.running.poll() is not None, "its end")
        return self.running.wait()

    def _until(self, is_done: object, what: str) -> str:
        assert callable(is_done)
        last = time.monotonic() + _PATIENCE
        while not is_done():
            assert time.monotonic() < last, f"waited in vain for {what}:\n{self.seen}"
            if select.select([self._ours], [], [], 0.05)[0]:
                self.seen += os.read(self._ours, 4096).decode()
        shown, self._read = self.seen[self._read :], len(self.seen)
        return shown


@contextmanager
def terminal(here: Path, *arguments: str) -> Iterator[Terminal]:
    """Run the program in the folder ``here``; it is ended when the block is."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [*PROGRAM, *arguments], cwd=here, stdin=theirs, stdout=theirs, stderr=theirs
        ) as running:
            try:
                yield Terminal(ours, running)
            finally:
                running.kill()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.fixture
def tree(workdir: Path) -> Path:
    """A folder that has one of the two parts, of three runs."""
    folder = workdir / "tree"
    folder.mkdir()
    (folder / "a.txt").write_bytes(TREE["a.txt"])
    return folder


@pytest.fixture
def server() -> Iterator[BadServer]:
    with BadServer({f"/os/{name}": content for name, content in TREE.items()}) as running:
        yield running


@pytest.fixture
def here(workdir: Path, server: BadServer) -> Path:
    """A folder with a pair."""
    folder = workdir / "here"
    folder.mkdir()
    text = (GOLDEN / "md5.jigdo").read_text()
    (folder / "cd.jigdo").write_text(text.replace("http://mirror.example", server.url))
    (folder / "md5.template").write_bytes((GOLDEN / "md5.template").read_bytes())
    return folder


def test_a_person_is_led_to_the_image(here: Path, tree: Path, server: BadServer) -> None:
    with terminal(here) as screen:
        screen.wait_for("jigdo: ")
        screen.type("cd.jigdo")
        asked = screen.wait_for("Files to scan: ")
        screen.type(str(tree))
        found = screen.wait_for("Files to scan: ")
        screen.type("")
        screen.wait_for(GOOD)

        assert screen.end() == 0

    assert "  1: image.bin\r\n" in asked
    assert "numbers" not in asked
    assert "Found 2 of the 3 files required by the template" in found
    assert f"  1: {tree}\r\n" in found
    assert "Found 3 of the 3 files required by the template" in screen.seen
    assert (here / "image.bin").read_bytes() == IMAGE
    assert [request.path for request in server.requests] == ["/os/b%20c%23.bin"]


def test_what_was_typed_is_shown_once(here: Path, tree: Path) -> None:
    with terminal(here, "cd.jigdo") as screen:
        screen.wait_for("Files to scan: ")
        screen.type(str(tree))
        screen.wait_for("Files to scan: ")

        assert f"Files to scan: {tree}\r\n" in screen.seen
        assert f"{tree}\r\n{tree}" not in screen.seen


def test_the_same_place_twice_is_told(here: Path, tree: Path) -> None:
    with terminal(here, "cd.jigdo") as screen:
        screen.wait_for("Files to scan: ")
        screen.type(str(tree))
        screen.wait_for("Files to scan: ")
        screen.type("1")

        told = screen.wait_for("Files to scan: ")

    assert "looked through already" in told
    assert "Found" not in told


def test_missing_parts_are_asked_for_again_as_often_as_wanted(
    here: Path, server: BadServer
) -> None:
    content = server.content.pop("/os/a.txt")
    with terminal(here, "--scan=.", "cd.jigdo") as screen:
        screen.wait_for("Ctrl-C to stop: ")
        screen.type("")
        screen.wait_for("Ctrl-C to stop: ")
        server.content["/os/a.txt"] = content
        screen.type("")

        assert screen.end() == 0

    assert screen.seen.count("missing: a.txt") == 2
    assert (here / "image.bin").read_bytes() == IMAGE


def test_nobody_is_asked_to_try_again_with_noask(here: Path, server: BadServer) -> None:
    del server.content["/os/a.txt"]
    with terminal(here, "--noask", "cd.jigdo") as screen:
        assert screen.end() == 1


def test_of_several_images_none_waits_for_an_answer(here: Path, server: BadServer) -> None:
    del server.content["/os/a.txt"]
    with terminal(here, "--scan=.", "cd.jigdo", "cd.jigdo") as screen:
        assert screen.end() == 1


def test_the_end_of_input_takes_the_defaults(here: Path) -> None:
    with terminal(here, "cd.jigdo") as screen:
        screen.wait_for("Files to scan: ")
        screen.type("\x04")

        assert screen.end() == 0

    assert (here / "image.bin").read_bytes() == IMAGE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_question_may_be_left(here: Path, number: signal.Signals) -> None:
    with terminal(here, "cd.jigdo") as screen:
        screen.wait_for("Files to scan: ")
        screen.running.send_signal(number)

        assert screen.end() == 130

    assert "\r\njigdo-lite: interrupted: " in screen.seen
    assert "Traceback" not in screen.seen
    assert not (here / "image.bin").exists()


def test_control_characters_of_others_do_not_reach_the_terminal(here: Path) -> None:
    text = (here / "cd.jigdo").read_text()
    (here / "cd.jigdo").write_text(
        text.replace("\n[Servers]", "\n[Image]\nFilename=\x1b[2J\n[Servers]")
    )
    with terminal(here, "--scan=.", "cd.jigdo") as screen:
        screen.wait_for("Number of image to download [1]: ")
        screen.type("")
        assert screen.end() == 0

    assert "  2: \\x1b[2J\r\n" in screen.seen
    assert "\x1b[2J" not in screen.seen
