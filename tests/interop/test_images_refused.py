"""``images update`` keeps and tells nothing of a file that is no image."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from image_builder import NAMES, make_images
from image_repository import SERIES, make_repository
from repository_client import rdiff_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from image_repository import Repository

pytestmark = pytest.mark.interop

SECRET = b"nobody should be told of this\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """The images are there, the repository is still to be made."""
    return make_repository(tmp_path / "a place", *NAMES[:3])


def link_to_a_secret(image: Path) -> None:
    secret = image.parent.parent / "secret"
    secret.write_bytes(SECRET)
    image.unlink()
    image.symlink_to(secret)


def break_inside(image: Path) -> None:
    """The superblock stays: only unsquashfs finds out."""
    content = image.read_bytes()
    image.write_bytes(content[:96] + SECRET + bytes(len(content) - 96 - len(SECRET)))


@pytest.mark.parametrize("spoil", [link_to_a_secret, break_inside])
def test_of_what_is_no_image_nothing_is_kept(
    repository: Repository, spoil: Callable[[Path], None]
) -> None:
    spoil(repository.images / NAMES[1])

    ended = repository.update()

    assert ended.status == 2
    assert NAMES[1] in ended.messages()
    there, back = rdiff_name(NAMES[0], NAMES[2]), rdiff_name(NAMES[2], NAMES[0])
    assert repository.named() == {NAMES[0], NAMES[2], there, back}
    assert {path.name for path in (repository.mirror / "rdiffs").iterdir()} == {there, back}
    files = [path for path in repository.mirror.rglob("*") if path.is_file()]
    assert [path for path in files if SECRET in path.read_bytes()] == []


def test_what_is_no_image_is_no_source_either(repository: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "puavo-os/config/images"
    folder.mkdir(parents=True)
    (folder / "buster.json").write_text(
        f'{{"{SERIES}": {{"images": ["{NAMES[0]}"],'
        f' "extra_rdiffs": {{"{NAMES[0]}": ["{NAMES[1]}", "{NAMES[2]}"]}}}}}}'
    )
    link_to_a_secret(repository.images / NAMES[1])

    ended = repository.update("-n", "-p", tmp_path / "puavo-os")

    assert ended.status == 2
    assert repository.named() == {NAMES[0], rdiff_name(NAMES[2], NAMES[0])}


def test_a_link_to_an_image_elsewhere_is_served_as_the_image(repository: Repository) -> None:
    elsewhere = repository.folder / "elsewhere"
    (image,) = make_images(elsewhere, NAMES[3])
    (repository.images / NAMES[3]).symlink_to(image)

    ended = repository.update()

    assert ended.status == 0
    assert not (repository.mirror / NAMES[3]).is_symlink()
    assert repository.served()[NAMES[3]] == image.read_bytes()


@pytest.mark.parametrize(
    ("program", "moment", "mischief"),
    [
        pytest.param("unsquashfs", "-lls", "rm -f {}", id="removed while it is looked into"),
        pytest.param("rdiff", "signature", "rm -f {}", id="removed while it is signed"),
        pytest.param("rdiff", "delta", "rm -f {}", id="removed while rdiffs are made"),
        pytest.param(
            "rdiff",
            "delta",
            "touch -r {0} ./then; printf X | dd of={0} conv=notrunc seek=9000 bs=1; touch -r ./then {0}",
            id="changed but for its time",
        ),
    ],
)
def test_an_image_that_changes_during_the_run_is_to_blame(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    moment: str,
    mischief: str,
) -> None:
    changed = repository.images / NAMES[1]
    fake = repository.folder / "programs" / program
    fake.parent.mkdir()
    what = mischief.format(f"'{changed}'")
    real = shutil.which(program)
    fake.write_text(
        f'#!/bin/sh\ncase "$*" in *{moment}*) {{ {what}; }} >&2 ;; esac\nexec {real} "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")

    ended = repository.update()

    assert ended.status == 1, ended.messages()
    assert f"{changed} " in ended.messages()
    assert "unfinished" not in ended.messages()

    fake.unlink()
    make_images(repository.images, NAMES[1])
    assert repository.update().status == 0
    assert repository.verify().status == 0


def test_a_mirror_that_cannot_be_written_is_told_without_a_word_of_workdirs(
    repository: Repository,
) -> None:
    (repository.mirror / ".release-builder" / "lock").mkdir(parents=True)

    ended = repository.update()

    assert ended.status == 3
    assert "name another MIRROR_DIR" in ended.stdout
    assert "--workdir" not in ended.stdout
