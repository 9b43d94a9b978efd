"""What a URL says of the three keys of a new descriptor."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.descriptor.track import Track
from release_builder.errors import DescriptorError
from release_builder.upstream.survey import survey

if TYPE_CHECKING:
    from release_builder.descriptor.mirror import Mirror
    from release_builder.descriptor.version import Version
    from release_builder.transport.listing import Lister
    from release_builder.upstream.layout import Layout
    from release_builder.upstream.survey import Found, Survey


@dataclass(frozen=True, slots=True)
class Start:
    """What a new descriptor begins with.

    Attributes:
        named: The version, or what is followed in its place.
        arches: Those that the mirror has.
        mirror: Where the version is fetched from, or the root that the track is below.
    """

    named: Version | Track
    arches: tuple[str, ...]
    mirror: str


def start_of(place: str, root: Mirror, lister: Lister, layout: Layout) -> Start | None:
    """What the mirror says of ``place``; None if it has nothing like a release there.

    Args:
        place: Of a release or of a link below the root; empty: the newest release counts.
        root: The folder that all releases lie below.
        lister: Of ``root``.
        layout: Of a product whose mirror it may be.

    Raises:
        ReleaseBuilderError: The mirror does not tell.
    """
    there = survey(lister, layout, layout.profile.arches)
    known = [each for each in there.releases if each.arches]
    if found := next((each for each in known if each.folder == place), None):
        return Start(found.version, found.arches, f"{root.url}{place}/")
    if not known:
        return None
    newest = _newest(place, known, there)
    if newest is None:
        return None
    above = posixpath.dirname(newest.folder)
    track = Track.parse(place or posixpath.join(above, str(newest.version.major)))
    return Start(track, newest.arches, root.url)


def start_offline(place: str, root: Mirror, layout: Layout) -> Start:
    """What the words of a URL say; see start_of for the arguments.

    Raises:
        DescriptorError: They do not tell a version.
    """
    version = layout.version_at(place)
    if version is None or layout.major_of_link(place) is not None:
        raise DescriptorError(
            f"{root.url}{place} does not tell a version by its name",
            hint="name the folder of a release, or ask the mirror: without --offline",
        )
    return Start(version, (layout.profile.example.arch,), f"{root.url}{place}/")


def _newest(place: str, known: list[Found], there: Survey) -> Found | None:
    if not place:
        return known[-1]
    if place not in there.links:
        return None
    track = Track.parse(place)
    fit = [each for each in known if track.takes(each.version)]
    linked = [each for each in fit if place in each.links]
    return (linked or fit)[-1] if fit else None
