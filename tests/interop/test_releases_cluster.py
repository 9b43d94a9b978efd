"""``--scheduler``: several releases on a cluster, each by one machine, with the same bytes."""

from __future__ import annotations

import filecmp
from typing import TYPE_CHECKING

import pytest
from builders import Mirror, next_release
from dask_cluster import dask_cluster
from program import release_builder

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop


@pytest.fixture
def descriptors(mirror: Mirror, workdir: Path) -> list[Path]:
    """Two releases, and one that is wrong."""
    releases = {"beta3": mirror.release, "beta4": next_release(mirror.release)}
    paths = []
    for name, release in releases.items():
        path = workdir / f"{name}.yaml"
        path.write_text(f"{Mirror(release, mirror.url).descriptor}workdir: {name}\n")
        paths.append(path)
    return paths


def images(descriptors: list[Path], mirror: Mirror) -> list[bool]:
    right = []
    for path in descriptors:
        (image,) = (path.parent / path.stem / "image").glob("*.iso")
        wanted = mirror.release.folder / "image" / image.name
        right.append(filecmp.cmp(image, wanted, shallow=False))
    return right


def test_releases_are_built_by_the_machines_of_a_cluster(
    descriptors: list[Path], mirror: Mirror, workdir: Path, tmp_path: Path
) -> None:
    with dask_cluster(tmp_path, workers=2) as cluster:
        built = release_builder(
            "build", "--json", "--scheduler", cluster.address, *descriptors, cwd=workdir
        )
        again = release_builder(
            "build", "--json", "--scheduler", cluster.address, *descriptors, cwd=workdir
        )

    assert built.status == 0, built.stderr
    assert [release["version"] for release in built.document["releases"]] == [
        "9.0beta3",
        "9.0beta4",
    ]
    assert images(descriptors, mirror) == [True, True]
    assert set(again.outcomes().values()) == {"unchanged"}


def test_a_cluster_refreshes_in_silence_and_names_what_is_wrong(
    descriptors: list[Path], mirror: Mirror, workdir: Path, tmp_path: Path
) -> None:
    wrong = workdir / "wrong.yaml"
    wrong.write_text("version: 9.0bta3\n")

    with dask_cluster(tmp_path, workers=2) as cluster:
        refresh = ("refresh", "--no-splay", "--scheduler", cluster.address)
        good = release_builder(*refresh, *descriptors, cwd=workdir)
        bad = release_builder(*refresh, *descriptors, wrong, cwd=workdir)

    assert (good.status, good.stdout, good.stderr) == (0, "", "")
    assert images(descriptors, mirror) == [True, True]
    assert bad.status == 2
    assert bad.stderr.count("could not be refreshed") == 1
    assert "wrong.yaml:1:10" in bad.stderr


def test_a_cluster_that_is_not_there_is_named(descriptors: list[Path], workdir: Path) -> None:
    ended = release_builder("build", "--scheduler", "tcp://127.0.0.1:9", *descriptors, cwd=workdir)

    assert ended.status == 3
    assert "the scheduler tcp://127.0.0.1:9 does not answer" in ended.stderr
