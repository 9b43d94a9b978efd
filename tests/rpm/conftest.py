"""Fixtures of the tests of the packages for Enterprise Linux: built once a session, and installed."""

from __future__ import annotations

import fcntl
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from rpm_roots import EPOCH, install

from rpm.interpreter import built
from rpm.packages.application import wheels
from rpm.packages.building import Build
from rpm.packages.kinds import ARCHES, KINDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_ENVIRON = dict(os.environ)  # before a test's own home and proxies


@pytest.fixture(scope="session")
def outside() -> dict[str, str]:
    """The environment that the tests were started in, for what fetches and caches."""
    return dict(_ENVIRON)


@pytest.fixture(scope="session")
def interpreters() -> dict[str, Path]:
    """By arch, the finished interpreters."""
    return {arch: built(arch) for arch in ARCHES}


@pytest.fixture(scope="session")
def bundled() -> Path:
    """The wheels of what travels in the packages."""
    return wheels()


@pytest.fixture(scope="session")
def package_folder(
    tmp_path_factory: pytest.TempPathFactory, interpreters: dict[str, Path], bundled: Path
) -> Path:
    """All packages, and the source package; to be read only: all tests share it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    done = shared / "packages"
    with (shared / "packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_dir():
            work = tmp_path_factory.mktemp("building")
            build = Build(work / "out", work / "work", interpreters, bundled, EPOCH)
            build.prepare()
            for kind in KINDS.values():
                for arch in kind.arches:
                    build.binary(kind, arch)
            build.source()
            build.out.rename(done)
            shutil.rmtree(work)
    return done


@pytest.fixture(scope="session")
def packages(package_folder: Path) -> dict[tuple[str, str], Path]:
    """By release and arch, the package of the program."""
    pairs = [(kind.dist, arch) for kind in KINDS.values() for arch in kind.arches]
    return {
        (dist, arch): next(package_folder.glob(f"release-builder-[0-9]*.{dist}.{arch}.rpm"))
        for dist, arch in pairs
    }


@pytest.fixture(scope="session")
def installed_once(
    tmp_path_factory: pytest.TempPathFactory, packages: dict[tuple[str, str], Path]
) -> Callable[[str, str], Path]:
    """Roots with a package in them, to be read only."""
    roots: dict[tuple[str, str], Path] = {}

    def root_of(dist: str, arch: str) -> Path:
        key = (dist, arch)
        if key not in roots:
            root = tmp_path_factory.mktemp(f"root-{dist}-{arch}")
            install(root, packages[key])
            shutil.rmtree(root / "var/lib/rpm")
            roots[key] = root
        return roots[key]

    return root_of


@pytest.fixture
def installed(
    tmp_path: Path, installed_once: Callable[[str, str], Path]
) -> Callable[[str, str], Path]:
    """Roots with nothing in them but a package's files, /dev/null, /dev/urandom and /tmp."""

    def root_of(dist: str, arch: str) -> Path:
        root = tmp_path / f"root-{dist}-{arch}"
        shutil.copytree(installed_once(dist, arch), root, symlinks=True)
        (root / "dev").mkdir()
        for name, minor in (("null", 3), ("urandom", 9)):
            os.mknod(root / "dev" / name, 0o020666, os.makedev(1, minor))
        (root / "tmp").mkdir(mode=0o1777)
        return root

    return root_of
