"""Laptops that update from what ``images update`` made and ``images serve`` serves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from image_builder import NAMES
from image_repository import SERIES, make_repository
from repository_client import Client, NoUpdateError, rdiff_name

from release_builder.api.repositories import serve_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from image_repository import Repository

pytestmark = pytest.mark.interop


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of four images."""
    repository = make_repository(tmp_path / "here")
    assert repository.update().status == 0
    return repository


@pytest.fixture
def laptop(repository: Repository, tmp_path: Path) -> Iterator[Client]:
    """A client that has all images, but asks for them under another name."""
    folder = tmp_path / "laptop"
    folder.mkdir()
    with serve_repository(repository.mirror) as url:
        yield Client(folder, url, [SERIES])


def give(laptop: Client, repository: Repository, name: str) -> None:
    """Let a laptop have an image."""
    (laptop.folder / name).write_bytes((repository.images / name).read_bytes())


@pytest.mark.parametrize("current", range(4))
@pytest.mark.parametrize("wanted", range(1, 4))
def test_from_any_image_to_any_of_the_last_three(
    repository: Repository, laptop: Client, current: int, wanted: int
) -> None:
    if current == wanted:
        wanted = (wanted + 1) % 3 + 1
    give(laptop, repository, NAMES[current])

    how = laptop.update(NAMES[current], NAMES[wanted])

    assert how == "rdiff"
    same = (repository.images / NAMES[wanted]).read_bytes()
    assert (laptop.folder / NAMES[wanted]).read_bytes() == same


def test_to_an_older_one_it_takes_the_whole_image(repository: Repository, laptop: Client) -> None:
    give(laptop, repository, NAMES[3])

    how = laptop.update(NAMES[3], NAMES[0])

    assert how == "image"


@pytest.mark.parametrize("damage", ["gone", "rotten"])
def test_without_a_right_rdiff_it_takes_the_whole_image(
    repository: Repository, laptop: Client, damage: str
) -> None:
    give(laptop, repository, NAMES[0])
    rdiff = repository.mirror / "rdiffs" / rdiff_name(NAMES[0], NAMES[3])
    content = rdiff.read_bytes()
    rdiff.unlink()
    if damage == "rotten":
        rdiff.write_bytes(os.urandom(len(content)))

    how = laptop.update(NAMES[0], NAMES[3])

    assert how == "image"
    assert laptop.asked == [f"meta/{SERIES}.json", f"rdiffs/{rdiff.name}", NAMES[3]]


def test_a_wrong_image_is_never_taken(repository: Repository, laptop: Client) -> None:
    image = repository.mirror / NAMES[3]
    size = image.stat().st_size
    image.unlink()
    image.write_bytes(os.urandom(size))

    with pytest.raises(NoUpdateError, match="not what meta says"):
        laptop.update(NAMES[0], NAMES[3])

    assert not (laptop.folder / NAMES[3]).exists()


def test_a_laptop_that_was_fetching_when_the_image_was_dropped_still_gets_it(
    repository: Repository, laptop: Client
) -> None:
    give(laptop, repository, NAMES[0])
    meta = repository.mirror / f"meta/{SERIES}.json"
    before = meta.read_bytes()
    (repository.images / NAMES[3]).unlink()
    repository.update()
    repository.clean()
    meta.unlink()
    meta.write_bytes(before)  # it read meta before the run

    assert laptop.update(NAMES[0], NAMES[3]) == "rdiff"
