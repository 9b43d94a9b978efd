"""The folders of a run: every path below a workdir is a property here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.files import check_link
from release_builder.transport.rsync import HELD_BACK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.descriptor.release import Release


@dataclass(frozen=True, slots=True)
class Workdir:
    """The folders of one release's run, below ``root``."""

    root: Path

    @property
    def tree(self) -> Path:
        """The byte-equal copy of the mirror's files; only ``sync`` writes into it."""
        return self.root / "tree"

    @property
    def pair(self) -> Path:
        """The rewritten .jigdo and its template."""
        return self.root / "pair"

    @property
    def image(self) -> Path:
        """The finished images, and the unfinished one."""
        return self.root / "image"

    @property
    def upload(self) -> Path:
        """The files that a pair built upon an older one needs besides."""
        return self.root / "upload"

    @property
    def aside(self) -> Path:
        """What was in the way."""
        return self.root / "aside"

    @property
    def lock(self) -> Path:
        """Held by the run that works here."""
        return self.root / ".lock"

    def check_folders(self) -> None:
        """See that no link of somebody else leads a run elsewhere.

        Raises:
            SurroundingsError: One does; one of root or of this user is a wish.
        """
        for path in (self.tree, self.pair, self.image, self.upload, self.aside):
            check_link(path)

    def held_back_folders(self) -> tuple[Path, ...]:
        """Where rsync keeps what a sync that was cut off had fetched."""
        return tuple(self.tree.rglob(HELD_BACK))

    def held_back(self) -> int:
        """Bytes that the next sync need not find room for, since they are here already."""
        files = (path for folder in self.held_back_folders() for path in folder.rglob("*"))
        return sum(path.lstat().st_blocks * 512 for path in files)


def workdir_of(release: Release, releases: Sequence[Release], given: Path | None) -> Workdir:
    """Where ``release`` is worked on.

    Args:
        release: The release in question.
        releases: All releases of the run.
        given: The command line's folder. It is taken as it is for a run of one release; the
            releases of a larger run have a folder a product and arch each below it.
    """
    if given is None:
        return Workdir(release.workdir)
    if len(releases) == 1:
        return Workdir(given.absolute())
    return Workdir(given.absolute() / f"{release.product}-{release.arch}")
