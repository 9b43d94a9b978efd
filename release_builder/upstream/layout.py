"""Where a product's releases lie below a mirror's root, as its profile says."""

from __future__ import annotations

import posixpath
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.patterns import expand
from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.version import Stage, Version
from release_builder.errors import DescriptorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.descriptor.model import Profile

_VERSION: Final = "{version}"
_MAJOR: Final = "{major}"
_LEAST: Final = (3, 4)  # of a URL's pieces: scheme, nothing, host and, for rsync, the module


@dataclass(frozen=True, slots=True)
class Layout:
    """Where releases lie; all paths are below the root, without slashes around.

    Attributes:
        profile: That says so.
        folders: The folders that the releases' own lie in; empty for the root.
    """

    profile: Profile
    folders: tuple[str, ...]

    @classmethod
    def of(cls, profile: Profile) -> Layout:
        """The layout of ``profile``.

        Raises:
            DescriptorError: Its folders cannot be found without knowing what lies in them.
        """
        patterns = [profile.folder.of(stage) for stage in Stage]
        for pattern in patterns:
            folder, leaf = posixpath.split(pattern)
            if leaf != _VERSION or "{" in folder:
                raise DescriptorError(
                    f"{profile.name}: releases in {pattern} cannot be looked for",
                    hint="`folder:` of the profile must be such as testing/{version}",
                )
        return cls(profile, tuple(dict.fromkeys(map(posixpath.dirname, patterns))))

    def place(self, version: Version) -> str:
        """Where ``version`` lies, such as ``testing/9.0beta3``."""
        return self._expanded(self.profile.folder.of(version.stage), version)

    def obsolete(self, version: Version) -> str:
        """Where ``version`` goes when another one replaced it."""
        return self._expanded(self.profile.obsolete, version)

    def link(self, version: Version) -> str | None:
        """What leads to the newest like ``version``, such as ``testing/9``; None for no link."""
        links = self.profile.link
        return self._expanded(links.of(version.stage), version) if links else None

    def version_at(self, place: str) -> Version | None:
        """The version whose place ``place`` is; None if it is none's."""
        with suppress(RefusedError):
            version = Version.parse(posixpath.basename(place))
            if self.place(version) == place:
                return version
        return None

    def major_of_link(self, place: str) -> int | None:
        """The major version that a link called ``place`` is of; None if it is no such name."""
        links = self.profile.link
        for pattern in [links.of(stage) for stage in Stage] if links else []:
            expression = re.escape(pattern).replace(re.escape(_MAJOR), "([0-9]{1,9})")
            if match := re.fullmatch(expression, place):
                return int(match[1]) if match.groups() else None
        return None

    def jigdo(self, version: Version, arch: str) -> tuple[str, ...]:
        """Where the .jigdo for ``arch`` may lie in a release's folder, without slashes around."""
        found = (self._expanded(each, version, arch) for each in self.profile.jigdo)
        return tuple(folder.rstrip("/") for folder in found)

    def tree(self, version: Version, arch: str) -> str:
        """Where the packages for ``arch`` lie in a release's folder, without slashes around."""
        return self._expanded(self.profile.tree, version, arch).rstrip("/")

    def image(self, version: Version, arch: str) -> str:
        """What the image is called."""
        return self._expanded(self.profile.image, version, arch)

    def root_and_place(self, url: str) -> tuple[str, str]:
        """``url`` parted where a release's place, or a link's, begins.

        Args:
            url: Of a mirror, with a slash at the end; it may lead to the root, to a place below
                it, or into a release.

        Returns:
            The root with a slash at its end, and the place; empty if the URL leads to the root.
        """
        names = url.rstrip("/").split("/")
        least = _LEAST[url.startswith("rsync:")]
        for end in range(len(names), least, -1):
            for folder in sorted(self.folders, key=len, reverse=True):
                depth = len(_names(folder)) + 1
                place = "/".join(names[end - depth : end])
                is_place = self.version_at(place) or self.major_of_link(place) is not None
                if end - depth >= least and is_place:
                    return "/".join(names[: end - depth]) + "/", place
        for folder in filter(None, self.folders):
            if _ends(names, _names(folder)):
                return "/".join(names[: -len(_names(folder))]) + "/", ""
        return url, ""

    def _expanded(self, pattern: str, version: Version, arch: str = "") -> str:
        values = {"version": version.text, "major": str(version.major)}
        return expand(pattern, {**values, "arch": arch, "product": self.profile.name})


def _names(folder: str) -> list[str]:
    return folder.split("/") if folder else []


def _ends(names: Sequence[str], last: Sequence[str]) -> bool:
    return len(names) > len(last) and list(names[-len(last) :]) == list(last)
