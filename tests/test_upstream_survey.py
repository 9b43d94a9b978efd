"""What a mirror has is told in version order, with what it lacks and what leads to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from upstream_tree import link, put

from release_builder.errors import DescriptorError
from release_builder.loader import find_profile
from release_builder.transport.listing import LocalLister
from release_builder.upstream.layout import Layout
from release_builder.upstream.survey import Survey, survey

if TYPE_CHECKING:
    from pathlib import Path

SME = Layout.of(find_profile("smeserver"))


def seen(root: Path, layout: Layout = SME) -> Survey:
    return survey(LocalLister(root), layout, layout.profile.arches)


def test_releases_come_in_version_order(workdir: Path) -> None:
    folders = ["testing/9.0rc1", "testing/10.0alpha1", "8.0", "testing/9.0beta10"]
    folders += ["testing/9.0beta9", "9.0", "testing/9.0pre1", "testing/9.0alpha1", "8.10", "8.9"]
    for folder in folders:
        put(workdir, folder)

    versions = [each.version.text for each in seen(workdir).releases]

    nine = ["9.0alpha1", "9.0beta9", "9.0beta10", "9.0pre1", "9.0rc1", "9.0"]
    assert versions == ["8.0", "8.9", "8.10", *nine, "10.0alpha1"]


def test_a_beta_outside_testing_and_a_final_inside_are_no_releases(workdir: Path) -> None:
    put(workdir, "9.0beta3")
    put(workdir, "testing/9.0")
    put(workdir, "testing/9.0bta3")
    put(workdir, "8.0")

    assert [each.folder for each in seen(workdir).releases] == ["8.0"]


@pytest.mark.parametrize(
    ("there", "lacks"),
    [
        pytest.param(("jigdo", "template", "sums"), (), id="all"),
        pytest.param(("template", "sums"), ("the .jigdo",), id="no .jigdo"),
        pytest.param(("jigdo", "sums"), ("the template",), id="no template"),
        pytest.param(("jigdo", "template"), ("the sums",), id="no sums"),
    ],
)
def test_what_a_release_lacks_is_told(
    workdir: Path, there: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    put(workdir, "8.0")
    put(workdir, "8.1", *there)

    found = seen(workdir).releases[-1]

    assert found.lacks == {"x86_64": lacks}
    assert found.is_complete(["x86_64"]) is not bool(lacks)


def test_a_release_lacks_the_arches_that_are_not_there(workdir: Path) -> None:
    put(workdir, "8.0")

    found = seen(workdir).releases[0]

    assert found.arches == ("x86_64",)
    assert found.missing(["i386", "x86_64"]) == ("i386: all of it",)


def test_sums_are_not_missed_where_no_other_release_has_any(workdir: Path) -> None:
    put(workdir, "8.0", "jigdo", "template")
    put(workdir, "8.1", "jigdo", "template")

    assert all(each.is_complete(["x86_64"]) for each in seen(workdir).releases)


@pytest.mark.parametrize(
    "name", ["MD5SUMS", "sha256sum.txt.asc", "CHECKSUM", "smeserver-8.1-x86_64.iso.md5"]
)
def test_sums_files_have_many_names(workdir: Path, name: str) -> None:
    put(workdir, "8.0")
    (put(workdir, "8.1", "jigdo", "template") / "iso/x86_64" / name).touch()

    assert seen(workdir).releases[-1].lacks == {"x86_64": ()}


def test_the_jigdo_may_lie_beside_the_packages(workdir: Path) -> None:
    put(workdir, "testing/8.1beta2", below="smeos")

    assert seen(workdir).releases[0].is_complete(["x86_64"])


def test_links_tell_where_they_lead_to(workdir: Path) -> None:
    put(workdir, "testing/9.0beta3")
    put(workdir, "8.0")
    link(workdir, "testing/9", "9.0beta3")
    link(workdir, "8", "8.0")
    link(workdir, "latest", "8")
    link(workdir, "dangling", "7.0")
    link(workdir, "7", "7.0")
    link(workdir, "round", "round")

    found = seen(workdir)

    assert found.links == {"testing/9": "testing/9.0beta3", "8": "8.0", "latest": "8.0"}
    assert [each.links for each in found.releases] == [("8", "latest"), ("testing/9",)]


def test_a_release_may_be_a_link_to_its_newest_generation(workdir: Path) -> None:
    put(workdir, "testing/9.0beta3")
    (workdir / "testing/.9.0beta3").mkdir()
    (workdir / "testing/9.0beta3").rename(workdir / "testing/.9.0beta3/20261121T103000Z")
    link(workdir, "testing/9.0beta3", ".9.0beta3/20261121T103000Z")
    link(workdir, "testing/9", "9.0beta3")

    (found,) = seen(workdir).releases

    assert found.folder == "testing/9.0beta3"
    assert found.is_complete(["x86_64"])
    assert found.links == ("testing/9",)


def test_a_link_that_is_shown_as_a_folder_is_no_release(workdir: Path) -> None:
    put(workdir, "8.0")
    put(workdir, "8")  # as mirrors have it that follow links
    put(workdir, "7")  # a release that is called so

    found = seen(workdir)

    assert [each.folder for each in found.releases] == ["7", "8.0"]
    assert found.links == {"8": ""}


def test_a_mirror_without_a_testing_folder_is_fine(workdir: Path) -> None:
    put(workdir, "8.0")

    assert len(seen(workdir).releases) == 1


def test_a_root_that_is_not_there_is_refused(workdir: Path) -> None:
    with pytest.raises(DescriptorError, match=r"there is no folder .*/none"):
        seen(workdir / "none")


def test_another_product_has_another_layout(workdir: Path) -> None:
    layout = Layout.of(find_profile("centos"))
    place = workdir / "5.11/isos/i386"
    place.mkdir(parents=True)
    (place / "CentOS-5.11-i386-bin-DVD.jigdo").touch()

    (found,) = seen(workdir, layout).releases

    assert found.lacks == {"i386": ("the template",)}


@pytest.mark.parametrize("folder", ["{version}/x", "{major}/{version}", "v{version}"])
def test_a_profile_whose_folders_cannot_be_looked_for_is_refused(
    workdir: Path, folder: str
) -> None:
    profile = workdir / "own.yaml"
    profile.write_text(
        "name: own\narches: [i386]\nimage: own.iso\ntree: os/\njigdo: iso/\n"
        "servers: {A: {beta: 'http://h/', final: 'http://h/'}}\n"
        f"folder: {{beta: '{folder}', final: '{folder}'}}\n"
    )

    with pytest.raises(DescriptorError, match="cannot be looked for"):
        Layout.of(find_profile(str(profile)))
