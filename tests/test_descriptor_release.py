"""From a descriptor to its releases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from release_builder.descriptor import patterns
from release_builder.descriptor.model import Fetch
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
    assert release.wanted == ("iso/x86_64/", "smeos/x86_64/")
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
    assert release.wanted == ("jigdo/9/", "os/x86_64/", "GPL", "extras/x86_64/")
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


@pytest.mark.parametrize(
    ("place", "lines", "expected"),
    [
        pytest.param("/etc/sme9.yaml", [], "sme9/smeserver-x86_64", id="default"),
        pytest.param("/etc/a/b/sme9.yaml", ["workdir: w"], "sme9/w", id="relative"),
        pytest.param("/srv/../etc/a.yaml", [], "a/smeserver-x86_64", id="by detours"),
        pytest.param("/etc/a.yaml", ["workdir: /srv/w"], "/srv/w", id="absolute"),
        pytest.param("/etc/../srv/a.yaml", [], "/etc/../srv/smeserver-x86_64", id="not there"),
    ],
)
def test_a_descriptor_of_a_schedule_is_not_worked_on_among_the_settings(
    workdir: Path, place: str, lines: list[str], expected: str
) -> None:
    descriptor = replace(load(describe(workdir, "arch: x86_64", *lines)), path=Path(place))

    (release,) = descriptor.releases()

    assert release.workdir == Path("/var/lib/release-builder/images") / expected


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


def test_without_a_word_parts_are_fetched_as_patiently_as_usual(workdir: Path) -> None:
    path = describe(workdir, "arch: x86_64")

    (release,) = load(path).releases()

    assert release.fetch == Fetch(
        connections=None,
        retries=4,
        timeout=30,
        deadline=None,
        limit_rate=None,
        ca_bundle=None,
        mirrors=(),
    )
    assert release.part_servers(Stage.BETA) == {"SMEmirror": ()}


def test_what_is_said_of_fetching_is_spelt_out(workdir: Path) -> None:
    path = describe(
        workdir,
        "arch: i386",
        "fetch:",
        "  {connections: 16, retries: 0, timeout: 9, deadline: 60, limit_rate: 2m,",
        "   ca_bundle: keys/ca.pem, mirrors: ['HTTP://Near/{version}//{arch}', 'http://far/{major}']}",
    )

    (release,) = load(path).releases()

    assert release.fetch == Fetch(
        connections=16,
        retries=0,
        timeout=9,
        deadline=60,
        limit_rate=patterns.BytesPerSecond(2 << 20),
        ca_bundle=workdir / "keys" / "ca.pem",
        mirrors=("http://near/9.0beta3/i386/", "http://far/9/"),
    )


def test_parts_lie_in_the_tree_of_each_further_mirror(workdir: Path) -> None:
    servers = "servers: {A: {beta: 'http://a/', final: 'http://a/'}, B: {beta: 'http://b/', final: 'http://b/'}}"
    mirrors = "fetch: {mirrors: ['http://near/', 'https://far/sme/']}"
    path = describe(workdir, "arch: x86_64", servers, mirrors)

    (release,) = load(path).releases()

    urls = ("http://near/smeos/x86_64/", "https://far/sme/smeos/x86_64/")
    assert release.part_servers(Stage.FINAL) == {"A": urls, "B": urls}


@pytest.mark.parametrize(
    ("stage", "urls"),
    [
        pytest.param(Stage.BETA, (), id="at its stage it is that of [Servers]"),
        pytest.param(Stage.FINAL, ("http://host/smeos/x86_64/",), id="at another it is one more"),
    ],
)
def test_a_mirror_on_the_web_has_the_parts(
    workdir: Path, stage: Stage, urls: tuple[str, ...]
) -> None:
    path = describe(
        workdir, "arch: x86_64", "fetch: {mirrors: 'http://near'}", mirror="http://host"
    )

    (release,) = load(path).releases()

    near = "http://near/smeos/x86_64/"
    assert release.part_servers(stage) == {"SMEmirror": (near, *urls)}


@pytest.mark.parametrize(
    ("line", "mirrors"),
    [
        pytest.param("", ("http://near/9.0beta3/",), id="where the descriptor has none"),
        pytest.param("fetch: {mirrors: 'http://own/'}", ("http://own/",), id="not where it has"),
    ],
)
def test_the_mirrors_of_the_profile_are_asked(
    workdir: Path, line: str, mirrors: tuple[str, ...]
) -> None:
    (workdir / "own.yaml").write_text(
        "{name: own, arches: x86_64, image: a.iso, tree: os, jigdo: iso,"
        " servers: {A: {beta: 'http://h/', final: 'http://h/'}},"
        " mirrors: ['http://near/{version}']}",
        encoding="utf-8",
    )
    path = describe(workdir, "arch: x86_64", "product: own.yaml", line)

    (release,) = load(path).releases()

    assert release.fetch.mirrors == mirrors
