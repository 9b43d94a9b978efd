"""Modes that a mirror gives its files, and places that are not what they should be."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest
from hostile import IMAGE, ONE, TWO
from hostile_cases import JIGDO, NAME, TEMPLATE
from program import PROGRAM, release_builder

from release_builder.monitor import Monitor
from release_builder.transport import Pull
from release_builder.transport.local import LocalMirror
from release_builder.transport.rsync import RsyncMirror

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from release_builder.transport import Transport

pytestmark = pytest.mark.interop


def by_rsync(source: Path) -> Transport:
    return RsyncMirror(f"{source}/")


def without_rsync(source: Path) -> Transport:
    return LocalMirror(source)


@pytest.fixture(params=[by_rsync, without_rsync])
def open_mirror(request: pytest.FixtureRequest) -> Callable[[Path], Transport]:
    """What reads a folder as a mirror, with and without the rsync program."""
    return request.param  # type: ignore[no-any-return]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_mirror_gives_nobody_more_rights_here(
    workdir: Path, open_mirror: Callable[[Path], Transport]
) -> None:
    """No program of it runs as our user, and nobody else writes in our tree."""
    served = workdir / "served"
    (served / "folder").mkdir(parents=True)
    (served / "folder/program").write_bytes(b"#!/bin/sh\n")
    (served / "folder/program").chmod(0o6777)
    (served / "folder").chmod(0o3777)
    mirror, pull = open_mirror(served), Pull(workdir / "tree", ("folder/",))

    mirror.pull(pull, Monitor())
    again = mirror.preview(pull, Monitor())

    assert mode(workdir / "tree/folder/program") == 0o775
    assert mode(workdir / "tree/folder") == 0o775
    assert not again.changes


def test_rights_that_a_mirror_once_gave_are_taken_away(
    workdir: Path, open_mirror: Callable[[Path], Transport]
) -> None:
    """By a version of ours that copied all of them."""
    for folder in ("served/folder", "tree/folder"):
        (workdir / folder).mkdir(parents=True)
        program = workdir / folder / "program"
        program.write_bytes(b"#!/bin/sh\n")
        program.chmod(0o4757)
        os.utime(program, (0, 0))

    open_mirror(workdir / "served").pull(Pull(workdir / "tree", ("folder/",)), Monitor())

    assert mode(workdir / "tree/folder/program") == 0o755


ENDLESS = 1 << 40  # bytes of a file without any that takes no room; all of it is never read in time


def fifo(path: Path) -> None:
    os.mkfifo(path)


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def hole(path: Path) -> None:
    with path.open("wb") as out:
        out.truncate(ENDLESS)


def folder(path: Path) -> None:
    path.mkdir()


@pytest.fixture
def release(workdir: Path) -> Path:
    """A release that was built, in the workdir."""
    pair, tree = workdir / "tree/iso/x86_64", workdir / "tree/smeos/x86_64"
    for each in (pair, tree, workdir / "image"):
        each.mkdir(parents=True)
    (pair / "t.template").write_bytes(TEMPLATE)
    (pair / f"{NAME}.jigdo").write_text(JIGDO)
    (tree / "one").write_bytes(ONE)
    (tree / "two").write_bytes(TWO)
    (workdir / "image" / f"{NAME}.iso").write_bytes(IMAGE)
    (workdir / "any.yaml").write_text(
        "version: 1.0\narch: x86_64\nmirror: none/\nworkdir: .\n"
        "servers: {Any: {beta: 'http://h/b/', final: 'http://h/f/'}}\n"
    )
    return workdir


BUILD = ("build", "--offline", "any.yaml")
VERIFY = ("verify", "any.yaml")


@pytest.mark.parametrize("make", [fifo, zeros, hole, folder])
@pytest.mark.parametrize(
    ("place", "arguments", "statuses"),
    [
        pytest.param("any.yaml", ("validate", "any.yaml"), {2}, id="descriptor"),
        pytest.param(f"tree/iso/x86_64/{NAME}.jigdo", BUILD, {2}, id="jigdo"),
        pytest.param("own.jigdo", ("jigdo", "fetch", "own.jigdo"), {2}, id="jigdo to fetch"),
        pytest.param("tree/iso/x86_64/t.template", BUILD, {1, 2}, id="template"),
        pytest.param("tree/smeos/x86_64/one", VERIFY, {0, 2}, id="part"),
        pytest.param("image/SHA256SUMS", VERIFY, {0}, id="sums"),
        pytest.param(f"image/{NAME}.iso.partial", BUILD, {0}, id="unfinished"),
        pytest.param(".lock", BUILD, {0, 3}, id="lock"),
        pytest.param("../state/digests.sqlite", BUILD, {0, 3}, id="digests"),
        pytest.param("../state/history.sqlite", BUILD, {0}, id="history"),
    ],
)
def test_what_is_no_file_or_has_no_end_is_neither_waited_for_nor_read(
    release: Path,
    place: str,
    arguments: tuple[str, ...],
    statuses: set[int],
    make: Callable[[Path], None],
) -> None:
    path = release / place
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)

    ended = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=release,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )

    assert ended.returncode in statuses, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.returncode == 0 or ended.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(f"={NAME}.iso", "=-o.iso", id="image that reads as an option"),
        pytest.param("=t.template", "=-t.template", id="template that reads as an option"),
        pytest.param(f"={NAME}.iso", f"={NAME.upper()}.JIGDO", id="image, case folded"),
        pytest.param(f"={NAME}.iso", "=T.Template", id="image like its template, case folded"),
    ],
)
def test_names_that_some_places_or_programs_take_for_others_are_refused(
    release: Path, old: str, new: str
) -> None:
    jigdo = release / f"{NAME}.jigdo"
    jigdo.write_text(JIGDO.replace(old, new))
    (release / "t.template").write_bytes(TEMPLATE)
    (release / "-t.template").write_bytes(TEMPLATE)
    before = sorted(release.iterdir())

    fetched = release_builder(
        "jigdo", "fetch", "--offline", "--scan", "tree", jigdo.name, cwd=release
    )

    assert (fetched.status, fetched.stderr.count("error:")) == (2, 1), fetched.stderr
    assert sorted(release.iterdir()) == before
