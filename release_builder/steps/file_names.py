"""What the files of a public image are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from release_builder.descriptor.release import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNames:
    """What the files of an image are called, all in ``folder`` below the release's."""

    folder: str
    image: str
    jigdo: str
    template: str
    manifest: str
    metalink: str
    picture: str

    @classmethod
    def of(cls, release: Release) -> FileNames:
        """The names of a release's files."""
        stem = release.image.removesuffix(".iso")
        return cls(
            folder=release.jigdo[0],
            image=release.image,
            jigdo=f"{stem}.jigdo",
            template=f"{stem}.template",
            manifest=f"{stem}.manifest.json",
            metalink=f"{release.image}.meta4",
            picture=f"{stem}.svg",
        )
