"""What will be done for a release, as data: which steps, in which folders, with which options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.mirror import Kind
from release_builder.errors import DescriptorError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.descriptor.publication import Publication
    from release_builder.descriptor.release import Release
    from release_builder.descriptor.version import Stage
    from release_builder.plan.workdir import Workdir

BUILD: Final = ("sync", "rewrite", "assemble", "verify")
COMPOSE: Final = ("lint", "compose", "pair")


def steps_for(release: Release, steps: Sequence[str]) -> tuple[str, ...]:
    """``steps`` as they are for ``release``: of a web server just the pair is fetched at first."""
    by_web = release.mirror.kind is Kind.HTTP
    return tuple("fetch" if by_web and step == "sync" else step for step in steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """How a beta becomes the final.

    Attributes:
        beta: What is public already.
        same_image: Whether its very bytes shall be the final's, whatever they call themselves.
        obsolete: Whether the beta moves away then.
        dry_run: Only tell what would be done.
    """

    beta: Release
    same_image: bool = False
    obsolete: bool = False
    dry_run: bool = False
    make_room: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says beside the descriptor.

    Attributes:
        workdir: In the place of the descriptor's.
        offline: Ask no mirror; work with what is here.
        stage: In the place of the stage that follows from the version.
        scan: More folders and files in which parts may be found.
        full: Read everything, trust no digest known from before.
        base: An older .jigdo whose parts keep their servers in a new one.
        promotion: Of which beta the release is the final.
        dry_run: Only tell what would be cleared away.
        make_room: Whether old images may go for room, and `retain.free` stays free.
    """

    workdir: Path | None = None
    offline: bool = False
    stage: Stage | None = None
    scan: tuple[Path, ...] = ()
    full: bool = False
    base: Path | None = None
    promotion: Promotion | None = None
    dry_run: bool = False
    make_room: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for one release, in order.

    Attributes:
        release: The release.
        workdir: Where it is worked on.
        steps: What is done.
        options: What was said of it besides.
        also: The same for other arches that become public together with it, or not at all.
    """

    release: Release
    workdir: Workdir
    steps: tuple[str, ...]
    options: Options
    also: tuple[Plan, ...] = ()

    @property
    def each(self) -> tuple[Plan, ...]:
        """The plan of each arch, this one first."""
        return (self, *self.also)

    @property
    def stage(self) -> Stage:
        """Whether the tree is meant to lie under the beta's or the final path."""
        return self.options.stage or self.release.version.stage

    def server_urls(self, label: str) -> tuple[str, ...]:
        """Where the parts of ``label`` are once the release is public: the main server, mirrors."""
        release, publish = self.release, self.release.publish
        first = release.servers[label].of(self.stage)
        if publish is None:
            return (first,)
        inside = publish.url is not None and first.startswith(publish.url)
        below = first.removeprefix(publish.url or "") if inside else self._tree_below_root(publish)
        return tuple(dict.fromkeys((first, *(mirror + below for mirror in publish.mirrors))))

    def _tree_below_root(self, publish: Publication) -> str:
        return f"{publish.folder_at(self.stage)}/{self.release.tree}"


def together(plans: Sequence[Plan]) -> tuple[Plan, ...]:
    """``plans`` with those made one whose releases become public as one folder.

    Raises:
        DescriptorError: Two are of the same arch and image: one would replace the other.
    """
    groups: dict[object, list[Plan]] = {}
    for plan in plans:
        publish = plan.release.publish
        place = (publish.root, publish.folder_at(plan.stage)) if publish else id(plan)
        groups.setdefault(place, []).append(plan)
    for group in groups.values():
        names = [(plan.release.jigdo[0], plan.release.image) for plan in group]
        if len(set(names)) < len(names):
            raise DescriptorError(
                f"{' and '.join(str(plan.release.descriptor) for plan in group)}"
                f" publish the same image, {group[0].release.image}",
                hint="give one of them another `image:`",
            )
    return tuple(replace(first, also=tuple(others)) for first, *others in groups.values())
