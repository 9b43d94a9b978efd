"""A link that another user planted in MIRROR_DIR leads nobody to write or delete elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest
from image_builder import NAMES
from image_repository import make_repository
from own_mounts import need_root
from program import release_builder

if TYPE_CHECKING:
    from pathlib import Path

    from image_repository import Repository
    from program import Ended

pytestmark = pytest.mark.interop

NOBODY: Final = 65534
PLACES: Final = [
    *(pytest.param((), name, id=name) for name in ("mirror", "mirror/rdiffs", "mirror/meta")),
    pytest.param((), "mirror/.release-builder", id="work"),
    pytest.param((), "mirror/.release-builder/deltas", id="in work"),
    pytest.param(("--generations",), ".mirror", id="generations"),
]


def plant(repository: Repository, name: str, owner: int) -> tuple[Path, Path]:
    """Put a link of ``owner`` in the place of the folder ``name``, which moves.

    Returns:
        The link, and where it leads to.
    """
    link, elsewhere = repository.folder / name, repository.folder / "elsewhere"
    link.rename(elsewhere)
    link.symlink_to(elsewhere)
    os.lchown(link, owner, -1)
    return link, elsewhere


def state_of(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """All below ``folder``, and what changes with any write."""
    found = {path: path.lstat() for path in folder.rglob("*")}
    return {path: (each.st_ino, each.st_size, each.st_mtime_ns) for path, each in found.items()}


def all_that_write(repository: Repository) -> dict[str, Ended]:
    push = ("images", "push", "--json", repository.mirror, repository.folder / "target")
    return {
        "update": repository.update(),
        "clean": repository.clean("--grace", "0h"),
        "push": release_builder(*push, cwd=repository.folder),
    }


@pytest.mark.parametrize(("options", "name"), PLACES)
def test_a_link_of_another_user_is_refused_before_anything_is_written(
    tmp_path: Path, options: tuple[str, ...], name: str
) -> None:
    need_root()
    repository = make_repository(tmp_path, *NAMES[:2])
    assert repository.update(*options).status == 0
    link, _ = plant(repository, name, NOBODY)
    (repository.images / NAMES[0]).unlink()  # there would be something to do
    before = state_of(tmp_path)

    ended = all_that_write(repository)

    assert {command: each.status for command, each in ended.items()} == dict.fromkeys(ended, 3)
    for each in ended.values():
        assert f"{link} is a link that user nobody made" in each.messages()
    assert state_of(tmp_path) == before


@pytest.mark.parametrize("name", ["mirror", "mirror/rdiffs", "mirror/meta"])
def test_a_link_of_ones_own_is_followed(tmp_path: Path, name: str) -> None:
    repository = make_repository(tmp_path, *NAMES[:2])
    assert repository.update().status == 0
    link, elsewhere = plant(repository, name, os.geteuid())
    (repository.images / NAMES[0]).unlink()
    before = state_of(elsewhere)

    ended = all_that_write(repository)

    assert {each.status for each in ended.values()} == {0}
    assert link.is_symlink()
    assert state_of(elsewhere) != before
    assert repository.verify().status == 0


def test_a_link_of_another_user_may_be_read_through(tmp_path: Path) -> None:
    need_root()
    repository = make_repository(tmp_path, *NAMES[:2])
    assert repository.update().status == 0
    plant(repository, "mirror/rdiffs", NOBODY)

    assert repository.verify().status == 0


def test_a_repository_is_not_pushed_through_a_link_of_another_user(tmp_path: Path) -> None:
    need_root()
    repository = make_repository(tmp_path, *NAMES[:2])
    assert repository.update().status == 0
    target, elsewhere = tmp_path / "target", tmp_path / "elsewhere"
    (elsewhere / "rdiffs").mkdir(parents=True)
    (elsewhere / "rdiffs/a--b.rdiff").touch()
    target.symlink_to(elsewhere)
    os.lchown(target, NOBODY, -1)
    before = state_of(elsewhere)

    ended = release_builder("images", "push", "--json", repository.mirror, target, cwd=tmp_path)

    assert ended.status == 3
    assert f"{target} is a link that user nobody made" in ended.messages()
    assert state_of(elsewhere) == before
