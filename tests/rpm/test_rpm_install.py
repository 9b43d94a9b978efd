"""The packages on a machine: what they do there, what they keep, what they leave."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

import pytest
from rpm_roots import EPOCH, files, install, rpm, run_in

from release_builder import __version__
from rpm.packages.building import Build
from rpm.packages.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(os.geteuid() != 0, reason="rpm --root and chroot are root's"),
]

ALL = [
    pytest.param(kind.dist, arch, id=f"{kind.dist} {arch}")
    for kind in KINDS.values()
    for arch in kind.arches
]
PROGRAM = "/usr/bin/release-builder"
PYTHON = "/usr/lib/release-builder/bin/python3"
SAMPLE = "etc/release-builder/releases.d/sme-9.yaml.sample"
IMPORT_ALL = """
import pkgutil, sys
sys.path.append("/usr/lib/release-builder/app.zip")
import release_builder
for module in pkgutil.walk_packages(release_builder.__path__, "release_builder."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
        print(module.name)
"""
COUNT_AUTHORITIES = """
import sys
sys.path.append("/usr/lib/release-builder/app.zip")
from release_builder.transport.http.tls import trusting
print(len(trusting(None, {}).get_ca_certs()))
"""
# What the base system of each release owns.
BASE = {
    *("etc", "etc/cron.d", "etc/logrotate.d", "usr", "usr/bin", "usr/lib", "usr/lib/systemd"),
    *("usr/lib/systemd/system", "usr/share", "usr/share/doc", "usr/share/man"),
    *("usr/share/man/man1", "var", "var/lib", "var/log"),
}


@pytest.fixture(scope="module")
def later(
    tmp_path_factory: pytest.TempPathFactory, interpreters: dict[str, Path], bundled: Path
) -> Path:
    """The next release of the package for el6, with another sample."""
    base = tmp_path_factory.mktemp("later")
    one = {"i386": interpreters["i386"]}
    build = Build(base / "out", base / "work", one, bundled, EPOCH)
    build.prepare()
    archive = next((base / "work/SOURCES").glob("*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(base, filter="fully_trusted")
    tree = next(base.glob("release-builder-*"))
    with (tree / "configs/sme-9.yaml").open("a") as sample:
        sample.write("# another line\n")
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tree, tree.name)
    build.spec.write_text(build.spec.read_text().replace("Release:        1", "Release:        2"))
    return next(path for path in build.binary(KINDS["el6"], "i386") if "jigdo" not in path.name)


@pytest.mark.parametrize(("dist", "arch"), ALL)
def test_the_program_runs_where_nothing_else_is(
    installed: Callable[[str, str], Path], dist: str, arch: str
) -> None:
    root = installed(dist, arch)

    ended = run_in(root, PROGRAM, "--version")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"release-builder, version {__version__}\n"


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_every_module_can_be_imported(installed: Callable[[str, str], Path], arch: str) -> None:
    root = installed("el5", arch)

    ended = run_in(root, PYTHON, "-IB", "-c", IMPORT_ALL)

    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) > 200


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_its_profiles_and_templates_are_found(
    installed: Callable[[str, str], Path], arch: str
) -> None:
    root = installed("el5", arch)
    (root / "tmp/sme9.yaml").write_text("version: 9.x\narch: i386\nmirror: rsync://a/b/\n")

    wrong = run_in(root, PROGRAM, "validate", "/tmp/sme9.yaml")
    schema = run_in(root, PROGRAM, "validate", "--schema")
    written = run_in(root, PROGRAM, "init", "/tmp/new.yaml")

    assert wrong.returncode == 2
    assert wrong.stderr.startswith("/tmp/sme9.yaml:1:10: version: '9.x' is not a version")
    assert '"$schema"' in schema.stdout
    assert written.returncode == 0, written.stderr
    assert "version:" in (root / "tmp/new.yaml").read_text()


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_the_usual_authorities_are_trusted(
    installed: Callable[[str, str], Path], arch: str
) -> None:
    root = installed("el5", arch)

    ended = run_in(root, PYTHON, "-IB", "-c", COUNT_AUTHORITIES)

    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 100
    assert not list((root / "tmp").iterdir())


def test_its_samples_are_valid_and_off(installed: Callable[[str, str], Path]) -> None:
    root = installed("el6", "x86_64")
    folder = root / "etc/release-builder/releases.d"
    samples = sorted(path.name for path in folder.iterdir())
    for name in samples:
        (folder / name).rename(folder / name.removesuffix(".sample"))

    names = (f"/{(folder / name).relative_to(root)}" for name in samples)
    ended = run_in(root, PROGRAM, "validate", *(name.removesuffix(".sample") for name in names))

    assert len(samples) > 3
    assert all(name.endswith(".yaml.sample") for name in samples)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_jigdos_commands_are_there_under_their_names(
    tmp_path: Path, package_folder: Path, arch: str
) -> None:
    root = tmp_path / "root"

    said = install(root, *package_folder.glob(f"*.el5.{arch}.rpm"))
    version = run_in(root, "/usr/bin/jigdo-file", "--version")
    usage = run_in(root, "/usr/bin/jigdo-lite", "--help")

    assert said == ""
    assert version.returncode == 0, version.stderr
    assert "jigdo-file" in version.stdout
    assert usage.returncode == 0, usage.stderr
    assert "jigdo-lite" in usage.stdout


@pytest.mark.parametrize(("dist", "arch"), ALL)
def test_what_is_removed_leaves_nothing(
    tmp_path: Path, package_folder: Path, dist: str, arch: str
) -> None:
    root = tmp_path / "root"

    came = rpm(
        root, "--install", "--nodeps", *map(str, package_folder.glob(f"*.{dist}.{arch}.rpm"))
    )
    went = rpm(root, "--erase", "release-builder", "release-builder-jigdo")

    left = {str(path.relative_to(root)) for path in root.rglob("*")}
    assert (came, went) == ("", "")
    assert {name for name in left if not name.startswith("var/lib/rpm")} <= BASE


def test_an_edited_setting_survives_the_next_release_and_the_removal(
    tmp_path: Path, packages: dict[tuple[str, str], Path], later: Path
) -> None:
    root = tmp_path / "root"
    install(root, packages["el6", "i386"])
    with (root / SAMPLE).open("a") as sample:
        sample.write("# mine\n")
    edited = (root / SAMPLE).read_text()

    rpm(root, "--upgrade", "--nodeps", "--ignorearch", str(later))
    kept, beside = (root / SAMPLE).read_text(), (root / f"{SAMPLE}.rpmnew").read_text()
    rpm(root, "--erase", "release-builder")

    assert kept == edited
    assert beside.endswith("# another line\n")
    left = {name for name in files(root) if not name.startswith("var/lib/rpm")}
    assert left == {f"{SAMPLE}.rpmnew", f"{SAMPLE}.rpmsave"}
    assert (root / f"{SAMPLE}.rpmsave").read_text() == edited
