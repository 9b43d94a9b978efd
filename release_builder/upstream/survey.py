"""What a mirror has: its releases in version order, what they lack, and what leads to them."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from release_builder.transport.listing import EntryKind
from release_builder.upstream.completeness import SUMS, lacking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from release_builder.descriptor.version import Stage, Version
    from release_builder.transport.listing import Entry, Lister
    from release_builder.upstream.layout import Layout

_LINKS: Final = 8  # that may lead one to another


@dataclass(frozen=True, slots=True)
class Found:
    """A release that a mirror has.

    Attributes:
        version: Its version.
        folder: Where it lies below the root, such as ``testing/9.0beta3``.
        lacks: By arch that it has anything of, what is not there yet, such as ``the template``.
        links: What leads to it below the root, such as ``testing/9``.
    """

    version: Version
    folder: str
    lacks: Mapping[str, tuple[str, ...]]
    links: tuple[str, ...] = ()

    @property
    def stage(self) -> Stage:
        """Where it lies."""
        return self.version.stage

    @property
    def arches(self) -> tuple[str, ...]:
        """The arches that it has anything of."""
        return tuple(self.lacks)

    def missing(self, arches: Sequence[str]) -> tuple[str, ...]:
        """What it lacks of ``arches``, such as ``x86_64: the template``; nothing: complete."""
        return tuple(
            f"{arch}: {what}" if what else f"{arch}: all of it"
            for arch in arches
            for what in self.lacks.get(arch, ("",))
        )

    def is_complete(self, arches: Sequence[str]) -> bool:
        """Whether all is there that an image of each of ``arches`` takes."""
        return bool(arches) and not self.missing(arches)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a mirror has.

    Attributes:
        releases: From the oldest to the newest.
        links: By link below the root, the folder that it leads to; empty where the mirror does
            not show that.
    """

    releases: tuple[Found, ...]
    links: Mapping[str, str]

    def at(self, folder: str) -> Found | None:
        """The release in ``folder``; None for none."""
        return next((each for each in self.releases if each.folder == folder), None)


def survey(
    lister: Lister,
    layout: Layout,
    arches: Sequence[str],
    is_wanted: Callable[[Version], bool] = lambda _version: True,
) -> Survey:
    """Look what a mirror has.

    Sums may be missing for ever: that counts only where another release there has some.

    Args:
        lister: Of the root.
        layout: Where the releases lie.
        arches: Which arches are looked for.
        is_wanted: Which releases are looked into.

    Raises:
        ReleaseBuilderError: The mirror does not tell.
    """
    listed = lister.folders(layout.folders)
    places, links = _places(listed, layout)
    versions = {
        place: version
        for place in places
        if (version := layout.version_at(place)) and is_wanted(version)
    }
    inside = lister.folders(
        posixpath.join(places[place], folder)
        for place, version in versions.items()
        for arch in arches
        for folder in (*layout.jigdo(version, arch), layout.tree(version, arch))
    )
    found = [
        Found(version, place, lacking(inside, places[place], layout, version, arches))
        for place, version in versions.items()
    ]
    found = [replace(each, lacks=_without_vain_hopes(each, found)) for each in found]
    leading = [replace(each, links=_leading_to(each.folder, links)) for each in found]
    return Survey(tuple(sorted(leading, key=lambda each: each.version)), links)


def _places(
    listed: Mapping[str, Sequence[Entry]], layout: Layout
) -> tuple[dict[str, str], dict[str, str]]:
    """By release's folder, where it lies in truth; and by link, the folder that it leads to."""
    entries = {
        posixpath.join(folder, entry.name): entry
        for folder, inside in listed.items()
        for entry in inside
        if entry.kind is not EntryKind.FILE
    }
    places, links = dict[str, str](), dict[str, str]()
    for place, entry in entries.items():
        if entry.kind is EntryKind.FOLDER:
            if _has_name_of_link(place, entries, layout):
                links[place] = ""
            else:
                places[place] = place
            continue
        target = _target(place, entries, layout)
        if target in entries and layout.version_at(target) and target != place:
            links[place] = target
        elif layout.major_of_link(place) is None or target.startswith("."):
            places[place] = target
    return places, links


def _has_name_of_link(place: str, entries: Mapping[str, Entry], layout: Layout) -> bool:
    """Whether a folder is likely a link that is shown as one: a release of its own is alone."""
    major = layout.major_of_link(place)
    if major is None:
        return False
    beside = (other for other in entries if posixpath.dirname(other) == posixpath.dirname(place))
    versions = (layout.version_at(other) for other in beside if other != place)
    return any(version.major == major for version in versions if version)


def _target(place: str, entries: Mapping[str, Entry], layout: Layout) -> str:
    """Where a link leads in the end; ``place`` itself if that is out of the root."""
    at = place
    for _ in range(_LINKS):
        entry = entries.get(at)
        if entry is None or entry.kind is not EntryKind.LINK:
            break
        at = posixpath.normpath(posixpath.join(posixpath.dirname(at), entry.target))
        if at.startswith(("/", "..")):
            return place
        if layout.version_at(at) and layout.major_of_link(at) is None:
            break  # a release, whose folder may be a link to its newest generation
    return at


def _without_vain_hopes(found: Found, all_found: Sequence[Found]) -> dict[str, tuple[str, ...]]:
    others = [each for each in all_found if each.folder != found.folder]
    if any(SUMS not in what for each in others for what in each.lacks.values()):
        return dict(found.lacks)
    return {
        arch: tuple(each for each in what if each != SUMS) for arch, what in found.lacks.items()
    }


def _leading_to(folder: str, links: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(link for link, target in links.items() if target == folder))
