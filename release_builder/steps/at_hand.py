"""The sources of parts that a release has at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.errors import ReleaseBuilderError
from release_builder.files import open_regular
from release_builder.jigdo.sources import ImageSource
from release_builder.jigdo.template import read_template
from release_builder.jigdo.tree_source import TreeSource
from release_builder.steps.scan_places import scan_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.sources import DigestCache, PartSource
    from release_builder.jigdo.template import Template
    from release_builder.monitor import Monitor
    from release_builder.plan import Plan
    from release_builder.steps.find_pair import Pair
    from release_builder.steps.scan_places import ScanPlaces


@dataclass(frozen=True, slots=True)
class AtHand:
    """Where parts may be found without asking anyone.

    Attributes:
        tree: The files of the tree and of --scan.
        images: Images of earlier versions, then those of --scan.
        places: What --scan named; its notes are whole when all parts were looked for.
    """

    tree: TreeSource
    images: tuple[PartSource, ...]
    places: ScanPlaces

    @property
    def sources(self) -> tuple[PartSource, ...]:
        """All, in the order in which they are asked."""
        return (self.tree, *self.images)


def parts_at_hand(
    plan: Plan, pair: Pair, template: Template, cache: DigestCache, monitor: Monitor
) -> AtHand:
    """Where the parts of ``template`` may be found without asking anyone."""
    tree = plan.workdir.tree
    files = TreeSource(
        pair.jigdo.parts,
        (tree / plan.release.tree, tree, *plan.options.scan),
        (tree, *plan.options.scan),
        (part.length for part in template.description.parts),
        template.description.image.sum_length,
        cache,
    )
    places = scan_places(plan.options.scan)
    older = _older_images(plan, template, monitor)
    return AtHand(files, (*older, *places.sources(template.description)), places)


def is_at_hand(part: MatchedFile, sources: Iterable[PartSource]) -> bool:
    """Whether some source seems to have ``part``; its digest would tell for sure."""
    return any(True for source in sources for _ in source.candidates(part))


def _older_images(plan: Plan, template: Template, monitor: Monitor) -> Iterator[ImageSource]:
    """Images of earlier versions, as far as their pairs are still beside them."""
    workdir = plan.workdir
    wanted = {part.digest for part in template.description.parts}
    for path in sorted(workdir.pair.glob("*.template")):
        image = workdir.image / f"{path.stem.removesuffix('.iso')}.iso"
        if image.is_file() and image.name != plan.release.image:
            try:
                with open_regular(path) as stream:
                    description = read_template(stream, path.name).description
            except (ReleaseBuilderError, OSError) as error:  # it only would have saved a transfer
                monitor.detail(f"{path.name} is of no use: {error}")
            else:
                yield ImageSource(image, description, wanted)
