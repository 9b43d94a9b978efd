"""Trees of odd files, and trees and images that change while they are read."""

from __future__ import annotations

import os
import random
import socket
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import noise
from hostile import ONE, TWO, UNPRIVILEGED, jigdo_file, md5
from hostile_pairs import (
    PAIR,
    READERS,
    assert_made,
    dangling,
    fifo,
    link_to_itself,
    link_to_zeros,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.interop


@pytest.fixture
def odd_tree(work: Path) -> Path:
    """Files of odd names between all that is no file; some folders are too deep for a path."""
    tree = work / "tree"
    for make in (fifo, dangling, link_to_itself, link_to_zeros):
        make(tree / make.__name__)
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind("tree/socket")
    (tree / "loop").symlink_to(".")
    (tree / "above").symlink_to("../tree")
    (tree / "memory").symlink_to("/proc/self/mem")
    for name in (b"\xff\r", b"\x1b[31m", b" '\"\\#", b"-rf"):
        (tree / os.fsdecode(name)).write_bytes(noise(3000, name))
    at = os.open(tree, os.O_RDONLY)
    for _ in range(21):
        os.mkdir("d" * 200, dir_fd=at)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("deep", os.O_WRONLY | os.O_CREAT, dir_fd=at))
    os.close(at)
    return tree


@pytest.mark.parametrize("command", ["md5sum", "scan"])
def test_all_files_of_an_odd_tree_are_found_once(odd_tree: Path, command: str) -> None:
    ended = run(command, "tree")

    assert ended.status == 0
    assert ended.out.count(b"\n") == (6 if command == "md5sum" else 0)
    # The folder that is too deep and two links that lead nowhere, each told once.
    assert ended.errors == 3, ended.err


def test_a_pair_of_an_odd_tree_gives_the_image_back(odd_tree: Path) -> None:
    image = b"".join(path.read_bytes() for path in sorted(odd_tree.iterdir()) if _is_plain(path))
    Path("old.iso").write_bytes(image)

    made = run("make-template", *PAIR, "tree//")
    rebuilt = run("make-image", "-t", "new.template", "-i", "new.iso", "tree")

    assert made.status == 0, made.err
    assert "17,000 are in 5 files" in made.err  # the smallest is spared: see make_template
    assert_made(rebuilt, image)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def test_a_name_with_a_line_feed_is_told_and_left_out(work: Path) -> None:
    name = f"a\n{md5(b'').jigdo}=http://evil/"
    Path("tree", name).mkdir(parents=True)
    Path("tree", name, "x").write_bytes(noise(3000))
    Path("old.iso").write_bytes(noise(3000) + ONE)

    made = run("make-template", *PAIR, "--match=content", "tree//")
    rebuilt = run("make-image", "-t", "new.template", "-i", "new.iso", "tree")

    assert (made.status, made.errors) == (0, 1), made.err
    assert f"tree/a\\x0a{md5(b'').jigdo}=" in made.err
    assert b"evil" not in Path("new.jigdo").read_bytes()
    assert_made(rebuilt, noise(3000) + ONE)


def test_unreadable_folders_and_files_are_told_and_passed_over(work: Path) -> None:
    for name in ("tree/locked", "tree/closed"):
        Path(name).mkdir()
        Path(name, "one").write_bytes(ONE)
    Path("tree/secret").write_bytes(TWO)
    Path("tree/locked").chmod(0)
    Path("tree/closed").chmod(0o400)  # may be listed, not entered
    Path("tree/secret").chmod(0)

    ended = jigdo_file("md5sum", "tree", cwd=work, before=UNPRIVILEGED)
    made = jigdo_file("mi", *READERS["make-image"], "-r", "quiet", cwd=work, before=UNPRIVILEGED)

    assert ended.status == 0
    assert ended.out.count(b"\n") == 2
    assert ended.errors == 3, ended.err
    assert_made(made)
    assert made.errors == 3, made.err
    assert "tree/secret: Permission denied" in made.err


@pytest.fixture
def restless(work: Path) -> Iterator[Path]:
    """A file of 2 to 4 MB that grows, shrinks and changes all the time."""
    path = work / "tree/restless"
    path.write_bytes(noise(4 << 20))
    stopped = threading.Event()

    def change() -> None:
        chance = random.Random(0)
        with path.open("r+b", buffering=0) as out:
            while not stopped.is_set():
                os.truncate(path, chance.randrange(2 << 20, 4 << 20))
                out.seek(chance.randrange(4 << 20))
                out.write(noise(5000))

    changing = threading.Thread(target=change)
    changing.start()
    yield path
    stopped.set()
    changing.join()


def test_a_tree_that_changes_meanwhile_does_no_harm(restless: Path) -> None:
    """Whatever the pair says of that file, the parts that are right give the image back."""
    image = noise(4 << 20) + ONE
    Path("old.iso").write_bytes(image)
    Path("tree/copy").write_bytes(noise(4 << 20))

    made = run("make-template", *PAIR, "tree")
    rebuilt = run("make-image", "-t", "new.template", "-i", "new.iso", "tree")
    summed = run("md5sum", "tree")

    assert made.status == 0, made.err
    assert_made(rebuilt, image)
    assert summed.status == 0, summed.err


def test_an_image_that_changes_meanwhile_is_never_taken_for_right(restless: Path) -> None:
    ended = run("make-template", "-i", "tree/restless", *PAIR[2:], "-r", "quiet", "tree/one")
    verified = run("verify", "-i", "tree/restless", "-t", "t.template")

    assert ended.status in {0, 1, 3}
    assert ended.errors <= 2
    assert verified.status == 2
