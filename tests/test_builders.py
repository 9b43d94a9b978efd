"""The builders make what the tests believe they make: other programs rebuild the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import Pair, jigdo_file_pair, make_image, make_tree, run, xorriso_image_with_pair

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

KINDS = [
    pytest.param(algorithm, compression, id=f"{algorithm}-{compression}")
    for algorithm in ("md5", "sha256")
    for compression in ("gzip", "bzip2")
]


def rebuilt(pair: Pair, tree: Path, image: Path) -> bytes:
    run(
        *("jigdo-file", "make-image", "--no-cache", "--report=quiet", f"--image={image}"),
        *(f"--jigdo={pair.jigdo}", f"--template={pair.template}", str(tree)),
    )
    return image.read_bytes()


@pytest.mark.parametrize(("algorithm", "compression"), KINDS)
def test_jigdo_file_rebuilds_an_image_from_its_own_pair(
    workdir: Path, algorithm: str, compression: str
) -> None:
    tree = make_tree(workdir / "tree")
    image = make_image(tree, workdir / "image.iso")

    pair = jigdo_file_pair(
        image, tree, workdir / "pair", algorithm=algorithm, compression=compression
    )

    assert rebuilt(pair, tree, workdir / "rebuilt.iso") == image.read_bytes()
    assert "Mirror:Packages/large-1.0-1.x86_64.rpm" in pair.jigdo.read_text()


@pytest.mark.parametrize(("algorithm", "compression"), KINDS)
def test_jigdo_file_rebuilds_an_image_from_the_pair_of_xorriso(
    workdir: Path, algorithm: str, compression: str
) -> None:
    tree = make_tree(workdir / "tree")

    pair = xorriso_image_with_pair(
        tree, workdir / "pair", algorithm=algorithm, compression=compression
    )

    assert rebuilt(pair, tree, workdir / "rebuilt.iso") == pair.image.read_bytes()
    assert "Mirror:Packages/large-1.0-1.x86_64.rpm" in pair.jigdo.read_text()


def test_trees_and_images_come_out_the_same_each_time(workdir: Path) -> None:
    first = make_image(make_tree(workdir / "a"), workdir / "a.iso")

    second = make_image(make_tree(workdir / "b"), workdir / "b.iso")

    assert first.read_bytes() == second.read_bytes()


def test_the_large_file_is_the_reason_for_a_small_template(workdir: Path) -> None:
    tree = make_tree(workdir / "tree")
    image = make_image(tree, workdir / "image.iso")

    pair = jigdo_file_pair(image, tree, workdir / "pair")

    assert pair.template.stat().st_size < 20_000
