"""The descriptors of real releases in configs/ are what the wiki says."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_builder.descriptor.version import Stage
from release_builder.digests import Digest
from release_builder.loader import load

CONFIGS = Path(__file__).parent.parent / "configs"
OVH = "rsync://mir1.ovh.ca/smeserver/releases"
CONTRIBS = "http://mirror.contribs.org/releases"
# file: mirror, folder of the beta, folder of the final, then by arch the image
RELEASES: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "sme-8.0rc1.yaml": (
        "rsync://distro.ibiblio.org/smeserver/releases/testing/8.0rc1/",
        "testing/8.0rc1",
        "8",
        {"i386": "smeserver-8.0rc1-i386.iso"},
    ),
    "sme-8.1beta2.yaml": (
        f"{OVH}/testing/8.1beta2/",
        "testing/8.1beta2",
        "8",
        {"i386": "smeserver-8.1beta2-i386.iso"},
    ),
    "sme-8.1beta3.yaml": (
        f"{OVH}/testing/8.1beta3/",
        "testing/8.1beta3",
        "8",
        {"i386": "smeserver-8.1beta3-i386.iso", "x86_64": "smeserver-8.1beta3-x86_64.iso"},
    ),
    "sme-9.0beta3-i386.yaml": (
        f"{OVH}/testing/9.0beta3/",
        "testing/9.0beta3",
        "9",
        {"i386": "smeserver-9.0beta3-i386.iso"},
    ),
    "sme-9.0beta3-x86_64.yaml": (
        f"{OVH}/testing/9.0beta3/",
        "testing/9.0beta3",
        "9",
        {"x86_64": "smeserver-9.0beta3-x86_64.iso"},
    ),
    "sme-9.yaml": (
        f"{OVH}/9/",
        "testing/9",
        "9",
        {"x86_64": "smeserver-9-x86_64.iso"},
    ),
    "sme-10.1.yaml": (
        f"{OVH}/10.1/",
        "testing/10.1",
        "10",
        {"x86_64": "smeserver-10.1-x86_64.iso"},
    ),
}


@pytest.mark.parametrize("name", RELEASES)
def test_a_release_of_sme_server_is_what_the_wiki_says(name: str) -> None:
    mirror, beta, final, images = RELEASES[name]

    releases = load(CONFIGS / name).releases()

    assert {release.mirror.url for release in releases} == {mirror}
    assert {release.arch: release.image for release in releases} == images
    for release in releases:
        tree = f"smeos/{release.arch}/"
        assert release.workdir == CONFIGS / f"smeserver-{release.arch}"
        assert release.wanted == (f"iso/{release.arch}/", tree)
        assert release.server_urls(Stage.BETA) == {"SMEmirror": f"{CONTRIBS}/{beta}/{tree}"}
        assert release.server_urls(Stage.FINAL) == {"SMEmirror": f"{CONTRIBS}/{final}/{tree}"}


def test_8_1beta2_has_the_digest_and_the_size_of_the_wiki() -> None:
    (release,) = load(CONFIGS / "sme-8.1beta2.yaml").releases()

    assert release.digests == (Digest.from_hex("a509d21d476f66b9d27135599b3e6936"),)
    assert release.size == 727_961_600


def test_centos_5_has_the_names_that_its_jigdo_file_was_made_with() -> None:
    (release,) = load(CONFIGS / "centos-5.yaml").releases()

    assert release.image == "CentOS-5.0-i386-bin-DVD.iso"
    assert release.wanted == ("isos/i386/", "os/i386/")
    assert release.server_urls(release.version.stage) == {
        "Centosmirrors": "http://mirror.centos.org/centos-5/5/os/i386/"
    }


def test_no_descriptor_in_configs_is_without_a_test() -> None:
    files = {path.name for path in CONFIGS.glob("*.y*ml")}

    assert files == {*RELEASES, "centos-5.yaml"}
