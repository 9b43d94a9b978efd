"""Links that a mirror or another user has planted: nothing is read, written or removed through."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from hostile import IMAGE, ONE, TWO
from hostile_cases import JIGDO, NAME, TEMPLATE
from program import release_builder

from release_builder.monitor import Monitor
from release_builder.transport import Pull
from release_builder.transport.local import LocalMirror
from release_builder.transport.rsync import RsyncMirror

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from release_builder.transport import Transport

pytestmark = pytest.mark.interop

IMAGE_NAME = f"{NAME}.iso"
DESCRIPTOR = (
    "version: 1.0\narch: x86_64\nmirror: {}\nworkdir: .\n"
    "servers: {{Any: {{beta: 'http://h/b/', final: 'http://h/f/'}}}}\n"
)


def by_rsync(source: Path) -> Transport:
    return RsyncMirror(f"{source}/")


def without_rsync(source: Path) -> Transport:
    return LocalMirror(source)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=[by_rsync, without_rsync])
def open_mirror(request: pytest.FixtureRequest) -> Callable[[Path], Transport]:
    """What reads a folder as a mirror, with and without the rsync program."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder of the user's, with a file that nobody may touch."""
    folder = tmp_path / "victim"
    folder.mkdir()
    (folder / "a").write_bytes(b"precious")
    return folder


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A small release as a mirror has it."""
    root = tmp_path / "served"
    pair, tree = root / "iso/x86_64", root / "smeos/x86_64"
    pair.mkdir(parents=True)
    tree.mkdir(parents=True)
    (pair / "t.template").write_bytes(TEMPLATE)
    (pair / f"{NAME}.jigdo").write_text(JIGDO)
    (tree / "one").write_bytes(ONE)
    (tree / "two").write_bytes(TWO)
    return root


@pytest.fixture
def descriptor(served: Path, workdir: Path) -> Path:
    """Of that release."""
    path = workdir / "any.yaml"
    path.write_text(DESCRIPTOR.format(served))
    return path


def test_a_link_that_is_called_as_the_folder_of_what_is_held_back_does_not_come(
    tmp_path: Path, victim: Path, open_mirror: Callable[[Path], Transport]
) -> None:
    """rsync writes new files into a folder of that name, beside their place."""
    (tmp_path / "served/f").mkdir(parents=True)
    (tmp_path / "served/f/.~tmp~").symlink_to(victim)
    (tmp_path / "served/f/a").write_bytes(b"from the mirror")
    mirror, pull = open_mirror(tmp_path / "served"), Pull(tmp_path / "tree", ("f/",))

    mirror.pull(pull, Monitor())
    (tmp_path / "served/f/a").write_bytes(b"from the mirror, and new")
    mirror.pull(pull, Monitor())

    assert names(tmp_path / "tree/f") == ["a"]
    assert (tmp_path / "tree/f/a").read_bytes() == b"from the mirror, and new"
    assert (victim / "a").read_bytes() == b"precious"


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_stands_in_the_place_of_what_is_held_back_goes_and_stops_nobody(
    workdir: Path, descriptor: Path, victim: Path, kind: str
) -> None:
    held_back = workdir / "tree/smeos/x86_64/.~tmp~"
    held_back.parent.mkdir(parents=True)
    if kind == "link":
        held_back.symlink_to(victim)
    else:
        held_back.write_bytes(b"")

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 0, built.stderr
    assert (workdir / "image" / IMAGE_NAME).read_bytes() == IMAGE
    assert not os.path.lexists(held_back)
    assert (victim / "a").read_bytes() == b"precious"


@pytest.mark.parametrize("folder", ["tree/smeos/x86_64", "tree/smeos", "tree/iso/x86_64"])
def test_a_folder_of_the_tree_that_is_a_link_is_not_written_through(
    workdir: Path, descriptor: Path, victim: Path, folder: str
) -> None:
    (workdir / folder).parent.mkdir(parents=True)
    (workdir / folder).symlink_to(victim)

    built = release_builder("build", descriptor, cwd=workdir)

    assert names(victim) == ["a"]
    assert (victim / "a").read_bytes() == b"precious"
    assert built.status == 0, built.stderr
    assert not (workdir / folder).is_symlink()


def test_a_further_name_of_a_file_of_ours_is_not_written_through(
    tmp_path: Path, victim: Path, open_mirror: Callable[[Path], Transport]
) -> None:
    """A file of the tree is a hard link to something that its user has elsewhere."""
    (tmp_path / "served/f").mkdir(parents=True)
    (tmp_path / "served/f/a").write_bytes(b"from the mirror")
    (tmp_path / "tree/f").mkdir(parents=True)
    os.link(victim / "a", tmp_path / "tree/f/a")

    open_mirror(tmp_path / "served").pull(Pull(tmp_path / "tree", ("f/",)), Monitor())

    assert (tmp_path / "tree/f/a").read_bytes() == b"from the mirror"
    assert (victim / "a").read_bytes() == b"precious"


@pytest.mark.parametrize("place", ["image", "pair", "aside"])
def test_a_folder_of_the_workdir_that_leads_nowhere_is_told(
    workdir: Path, descriptor: Path, place: str
) -> None:
    (workdir / place).symlink_to(place)
    if place == "aside":
        (workdir / "image").mkdir()
        (workdir / "image" / IMAGE_NAME).write_bytes(b"another image")

    built = release_builder("build", descriptor, cwd=workdir)

    assert built.status == 3, built.stderr
    assert "Traceback" not in built.stderr
    assert f"{place}" in built.stderr


@pytest.mark.parametrize("name", [IMAGE_NAME, f"{IMAGE_NAME}.tmp", f"aside/{IMAGE_NAME}"])
def test_a_link_to_itself_stops_no_image_that_is_fetched(
    workdir: Path, served: Path, name: str
) -> None:
    for file in (served / "iso/x86_64").iterdir():
        shutil.copy(file, workdir)
    (workdir / name).parent.mkdir(exist_ok=True)
    (workdir / name).symlink_to((workdir / name).name)

    fetched = release_builder(
        "jigdo", "fetch", "--offline", "--scan", served, f"{NAME}.jigdo", cwd=workdir
    )

    if name.endswith(".tmp"):  # it may be that of another run: we do not know whose
        assert (fetched.status, fetched.stderr.count("error:")) == (3, 1), fetched.stderr
    else:
        assert fetched.status == 0, fetched.stderr
        assert (workdir / IMAGE_NAME).read_bytes() == IMAGE


@pytest.mark.parametrize("name", ["loop/below", "x" * 300, "../../any.yaml"])
def test_a_sums_file_that_names_what_is_no_file_here_changes_nothing(
    workdir: Path, served: Path, descriptor: Path, name: str
) -> None:
    (served / "iso/x86_64/loop").symlink_to("loop")
    (served / "iso/x86_64/md5sum.txt").write_text(f"{'0' * 32}  {name}\n")

    built = release_builder("build", descriptor, cwd=workdir)
    verified = release_builder("verify", descriptor, cwd=workdir)

    assert (built.status, verified.status) == (0, 0), built.stderr + verified.stderr
    assert (workdir / "image" / IMAGE_NAME).read_bytes() == IMAGE


def test_a_repository_that_is_a_link_to_itself_is_told(workdir: Path) -> None:
    (workdir / "repository").symlink_to("repository")

    verified = release_builder("images", "verify", "repository", cwd=workdir)

    assert verified.status == 2
    assert "repository is a link that leads to itself" in verified.stderr
