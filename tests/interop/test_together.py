"""All commands against each other, in one workdir, one public tree, with one history."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fetching import release_of
from image_builder import NAMES, make_images
from together import Command, alone, at_once, copy_of, groups, told, watching
from web_server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.demo.release import Release

pytestmark = pytest.mark.interop

SEED = int(os.environ.get("TOGETHER_SEED", "7"))
SME = "sme-9.0beta3.yaml"
IMAGE = Path("work-9.0beta3/image/smeserver-9.0beta3-x86_64.iso")
FINAL = ("--to", "9.0", "--same-image")

RELEASE = {
    "build": Command(("build", SME)),
    "sync": Command(("sync", SME)),
    "rewrite": Command(("rewrite", SME)),
    "assemble": Command(("assemble", "--offline", SME)),
    "verify": Command(("verify", SME)),
    "publish": Command(("publish", SME)),
    "rollback": Command(("publish", "--rollback", SME), ((2, "no older generation"),)),
    "promote": Command(("promote", *FINAL, SME)),
    "refresh": Command(("refresh", "--no-splay", "-v", SME)),
    "status": Command(("status", SME)),
    "history": Command(("history",)),
    "plan": Command(("plan", SME)),
    "missing": Command(("missing", "--offline", SME)),
    "doctor": Command(("doctor", "--offline", SME)),
    "install-cron": Command(("install-cron", "--for", "cron.d", "--root", "system")),
}
OWN = {
    "compose": Command(("compose", SME)),
    "pair": Command(("pair", SME)),
    "publish": RELEASE["publish"],
    "rollback": RELEASE["rollback"],
    "promote": RELEASE["promote"],
    "verify": RELEASE["verify"],
}
IMAGES = {
    "update": Command(("images", "update", "-r", "https://images.example", "images", "mirror")),
    "verify": Command(("images", "verify", "mirror")),
    "clean": Command(("images", "clean", "mirror")),
    "push": Command(("images", "push", "mirror", "{here}/pushed")),
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder that is served."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def web(site: Path) -> Iterator[str]:
    """The URL of a folder with an image's pair and parts."""
    with serve(site, log=False) as server:
        release_of(8).lay_out(site, f"A={server.url}tree/")
        yield server.url


DESCRIPTOR = """version: 9.0beta3
arch: x86_64
mirror: mirror
workdir: work
publish:
  title: one
  preflight: off
  root: public
  url: http://127.0.0.1:9/
"""


def made(folder: Path, release: Release, *, own: bool) -> Path:
    """A place with a release that is public in two generations.

    Args:
        folder: The place, to be made.
        release: What its mirror has.
        own: Whether the mirror has the tree alone: image and pair are made here.
    """
    source = release.mirror / release.path
    shutil.copytree(source / "smeos" if own else source, folder / "mirror" / ("smeos" * own))
    (folder / SME).write_text(DESCRIPTOR)
    (folder / "system/etc/cron.d").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RELEASE_BUILDER_STATE", str(folder / "state"))
        for command in (OWN["compose"] if own else RELEASE["build"], RELEASE["publish"]):
            ended = alone(command, folder)
            assert ended.status == 0, ended.stderr
        (folder / SME).write_text(DESCRIPTOR.replace("one", "two"))
        assert alone(RELEASE["publish"], folder).status == 0
    return folder


@pytest.fixture(scope="module")
def follower(tmp_path_factory: pytest.TempPathFactory, small_release: Release) -> Path:
    return made(tmp_path_factory.mktemp("follower") / "place", small_release, own=False)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory, small_release: Release) -> Path:
    return made(tmp_path_factory.mktemp("maker") / "place", small_release, own=True)


def check_release(
    world: Path, place: Path, commands: dict[str, Command], names: tuple[str, ...], seed: int
) -> None:
    """Run commands at once in a copy of ``world``, then one after the other: all is right."""
    copy_of(world, place)
    beta = place / "public/testing/9.0beta3"

    with watching(beta) as wrong:
        ends = at_once([commands[name] for name in names], place, random.Random(seed))
    afterwards = [alone(commands[name], place) for name in dict.fromkeys(names)]

    hint = f"TOGETHER_SEED={SEED} {names}"
    assert not told(commands, names, ends), hint
    assert not wrong, hint
    for name, ended in zip(dict.fromkeys(names), afterwards, strict=True):
        assert ended.status == 0 or name == "rollback", (hint, ended.stderr)
    assert alone(RELEASE["verify"], place).status == 0, hint
    recorded = json.loads(alone(Command(("history", "--json")), place).stdout)["runs"]
    kept = [run["command"] for run in recorded]
    for name, ended in zip(names, ends, strict=True):
        assert ended.status == 75 or name not in {"build", "refresh"} or name in kept, hint


@pytest.mark.parametrize("names", groups(list(RELEASE), 8, SEED), ids="-".join)
def test_commands_of_a_release_at_once_end_well(
    follower: Path, workdir: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("RELEASE_BUILDER_STATE", str(workdir / "place/state"))
    check_release(follower, workdir / "place", RELEASE, names, SEED)


@pytest.mark.parametrize("seed", range(SEED, SEED + 2))
def test_commands_of_a_release_that_is_made_here_at_once_end_well(
    maker: Path, workdir: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setenv("RELEASE_BUILDER_STATE", str(workdir / "place/state"))
    check_release(maker, workdir / "place", OWN, (*OWN, "compose", "publish"), seed)


@pytest.mark.parametrize("seed", range(SEED, SEED + 2))
def test_commands_of_an_image_repository_at_once_end_well(workdir: Path, seed: int) -> None:
    make_images(workdir / "images", *NAMES[:2])
    names = (*IMAGES, "update", "push", "clean")
    commands = {name: command.below(workdir) for name, command in IMAGES.items()}
    assert alone(commands["update"], workdir).status == 0
    make_images(workdir / "images", NAMES[2])

    ends = at_once([commands[name] for name in names], workdir, random.Random(seed))

    assert not told(commands, names, ends)
    for name in IMAGES:
        ended = alone(commands[name], workdir)
        assert ended.status == 0, (name, ended.stderr)
    served = workdir / "pushed" / "CKSUMS"
    assert served.read_bytes() == (workdir / "mirror" / "CKSUMS").read_bytes()
    assert len(served.read_text().splitlines()) == 9  # three images, and deltas from each to each


@pytest.mark.parametrize("seed", range(SEED, SEED + 2))
def test_commands_that_make_one_image_in_one_folder_at_once_end_well(
    web: str, site: Path, workdir: Path, seed: int
) -> None:
    image = release_of(8).image
    make = ("jigdo", "make-image", "--cache", "cache", "--image", "made.iso", "--force")
    pair = ("--jigdo", f"{site}/cd.jigdo", "--template", f"{site}/cd.template", f"{site}/tree")
    commands = {
        "fetch": Command(("jigdo", "fetch", "--deadline", "60", f"{web}cd.jigdo")),
        "fetch -o": Command(("jigdo", "fetch", "--deadline", "60", "-o", ".", f"{web}cd.jigdo")),
        "make-image": Command((*make, *pair), ((3, "another process"),)),
        "scan": Command(("jigdo", "scan", "--cache", "cache", f"{site}/tree")),
        "md5sum": Command(("jigdo", "md5sum", "--cache", "cache", f"{site}/tree/00.rpm")),
    }
    names = (*commands, *commands)

    ends = at_once([commands[name] for name in names], workdir, random.Random(seed))

    assert not told(commands, names, ends)
    for name, command in commands.items():
        ended = alone(command, workdir)
        assert ended.status == 0, (name, ended.stderr)
    assert (workdir / "cd.iso").read_bytes() == (workdir / "made.iso").read_bytes() == image
    left = {path.name for path in workdir.iterdir()}
    assert left == {"cache", "cd.iso", "cd.jigdo", "cd.template", "made.iso"}
