from __future__ import annotations

import configparser
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import digest, next_release, run

from release_builder.demo import programs
from release_builder.demo.recipe import Recipe
from release_builder.demo.release import Release, make_release, release_key
from release_builder.errors import SurroundingsError
from release_builder.monitor import Monitor

if TYPE_CHECKING:
    from builders import Mirror

pytestmark = pytest.mark.interop

TINY = Recipe(packages=2, largest=8192)


class Listener(Monitor):
    """Keeps the command lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def detail(self, text: str) -> None:
        self.lines.append(text)


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_tree_has_what_an_installer_tree_has(small_release: Release) -> None:
    names = {str(path.relative_to(small_release.tree)) for path in small_release.tree.rglob("*")}

    assert names >= {
        ".discinfo",
        ".treeinfo",
        "GPL",
        "images/pxeboot/vmlinuz",
        "isolinux/isolinux.bin",
        "isolinux/isolinux.cfg",
        "isolinux/ldlinux.c32",
        "repodata/repomd.xml",
    }
    assert not [name for name in names if "rpmbuild" in name]


def test_rpm_reads_the_packages(small_release: Release) -> None:
    packages = sorted((small_release.tree / "Packages").iterdir())

    said = run("rpm", "-qp", "--qf", "%{NEVRA}.rpm %{BUILDTIME}\n", *map(str, packages))

    epoch = small_release.recipe.epoch
    assert said.splitlines() == [f"{package.name} {epoch}" for package in packages]


def test_the_digests_in_treeinfo_are_true(small_release: Release) -> None:
    treeinfo = configparser.ConfigParser()
    treeinfo.optionxform = str  # type: ignore[assignment, method-assign]  # (paths keep their case)
    treeinfo.read(small_release.tree / ".treeinfo")

    named = dict(treeinfo["checksums"])

    assert named == {name: str(digest(small_release.tree / name, "sha256")) for name in named}


def test_the_image_starts_a_machine(small_release: Release) -> None:
    said = run("xorriso", "-indev", str(small_release.image), "-report_el_torito", "plain")

    assert "/isolinux/isolinux.bin" in said


def test_the_mirror_has_the_pair_and_the_md5_but_no_image(small_release: Release) -> None:
    name = small_release.recipe.name

    names = {path.name for path in small_release.pair.iterdir()}

    assert names == {f"{name}.jigdo", f"{name}.template", "md5sum.txt"}
    md5 = digest(small_release.image).hex
    assert (small_release.pair / "md5sum.txt").read_text() == f"{md5}  {name}.iso\n"


def test_the_pair_points_to_where_the_final_release_will_be(small_release: Release) -> None:
    lines = small_release.jigdo.read_text().splitlines()

    at = lines.index("[Servers]")
    assert lines[at + 1] == "SMEmirror=http://mirror.contribs.org/releases/9/smeos/x86_64/"


def test_testing_9_is_a_link_to_the_release(small_release: Release) -> None:
    link = small_release.mirror / "releases" / "testing" / "9"

    assert link.readlink() == Path("9.0beta3")


def test_jigdo_file_rebuilds_the_image(small_release: Release, workdir: Path) -> None:
    image = workdir / "rebuilt.iso"

    run(
        *("jigdo-file", "make-image", "--no-cache", "--report=quiet", f"--image={image}"),
        *(f"--jigdo={small_release.jigdo}", f"--template={small_release.template}"),
        str(small_release.tree),
    )

    assert image.read_bytes() == small_release.image.read_bytes()


def test_the_same_recipe_gives_the_same_bytes_in_another_folder(workdir: Path) -> None:
    once = make_release(workdir / "once", TINY)

    again = make_release(workdir / "with a blank", TINY)

    assert snapshot(once.folder) == snapshot(again.folder)


def test_a_finished_release_is_used_again(workdir: Path) -> None:
    first = make_release(workdir / "release", TINY)
    listener = Listener()

    second = make_release(workdir / "release", TINY, listener)

    assert second == first
    assert listener.lines == []


def test_a_half_made_release_is_made_anew(workdir: Path) -> None:
    whole = make_release(workdir / "whole", TINY)
    half = workdir / "half"
    shutil.copytree(whole.folder, half, symlinks=True)
    (half / ".release-builder-demo").write_bytes(b"")
    (half / "mirror" / "stray").touch()

    release = make_release(half, TINY)

    assert snapshot(release.folder) == snapshot(whole.folder)


def test_a_folder_with_files_of_the_users_is_left_alone(workdir: Path) -> None:
    (workdir / "thesis.txt").write_text("years of work")

    with pytest.raises(SurroundingsError, match="not the demo's"):
        make_release(workdir, TINY)

    assert (workdir / "thesis.txt").read_text() == "years of work"


def test_another_recipe_has_another_key() -> None:
    keys = {release_key(TINY), release_key(Recipe(packages=3, largest=8192))}

    assert len(keys) == 2


def test_all_missing_programs_are_named_at_once(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(workdir))

    missing = programs.missing_programs()

    assert [line.split()[2] for line in missing] == list(programs.PROGRAMS)
    assert all("apt-get install" in line for line in missing)


def test_a_failing_program_is_quoted(workdir: Path) -> None:
    with pytest.raises(SurroundingsError, match=r"jigdo-file failed with status 3\nit said: .+"):
        programs.call(["jigdo-file", "no-such-command"], Monitor(), home=workdir, epoch=0)


def test_the_next_release_shares_most_files(mirror: Mirror) -> None:
    old = snapshot(mirror.release.tree / "Packages")

    release = next_release(mirror.release)

    new = snapshot(release.tree / "Packages")
    assert len(new) == len(old)
    assert len(new.keys() - old.keys()) == len(old.keys() - new.keys()) == 2
    assert digest(release.image) != digest(mirror.release.image)
    assert (release.mirror / "releases" / "testing" / "9").readlink() == Path("9.0beta4")
