"""What a release consists of: the value that releases are compared by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from release_builder.comparison.packages import PackageFile
    from release_builder.digests import Digest

SMALLEST_PART: Final = 1024  # bytes; what is smaller, writers leave in the template


@dataclass(frozen=True, slots=True)
class File:
    """A file of a release.

    Attributes:
        path: Below the tree or the root of the image, or as [Parts] names it.
        size: Bytes; None where unknown.
        digest: Of its bytes; None where unknown.
    """

    path: str
    size: int | None
    digest: Digest | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a release consists of.

    Attributes:
        label: What the user called it; printable.
        packages: By name and architecture.
        files: All others, by path; without those that only a template has, where it was read
            from a .jigdo.
        whole: Whether ``files`` has all there are.
        parts: What its images are made of, with the bytes of each; None where unknown. For a
            release without a .jigdo they are its files of at least SMALLEST_PART bytes.
        template_size: Bytes of all templates; None where they are not at hand.
        problems: What could not be read, one sentence each.
    """

    label: str
    packages: tuple[PackageFile, ...]
    files: tuple[File, ...]
    whole: bool
    parts: Mapping[Digest, int | None]
    template_size: int | None
    problems: tuple[str, ...] = ()

    @property
    def has_headers(self) -> bool:
        """Whether packages themselves were read, not their file names alone: changelogs are known."""
        return any(package.from_header for package in self.packages)

    @property
    def size(self) -> int | None:
        """Bytes of all packages; None where that of one is unknown."""
        return total(package.size for package in self.packages)


@dataclass(slots=True)
class Contents:
    """Packages and files that are being collected."""

    packages: list[PackageFile] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def sorted_packages(self) -> tuple[PackageFile, ...]:
        """Each once: two trees of one release share packages for all architectures."""
        each = {(package.nevra, package.digest): package for package in self.packages}
        return tuple(sorted(each.values(), key=lambda one: (one.name, one.arch, one.evr)))

    def sorted_files(self) -> tuple[File, ...]:
        """By path."""
        return tuple(sorted(self.files, key=lambda file: file.path))

    def parts(self) -> dict[Digest, int | None]:
        """What an image of all this would be made of."""
        everything: tuple[PackageFile | File, ...] = (*self.packages, *self.files)
        return {
            each.digest: each.size
            for each in everything
            if each.digest and (each.size or 0) >= SMALLEST_PART
        }


def total(sizes: Iterable[int | None]) -> int | None:
    """The sum of ``sizes``; None where one is unknown."""
    summed = 0
    for size in sizes:
        if size is None:
            return None
        summed += size
    return summed
