"""What others planted in the public root: found before anything is made, here or elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from publishing import Publisher, publisher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop


@pytest.fixture
def manager(workdir: Path) -> Iterator[Publisher]:
    with publisher(workdir) as made:
        yield made


def link_out(path: Path) -> None:
    path.symlink_to(path.parent.parent / "elsewhere")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        pytest.param("index.json", os.mkfifo, id="index, FIFO"),
        pytest.param("index.json", os.mkdir, id="index, folder"),
        pytest.param("index.json", link_out, id="index, link"),
        pytest.param(".release-builder", link_out, id="folder of the lock, link"),
    ],
)
def test_what_is_in_the_way_of_the_index_is_told_before_anything_is_made(
    manager: Publisher, small_release: Release, name: str, make: Callable[[Path], None]
) -> None:
    descriptor = manager.prepare(small_release)
    elsewhere = manager.root.parent / "elsewhere"
    elsewhere.mkdir()
    make(manager.root / name)
    before = sorted(manager.root.rglob("*"))

    ended = manager("publish", descriptor)

    assert ended.status == 2
    assert name in ended.stderr
    assert "remove it" in ended.stderr
    assert sorted(manager.root.rglob("*")) == before
    assert list(elsewhere.iterdir()) == []


def test_a_page_of_the_index_that_is_no_file_stays_and_that_is_told(
    manager: Publisher, small_release: Release
) -> None:
    descriptor = manager.prepare(small_release)
    os.mkfifo(manager.root / "index.html")

    ended = manager("publish", descriptor)

    assert ended.status == 0, ended.stderr
    assert "index.html in the public root is not ours and stays" in ended.stderr + ended.stdout
    assert (manager.root / "index.html").is_fifo()
