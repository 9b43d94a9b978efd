"""What became of a release whose folder is no longer where it was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from release_builder.upstream.survey import survey

if TYPE_CHECKING:
    from release_builder.descriptor.mirror import Mirror
    from release_builder.descriptor.version import Version
    from release_builder.transport.listing import Lister
    from release_builder.upstream.layout import Layout
    from release_builder.upstream.survey import Found


class Fate(StrEnum):
    """What became of a release."""

    THERE = "there"  # after all
    PROMOTED = "promoted"  # the final is there
    REPLACED = "replaced"  # a newer one of the same numbers is there
    OBSOLETE = "obsolete"  # it was put aside
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What became of a release.

    Attributes:
        fate: What became of it.
        message: That in words.
        hint: What to write into the descriptor.
        mirror: Where the release, or the one that followed, lies now; empty for nowhere.
        version: Of the one that lies there; None for none.
    """

    fate: Fate
    message: str
    hint: str
    mirror: str = ""
    version: Version | None = None


def whereabouts(version: Version, mirror: Mirror, lister: Lister, layout: Layout) -> Whereabouts:
    """What became of ``version``.

    Args:
        version: The release.
        mirror: The root.
        lister: Of the root.
        layout: Where releases lie.

    Raises:
        ReleaseBuilderError: The mirror does not tell.
    """
    kin = survey(lister, layout, (), lambda each: each.numbers == version.numbers)
    place, aside = layout.place(version), layout.obsolete(version)
    if kin.at(place):
        there = f"{mirror.url}{place}/"
        return Whereabouts(Fate.THERE, f"{version} is there", "run again", there, version)
    newer = [each for each in kin.releases if each.version > version]
    if newer:
        return _followed(version, newer[-1], mirror)
    if aside in lister.folders([aside]):
        return Whereabouts(
            Fate.OBSOLETE,
            f"{version} is obsolete: the mirror moved it to {aside}",
            "remove its descriptor, or name the newest with `track:`",
            f"{mirror.url}{aside}/",
            version,
        )
    return Whereabouts(
        Fate.GONE,
        f"{version} is gone: the mirror has it neither at {place} nor at {aside}",
        "remove its descriptor, name another mirror, or follow the newest with `track:`",
    )


def _followed(version: Version, newer: Found, mirror: Mirror) -> Whereabouts:
    if newer.version.is_final:
        fate, what = Fate.PROMOTED, f"{version} became the final: {newer.version}"
    else:
        fate, what = Fate.REPLACED, f"{newer.version} followed {version}"
    there = f"{mirror.url}{newer.folder}/"
    hint = f"write `version: {newer.version}` and `mirror: {there}`"
    return Whereabouts(fate, f"{what}, at {newer.folder}", hint, there, newer.version)
