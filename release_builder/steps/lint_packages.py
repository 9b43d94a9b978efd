"""Whether every package of an installer tree is whole, and one that belongs there."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from release_builder.digests import digest_stream
from release_builder.errors import printable
from release_builder.files import open_regular
from release_builder.lanes import Lane
from release_builder.media.image import MediaError
from release_builder.media.rpm import check_payload, read_package
from release_builder.media.rpm_fit import misfits
from release_builder.media.rpm_fit_traits import read_traits
from release_builder.report import Finding, Severity, finding_of
from release_builder.steps.lint_findings import counted, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.sources import DigestCache
    from release_builder.media.repodata import Listed
    from release_builder.media.rpm import Package
    from release_builder.media.rpm_fit import Misfit
    from release_builder.media.rpm_fit_systems import EnterpriseLinux
    from release_builder.monitor import Monitor
    from release_builder.steps.compose_tree import TreeFiles

_I386: Final = frozenset({"i386", "i486", "i586", "i686", "athlon", "geode"})
_X86_64: Final = frozenset({"x86_64", "amd64", "ia32e"})
_FETCH: Final = "fetch it again, or build it again"


@dataclass(slots=True)
class Packages:
    """The packages of a tree, and what is wrong with them.

    Attributes:
        read: By path below the tree; without those that are no RPM.
        findings: What was found, by kind.
    """

    read: dict[str, Package] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What came of one file: a package, or why not, and whether it is as it was listed."""

    path: str
    status: os.stat_result
    package: Package | None = None
    problem: Finding | None = None
    digest: Digest | None = None
    was_known: bool = False
    misfits: tuple[Misfit, ...] = ()


def check_packages(  # noqa: PLR0913 (what of a release packages are held against)
    tree: TreeFiles,
    listed: Mapping[str, Listed],
    arch: str,
    cache: DigestCache,
    monitor: Monitor,
    *,
    el: EnterpriseLinux | None = None,
) -> Packages:
    """Read every package of ``tree``, all of it.

    Args:
        tree: Where they are.
        listed: What the metadata say of them, by path.
        arch: Of the release.
        cache: Digests known from before; learns those that are read.
        monitor: Hears how far the reading is.
        el: Whose rpm is to install the packages; None: that is not known.
    """
    result = Packages()
    unfit: dict[Misfit, list[str]] = defaultdict(list)
    broken: list[Finding] = []
    other: list[Finding] = []
    paths = [path for path in tree.files if path.endswith(".rpm")]

    def take(looked: _Looked) -> None:
        monitor.advance(looked.status.st_size)
        if looked.problem:
            broken.append(looked.problem)
        if looked.package:
            result.read[looked.path] = looked.package
        for misfit in looked.misfits:
            unfit[misfit].append(looked.path)
        if looked.digest:
            if not looked.was_known:
                cache.put(looked.status, looked.digest)
            if (entry := listed[looked.path]).digest != looked.digest:
                other.append(_not_as_listed(looked.path, looked.digest, entry.digest))

    monitor.begin("look at the packages", sum(tree.files[path].st_size for path in paths))
    try:
        with Lane(workers=2, on_result=take) as lane:
            for path in paths:
                entry, status = listed.get(path), tree.files[path]
                # What has another size than is listed was told to have it.
                right = entry and entry.size in {None, status.st_size}
                algorithm = entry.digest.algorithm if entry and right else None
                known = cache.get(status, algorithm) if algorithm else None
                lane.submit(partial(_look, tree.root, path, status, algorithm, known, el=el))
            lane.finish()
    finally:
        monitor.end()
    result.findings += shorten(broken, "packages are not whole")
    result.findings += shorten(other, "packages are not what the metadata say")
    result.findings += shorten(list(_misfits(result.read, arch)), "packages are for another arch")
    result.findings += shorten(list(_misnamed(result.read)), "packages have a wrong name")
    result.findings += shorten(list(_doubled(result.read)), "packages are there more than once")
    for misfit, found in sorted(unfit.items(), key=lambda item: str(item[0])):
        result.findings += counted(
            Severity.WARNING, sorted(found), f"unfit for {el}, {misfit}", misfit.hint
        )
    return result


def fits(package_arch: str, arch: str) -> bool:
    """Whether a package for ``package_arch`` can be installed where a release for ``arch`` is."""
    if arch in _I386:
        return package_arch in _I386 | {"noarch"}
    if arch in _X86_64:
        return package_arch in _X86_64 | _I386 | {"noarch"}
    return package_arch in {arch, "noarch"}


def _look(  # noqa: PLR0913 (a thread's own: nothing is shared)
    root: Path,
    path: str,
    status: os.stat_result,
    algorithm: str | None,
    known: Digest | None,
    *,
    el: EnterpriseLinux | None,
) -> _Looked:
    """Read one package; in a thread of its own."""
    package, problem, digest = None, None, known
    unfit: tuple[Misfit, ...] = ()
    try:
        with open_regular(root / path) as stream:
            status = os.fstat(stream.fileno())
            if algorithm and not known:
                digest = digest_stream(stream, [algorithm])[algorithm]
                stream.seek(0)
            try:
                package = read_package(stream, path)
                stream.seek(0)
                if el:
                    unfit = misfits(read_traits(stream, path), el)
                    stream.seek(0)
                check_payload(stream, path)
            except MediaError as error:
                problem = Finding(
                    Severity.WRONG, error.what, error.hint or _FETCH, path=printable(path)
                )
    except OSError as error:
        problem = finding_of(error)
    was_known = known is not None
    return _Looked(path, status, package, problem, digest, was_known=was_known, misfits=unfit)


def _not_as_listed(path: str, found: Digest, expected: Digest) -> Finding:
    return Finding(
        Severity.WRONG,
        f"{printable(path)}: found {found}, expected {expected}, as the metadata say",
        hint="fetch it again, or write the metadata anew with createrepo_c",
        path=printable(path),
    )


def _misfits(packages: Mapping[str, Package], arch: str) -> Iterator[Finding]:
    for path, package in packages.items():
        if not fits(package.arch, arch):
            yield Finding(
                Severity.WRONG,
                f"{printable(path)} is for {printable(package.arch)}, the release for {arch}",
                hint="remove it, or keep it out with `exclude:` below `compose:`",
                path=printable(path),
            )


def _misnamed(packages: Mapping[str, Package]) -> Iterator[Finding]:
    for path, package in packages.items():
        evr = package.evr
        name = f"{package.name}-{evr.version}-{evr.release}.{package.arch}.rpm"
        if path.rpartition("/")[2] != name:
            yield Finding(
                Severity.WRONG,
                f"{printable(path)} is called {printable(name)} by its own header",
                hint="rename it, and write the metadata anew with createrepo_c",
                path=printable(path),
            )


def _doubled(packages: Mapping[str, Package]) -> Iterator[Finding]:
    same: dict[tuple[str, str], list[Package]] = defaultdict(list)
    for package in packages.values():
        same[package.key].append(package)
    for (name, arch), found in sorted(same.items()):
        if len(found) > 1:
            versions = ", ".join(printable(str(evr)) for evr in sorted(each.evr for each in found))
            yield Finding(
                Severity.WARNING,
                f"{printable(name)}.{printable(arch)} is there {len(found)} times: {versions}",
                hint="keep the newest only",
            )
