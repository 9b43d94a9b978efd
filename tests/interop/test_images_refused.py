"""``images update`` keeps and tells nothing of a file that is no image."""

from __future__ import annotations

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
