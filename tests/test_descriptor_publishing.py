"""What a descriptor says of making and publishing an image, spelt out for a release."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from release_builder.descriptor.publication import Publication
from release_builder.descriptor.publishing import Compose, Medium, Places, Preflight, SumsStyle
from release_builder.descriptor.target import Target
from release_builder.descriptor.version import Stage
from release_builder.loader import load

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.descriptor.release import Release

PROFILE = """\
name: own
arches: [i386]
image: own.iso
tree: os
jigdo: iso
servers: {A: {beta: "http://h/", final: "http://h/"}}
"""


def release(folder: Path, *lines: str, version: str = "9.0beta3") -> Release:
    path = folder / "sme.yaml"
    three = [f"version: {version}", "arch: i386", "mirror: /srv/mirror"]
    path.write_text("\n".join([*three, *lines, ""]), encoding="utf-8")
    return load(path).releases()[0]


def publication(folder: Path, *lines: str, version: str = "9.0beta3") -> Publication:
    found = release(folder, *lines, version=version).publish
    assert found is not None
    return found


def test_without_a_word_nothing_becomes_public(workdir: Path) -> None:
    assert release(workdir).publish is None


def test_a_root_is_enough_and_the_profile_says_the_rest(workdir: Path) -> None:
    found = publication(workdir, "publish: {root: public}")

    assert found == Publication(
        root=Target(PurePosixPath(workdir / "public")),
        url=None,
        mirrors=(),
        folder=Places(beta="testing/9.0beta3", final="9.0beta3"),
        link=Places(beta="testing/9", final="9"),
        obsolete="obsolete/9.0beta3",
        title="SME Server",
        key=None,
        keep=2,
        sums=SumsStyle.GNU,
        preflight=Preflight.URLS,
        links=True,
        ssh="ssh",
    )


def test_what_the_descriptor_says_goes_before_the_profile(workdir: Path) -> None:
    found = publication(
        workdir,
        "publish:",
        "  root: me@host:/srv",
        "  url: http://host/{product}",
        "  mirrors: ['http://a/{major}', 'http://b', 'http://a/9/']",
        "  folder: {beta: 'b/{version}/{arch}/', final: ./f}",
        "  link: {beta: b/new, final: new}",
        "  obsolete: 'old//{version}'",
        "  title: Koozali SME",
        "  key: 0123456789ABCDEF",
        "  keep: 0",
        "  sums: bsd",
        "  preflight: off",
        "  links: no",
        "  ssh: ssh -p 2222",
    )

    assert found == Publication(
        root=Target(PurePosixPath("/srv"), "me@host"),
        url="http://host/smeserver/",
        mirrors=("http://a/9/", "http://b/"),
        folder=Places(beta="b/9.0beta3/i386", final="f"),
        link=Places(beta="b/new", final="new"),
        obsolete="old/9.0beta3",
        title="Koozali SME",
        key="0123456789ABCDEF",
        keep=0,
        sums=SumsStyle.BSD,
        preflight=Preflight.OFF,
        links=False,
        ssh="ssh -p 2222",
    )


def test_a_profile_that_says_nothing_publishes_by_version(workdir: Path) -> None:
    (workdir / "own.yaml").write_text(PROFILE, encoding="utf-8")

    found = publication(workdir, "product: own.yaml", "publish: {root: /srv}")

    assert found.title == "own"
    assert found.folder == Places(beta="9.0beta3", final="9.0beta3")
    assert (found.link, found.obsolete) == (None, "obsolete/9.0beta3")
    assert found.link_at(Stage.BETA) is None


@pytest.mark.parametrize(
    ("stage", "folder", "link"),
    [
        pytest.param(Stage.BETA, "testing/9.0beta3", "testing/9", id="beta"),
        pytest.param(Stage.FINAL, "9.0beta3", "9", id="final"),
    ],
)
def test_folder_and_link_are_those_of_the_stage(
    workdir: Path, stage: Stage, folder: str, link: str
) -> None:
    found = publication(workdir, "publish: {root: /srv}")

    assert (found.folder_at(stage), found.link_at(stage)) == (folder, link)


def test_a_link_that_would_be_the_folder_itself_is_none(workdir: Path) -> None:
    found = publication(workdir, "publish: {root: /srv}", version="9")

    assert found.folder_at(Stage.FINAL) == "9"
    assert found.link_at(Stage.FINAL) is None


def test_an_image_is_composed_as_usual_without_a_word(workdir: Path) -> None:
    found = release(workdir).compose

    assert found == Compose(
        volume_id="smeserver-9.0beta3-i386",
        boot="isolinux/isolinux.bin",
        catalog="isolinux/boot.cat",
        efi="images/efiboot.img",
        medium=Medium.DVD,
        exclude=(),
    )


def test_what_is_said_of_composing_is_spelt_out(workdir: Path) -> None:
    found = release(
        workdir,
        "compose:",
        "  {volume_id: 'SME {major}', boot: '{arch}/b.bin', catalog: ./b.cat, efi: 'e/{version}',",
        "   medium: any, exclude: ['{arch}*', '*.img']}",
    ).compose

    assert found == Compose(
        volume_id="SME 9",
        boot="i386/b.bin",
        catalog="b.cat",
        efi="e/9.0beta3",
        medium=Medium.ANY,
        exclude=("i386*", "*.img"),
    )


@pytest.mark.parametrize(
    ("lines", "keys"),
    [
        pytest.param((), (), id="none"),
        pytest.param(("keys: a.asc",), ("a.asc",), id="one"),
        pytest.param(("keys: [k/a, ../b]",), ("k/a", "../b"), id="two"),
    ],
)
def test_keys_lie_relative_to_the_descriptor(
    workdir: Path, lines: tuple[str, ...], keys: tuple[str, ...]
) -> None:
    assert release(workdir, *lines).trust.sums == tuple(workdir / key for key in keys)


@pytest.mark.parametrize(
    ("medium", "size"),
    [
        pytest.param(Medium.CD, 737_280_000, id="80 minutes"),
        pytest.param(Medium.DVD, 4_700_372_992, id="DVD"),
        pytest.param(Medium.DUAL_LAYER_DVD, 8_547_991_552, id="two layers"),
        pytest.param(Medium.ANY, None, id="any"),
    ],
)
def test_a_medium_knows_its_room(medium: Medium, size: int | None) -> None:
    assert medium.size == size
