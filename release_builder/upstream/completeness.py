"""Whether all of a release is there that an image takes: .jigdo, template, sums."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from release_builder.trust.sums import is_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_builder.descriptor.version import Version
    from release_builder.transport.listing import Entry
    from release_builder.upstream.layout import Layout

JIGDO: Final = "the .jigdo"
TEMPLATE: Final = "the template"
SUMS: Final = "the sums"
_OF_MANY: Final = re.compile(
    r"(?:(?:md5|sha1|sha256|sha512)sums?|.*checksum)(?:\.txt)?(?:\.asc)?", re.IGNORECASE | re.ASCII
)


def lacking(
    inside: Mapping[str, Sequence[Entry]],
    folder: str,
    layout: Layout,
    version: Version,
    arches: Sequence[str],
) -> dict[str, tuple[str, ...]]:
    """By arch that the release in ``folder`` has anything of, what it lacks.

    Args:
        inside: By folder below the mirror's root, what lies there.
        folder: Of the release, as ``inside`` names it.
        layout: Where its parts lie.
        version: Of the release.
        arches: That may be there.
    """
    found = {}
    for arch in arches:
        folders = [posixpath.join(folder, each) for each in layout.jigdo(version, arch)]
        tree = posixpath.join(folder, layout.tree(version, arch))
        if any(each in inside for each in (*folders, tree)):
            names = {entry.name for each in folders for entry in inside.get(each, ())}
            found[arch] = _lacking(names, layout.image(version, arch))
    return found


def _lacking(names: set[str], image: str) -> tuple[str, ...]:
    there = {
        JIGDO: any(name.endswith(".jigdo") for name in names),
        TEMPLATE: any(name.endswith(".template") for name in names),
        SUMS: any(_OF_MANY.fullmatch(name) or is_of(name, image) for name in names),
    }
    return tuple(what for what, is_there in there.items() if not is_there)
