"""``images update --scheduler``: many machines make the same bytes as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dask_cluster import dask_cluster
from image_builder import NAMES, make_images
from image_repository import make_repository

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop


def test_a_cluster_makes_the_same_bytes(tmp_path: Path) -> None:
    here, there = make_repository(tmp_path / "here"), make_repository(tmp_path / "there")
    here.update()

    with dask_cluster(tmp_path, memory=1 << 30) as cluster:
        ended = there.update("--scheduler", cluster.address)
        again = there.update("--scheduler", cluster.address)

    assert ended.status == 0, ended.stdout
    assert ended.counts("rdiffs")["rdiffs_new"] == 9
    assert set(again.outcomes().values()) == {"unchanged"}
    assert there.served() == here.served()
    assert there.verify().status == 0


def test_a_scheduler_that_is_not_there_leaves_what_is_served(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "here", *NAMES[:2])
    repository.update()
    make_images(repository.images, NAMES[2])
    before = repository.served()

    ended = repository.update("--scheduler", "tcp://127.0.0.1:9")

    assert ended.status == 3
    assert repository.served() == before
