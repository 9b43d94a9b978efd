"""``release-builder pair``: the pair of an image that is there."""

from __future__ import annotations

import filecmp
import shutil
from typing import TYPE_CHECKING

import pytest
from builders import make_image, run
from program import release_builder

from release_builder.jigdo.location import parse_jigdo

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop

NAME = "smeserver-9.0beta3-x86_64"
DESCRIPTOR = """version: 9.0beta3
arch: x86_64
mirror: stage
workdir: work
publish:
  root: public
  url: http://127.0.0.1:8/releases/
  mirrors: http://127.0.0.1:9/copy/
servers:
  SMEmirror:
    beta: http://127.0.0.1:8/releases/testing/{version}/smeos/{arch}/
    final: http://127.0.0.1:8/releases/{major}/smeos/{arch}/
"""


@pytest.fixture
def descriptor(workdir: Path, small_release: Release) -> Path:
    """With an image and the tree that it was made from, ``stage/smeos/x86_64``."""
    shutil.copytree(small_release.tree, workdir / "stage" / "smeos" / "x86_64")
    (workdir / "work" / "image").mkdir(parents=True)
    shutil.copyfile(small_release.image, workdir / "work" / "image" / f"{NAME}.iso")
    path = workdir / "sme9.yaml"
    path.write_text(DESCRIPTOR)
    return path


def test_jigdo_file_rebuilds_the_image_from_the_pair(descriptor: Path, workdir: Path) -> None:
    ended = release_builder("pair", "--json", descriptor, cwd=workdir)

    pair = workdir / "work" / "pair" / NAME
    tree = workdir / "stage" / "smeos" / "x86_64"
    run(
        *("jigdo-file", "mi", "--no-cache", "-i", str(workdir / "new.iso")),
        *("-j", f"{pair}.jigdo", "-t", f"{pair}.template", str(tree)),
    )
    assert ended.status == 0, ended.stderr
    assert ended.counts("pair")["parts"] > 10
    image = workdir / "work" / "image" / f"{NAME}.iso"
    assert filecmp.cmp(workdir / "new.iso", image, shallow=False)


@pytest.mark.parametrize(
    ("stage", "first", "copy"),
    [
        ("beta", "releases/testing/9.0beta3/", "testing/9.0beta3/"),
        ("final", "releases/9/", "9/"),
    ],
)
def test_the_servers_are_those_of_the_stage_and_the_mirrors(
    descriptor: Path, workdir: Path, stage: str, first: str, copy: str
) -> None:
    release_builder("pair", "--stage", stage, descriptor, cwd=workdir)

    jigdo = (workdir / "work" / "pair" / f"{NAME}.jigdo").read_text()
    assert f"SMEmirror=http://127.0.0.1:8/{first}smeos/x86_64/\n" in jigdo
    assert f"SMEmirror=http://127.0.0.1:9/copy/{copy}smeos/x86_64/\n" in jigdo
    assert f"Template={NAME}.template\n" in jigdo
    assert "ShortInfo=SME Server 9.0beta3 for x86_64\n" in jigdo


def test_upon_an_older_pair_only_what_is_new_gets_our_label(
    descriptor: Path, workdir: Path
) -> None:
    release_builder("pair", descriptor, cwd=workdir)
    old = workdir / "old.jigdo"
    (workdir / "work" / "pair" / f"{NAME}.jigdo").rename(old)
    old.write_text(old.read_text().replace("127.0.0.1:8", "127.0.0.1:7"))
    tree = workdir / "stage" / "smeos" / "x86_64"
    changed = next(tree.glob("Packages/*.rpm"))
    changed.write_bytes(changed.read_bytes()[::-1])
    make_image(tree, workdir / "work" / "image" / f"{NAME}.iso")

    ended = release_builder("pair", "--base", old, "--json", descriptor, cwd=workdir)

    made = parse_jigdo((workdir / "work" / "pair" / f"{NAME}.jigdo").read_bytes(), "new")
    ours = [place for places in made.parts.values() for place in places if place[0] == "S"]
    assert ended.status == 0, ended.stderr
    # The image that the first pair is of has a patched isolinux.bin, which is no file of the tree.
    assert sorted(ours) == [
        f"SMEmirror:Packages/{changed.name}",
        "SMEmirror:isolinux/isolinux.bin",
    ]
    assert {server.label: server.url for server in made.servers if ":7/" in server.url} == {
        "Base-SMEmirror": "http://127.0.0.1:7/releases/testing/9.0beta3/smeos/x86_64/"
    }
    laid_out = [path for path in (workdir / "work" / "upload").rglob("*") if path.is_file()]
    assert {path.name for path in laid_out} == {"isolinux.bin", changed.name}
    copy = workdir / "work" / "upload" / "smeos" / "x86_64" / "Packages" / changed.name
    assert filecmp.cmp(copy, changed, shallow=False)


def test_without_an_image_it_says_how_to_make_one(descriptor: Path, workdir: Path) -> None:
    (workdir / "work" / "image" / f"{NAME}.iso").unlink()

    ended = release_builder("pair", descriptor, cwd=workdir)

    assert ended.status == 1
    assert "release-builder compose" in ended.stderr


def test_without_a_tree_it_says_where_it_looked(descriptor: Path, workdir: Path) -> None:
    shutil.rmtree(workdir / "stage")

    ended = release_builder("pair", descriptor, cwd=workdir)

    assert ended.status == 2
    assert f"no installer tree at {workdir}/stage/smeos/x86_64" in ended.stderr
    assert not (workdir / "work" / "pair" / f"{NAME}.jigdo").exists()


def test_a_tree_of_another_image_is_noticed(descriptor: Path, workdir: Path) -> None:
    shutil.rmtree(workdir / "stage" / "smeos" / "x86_64" / "Packages")

    ended = release_builder("pair", descriptor, cwd=workdir)

    assert ended.status == 0
    assert "is in no file of" in ended.stderr
