"""What will be done for a release, as data: which steps, in which folders, with which options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.mirror import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.descriptor.release import Release
    from release_builder.descriptor.version import Stage
    from release_builder.plan.workdir import Workdir

BUILD: Final = ("sync", "rewrite", "assemble", "verify")


def steps_for(release: Release, steps: Sequence[str]) -> tuple[str, ...]:
    """``steps`` as they are for ``release``: of a web server just the pair is fetched at first."""
    by_web = release.mirror.kind is Kind.HTTP
    return tuple("fetch" if by_web and step == "sync" else step for step in steps)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says beside the descriptor.

    Attributes:
        workdir: In the place of the descriptor's.
        offline: Ask no mirror; work with what is here.
        stage: In the place of the stage that follows from the version.
        scan: More folders and files in which parts may be found.
        full: Read everything, trust no digest known from before.
    """

    workdir: Path | None = None
    offline: bool = False
    stage: Stage | None = None
    scan: tuple[Path, ...] = ()
    full: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for one release, in order."""

    release: Release
    workdir: Workdir
    steps: tuple[str, ...]
    options: Options

    @property
    def stage(self) -> Stage:
        """Whether the tree is meant to lie under the beta's or the final path."""
        return self.options.stage or self.release.version.stage
