"""From a descriptor to its releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_builder.descriptor.version import Stage
from release_builder.digests import Digest
from release_builder.loader import load

MD5 = "a509d21d476f66b9d27135599b3e6936"
BETA = "http://mirror.contribs.org/releases/testing/9.0beta3/smeos/x86_64/"
FINAL = "http://mirror.contribs.org/releases/9/smeos/x86_64/"


def describe(folder: Path, *lines: str, mirror: str = "rsync://host/module/") -> Path:
    path = folder / "sme.yaml"
    text = "\n".join(["version: 9.0beta3", f"mirror: {mirror}", *lines])
    path.write_text(f"{text}\n", encoding="utf-8")
    return path


def test_three_keys_make_a_release(workdir: Path) -> None:
    path = describe(workdir, "arch: x86_64")

    (release,) = load(path).releases()

    assert (release.product, str(release.version), release.arch) == (
        "smeserver",
        "9.0beta3",
        "x86_64",
    )
    assert release.descriptor == path
    assert release.workdir == workdir / "smeserver-x86_64"
    assert release.image == "smeserver-9.0beta3-x86_64.iso"
    assert release.tree == "smeos/x86_64/"
    assert release.jigdo == ("iso/x86_64/", "smeos/x86_64/")
    assert release.fetch == ("iso/x86_64/", "smeos/x86_64/")
    assert (release.digests, release.size, release.sums) == ((), None, None)
    assert release.server_urls(Stage.BETA) == {"SMEmirror": BETA}
    assert release.server_urls(Stage.FINAL) == {"SMEmirror": FINAL}


def test_a_list_of_arches_makes_as_many_releases_in_its_order(workdir: Path) -> None:
    path = describe(workdir, "arch: [x86_64, i386]", f"digests: {{i386: {{md5: {MD5}}}}}")

    first, second = load(path).releases()

    assert (first.arch, second.arch) == ("x86_64", "i386")
    assert (first.workdir, second.workdir) == (
        workdir / "smeserver-x86_64",
        workdir / "smeserver-i386",
    )
    assert (first.digests, second.digests) == ((), (Digest.from_hex(MD5),))


def test_what_a_descriptor_says_goes_before_the_profile(workdir: Path) -> None:
    path = describe(
        workdir,
        "arch: x86_64",
        "image: my-{version}.iso",
        "tree: os/{arch}",
        "jigdo: jigdo/{major}",
        "sync: {include: [GPL, 'extras/{arch}/'], exclude: '*.drpm', bwlimit: 500, delete: no}",
        f"digests: {{md5: {MD5}, size: 727961600}}",
    )

    (release,) = load(path).releases()

    assert release.image == "my-9.0beta3.iso"
    assert release.fetch == ("jigdo/9/", "os/x86_64/", "GPL", "extras/x86_64/")
    assert release.sync.exclude == ("*.drpm",)
    assert (release.sync.bwlimit, release.sync.delete) == ("500", False)
    assert (release.digests, release.size) == ((Digest.from_hex(MD5),), 727961600)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param("builds/{version}", "{folder}/builds/9.0beta3", id="relative"),
        pytest.param("/srv/sme/{arch}", "/srv/sme/x86_64", id="absolute"),
        pytest.param("~/sme{major}", "{home}/sme9", id="at home"),
    ],
)
def test_a_workdir_is_used_as_it_is_given(workdir: Path, text: str, path: str) -> None:
    descriptor = describe(workdir, "arch: x86_64", f"workdir: '{text}'")

    (release,) = load(descriptor).releases()

    assert release.workdir == Path(path.format(folder=workdir, home=Path.home()))


def test_a_sums_file_lies_relative_to_the_descriptor(workdir: Path) -> None:
    path = describe(workdir, "arch: x86_64", "digests: sums/MD5SUMS")

    (release,) = load(path).releases()

    assert release.sums == workdir / "sums" / "MD5SUMS"


def test_a_mirror_on_the_web_is_the_server_of_its_own_stage(workdir: Path) -> None:
    path = describe(workdir, "arch: x86_64", mirror="http://host/9.0beta3")

    (release,) = load(path).releases()

    assert release.server_urls(Stage.BETA) == {"SMEmirror": "http://host/9.0beta3/smeos/x86_64/"}
    assert release.server_urls(Stage.FINAL) == {"SMEmirror": FINAL}


def test_servers_of_the_descriptor_go_before_a_mirror_on_the_web(workdir: Path) -> None:
    servers = "servers: {Mine: {beta: 'http://a/{version}/', final: 'http://a/{major}/'}}"
    path = describe(workdir, "arch: x86_64", servers, mirror="http://host/9.0beta3")

    (release,) = load(path).releases()

    assert release.server_urls(Stage.BETA) == {"Mine": "http://a/9.0beta3/"}
    assert release.server_urls(Stage.FINAL) == {"Mine": "http://a/9/"}
