"""How the packages are made: checked by others, the same twice, of what is pinned."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import rpmfile  # type: ignore[import-untyped]  # it has no hints
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rpm_roots import EPOCH

from release_builder import __version__
from release_builder.process import environment
from rpm.packages.application import BUNDLED, TREE
from rpm.packages.building import SPEC, Build
from rpm.packages.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def closure(name: str) -> Iterator[str]:
    """The names of what a distribution needs, extras apart, itself included."""
    yield canonicalize_name(name)
    for text in distribution(name).requires or ():
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            yield from closure(needed.name)


def test_all_that_the_program_needs_is_bundled_and_nothing_else() -> None:
    project = tomllib.loads((TREE / "pyproject.toml").read_text())["project"]
    wanted = {name for text in project["dependencies"] for name in closure(Requirement(text).name)}

    bundled = re.findall(r"^([\w-]+)==\S+ --hash=sha256:[0-9a-f]{64}$", BUNDLED.read_text(), re.M)

    assert {canonicalize_name(name) for name in bundled} == wanted


def test_the_spec_is_for_this_version() -> None:
    spec = SPEC.read_text()

    assert re.findall(r"^Version: +(.*)$", spec, re.M) == [__version__]
    assert f" - {__version__}-1\n" in spec.partition("%changelog")[2]


@pytest.mark.interop
def test_digests_are_right(package_folder: Path, tmp_path: Path) -> None:
    files = sorted(map(str, package_folder.glob("*.rpm")))

    argv = ["rpmkeys", "--dbpath", str(tmp_path), "--checksig", *files]
    checked = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert len(files) == 15
    assert checked.stdout.splitlines() == [f"{name}: digests OK" for name in files]


@pytest.mark.interop
def test_rpmlint_has_nothing_to_say_but_what_was_reviewed(
    package_folder: Path, tmp_path: Path
) -> None:
    files = sorted(map(str, package_folder.glob("*.rpm")))

    # In a folder without rpm/, which it would take for the bindings of that name.
    argv = ["rpmlint", "--config", str(TREE / "rpm/rpmlint.toml"), *files, str(SPEC)]
    checked = subprocess.run(
        argv, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )

    said = [line for line in checked.stdout.splitlines() if re.search(r": [EW]: ", line)]
    assert not said
    assert "0 errors, 0 warnings" in checked.stdout


@pytest.fixture
def again(tmp_path: Path, interpreters: dict[str, Path], bundled: Path) -> Callable[[str], Build]:
    """Ready to make the packages of one arch in another place."""

    def prepared(arch: str) -> Build:
        one = {arch: interpreters[arch]}
        build = Build(tmp_path / "out", tmp_path / "elsewhere", one, bundled, EPOCH)
        build.prepare()
        return build

    return prepared


@pytest.mark.interop
@pytest.mark.parametrize(
    ("dist", "arch"), [pytest.param("el5", "i386"), pytest.param("el7", "x86_64")]
)
def test_two_builds_give_the_same_bytes(
    package_folder: Path, again: Callable[[str], Build], dist: str, arch: str
) -> None:
    build = again(arch)

    made = [*build.binary(KINDS[dist], arch), *build.source()]

    assert len(made) == 3
    for path in made:
        assert path.read_bytes() == (package_folder / path.name).read_bytes(), path.name


@pytest.mark.interop
def test_no_package_tells_where_it_was_made(package_folder: Path) -> None:
    for package in package_folder.glob("*.rpm"):
        header = package.read_bytes().partition(b"\x1f\x8b\x08")[0]

        assert str(TREE).encode() not in header, package.name
        assert str(package_folder.parent).encode() not in header, package.name
        assert sys.executable.encode() not in header, package.name


@pytest.mark.interop
def test_the_source_package_has_the_project_and_names_the_interpreters_sources(
    package_folder: Path, tmp_path: Path
) -> None:
    with rpmfile.open(str(next(package_folder.glob("*.src.rpm")))) as package:
        for member in package.getmembers():
            stream = package.extractfile(member.name)
            (tmp_path / Path(member.name).name).write_bytes(stream.read())

    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {
        "release-builder.spec",
        "interpreter-sources.json",
        f"release-builder-{__version__}.tar.gz",
    }
    assert "openssl" in (tmp_path / "interpreter-sources.json").read_text()
    with tarfile.open(tmp_path / f"release-builder-{__version__}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"rpm/release-builder.spec", "release_builder/templates", "Makefile"} <= names
    assert not [name for name in names if name.startswith((".git/", ".venv/", "rpm/dist/"))]
