"""The packages of a release, as their headers or only their file names tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.media.rpm_version import Evr

if TYPE_CHECKING:
    from release_builder.digests import Digest
    from release_builder.media.rpm import Change, Package

SUFFIX: Final = ".rpm"
# rpm's own default, %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm; neither of the last three may
# contain a hyphen, nor the architecture a dot.
_FILE_NAME: Final = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)-(?P<release>[^-]+)\.(?P<arch>\w+)")


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A package of a release.

    Attributes:
        path: Below the tree or the root of the image, or as [Parts] names it.
        name: Of the package.
        evr: Epoch, version and release; the epoch is 0 where only the file name is known.
        arch: ``src`` for source packages.
        size: Bytes of the file; None where unknown.
        digest: Of the file; None where unknown.
        from_header: Whether the package itself was read; else its file name alone.
        built: Seconds since 1970; 0 where unknown.
        changes: The changelog, newest first; empty where unknown.
    """

    path: str
    name: str
    evr: Evr
    arch: str
    size: int | None = None
    digest: Digest | None = None
    from_header: bool = False
    built: int = 0
    changes: tuple[Change, ...] = ()

    @property
    def nevra(self) -> str:
        """Such as ``bash-4.2-1.el7.x86_64``; tells apart what rpm would call equal."""
        return f"{self.name}-{self.evr}.{self.arch}"


def from_header(package: Package, path: str, digest: Digest | None) -> PackageFile:
    """The package at ``path`` whose headers were read."""
    return PackageFile(
        path=path,
        name=package.name,
        evr=package.evr,
        arch=package.arch,
        size=package.size,
        digest=digest,
        from_header=True,
        built=package.built,
        changes=package.changes,
    )


def from_file_name(path: str, size: int | None, digest: Digest | None) -> PackageFile | None:
    """The package at ``path`` by its name alone; None when no package is called so."""
    leaf = path.rpartition("/")[2]
    found = _FILE_NAME.fullmatch(leaf.removesuffix(SUFFIX)) if leaf.endswith(SUFFIX) else None
    if not found:
        return None
    evr = Evr(0, found["version"], found["release"])
    return PackageFile(path, found["name"], evr, found["arch"], size, digest)
