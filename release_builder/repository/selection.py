"""Which deltas a repository offers.

Source: puavo-os, ``.aux/make-rdiffs.rake``: the last three images of a series are targets, and
each other image of it is a source, newer ones too. Clients never apply two deltas one after
another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.repository.names import ImageName, parse_image, rdiff_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from release_builder.repository.configuration import Series


@dataclass(frozen=True, slots=True)
class Pair:
    """A delta to offer, by the file names of its images."""

    source: str
    target: str

    @property
    def rdiff(self) -> str:
        """The file name of the delta."""
        return rdiff_name(image_name(self.source), image_name(self.target))


@dataclass(frozen=True, slots=True)
class Policy:
    """Which deltas are worth their room; the defaults are the original's.

    Attributes:
        targets: How many images at a series' end get deltas that lead to them.
        sources: How many images before a target get a delta to it; None: all.
        downgrades: Whether deltas lead back, from images after the target.
        largest_share: Percent of its target's size that a delta may have; None: any size.
    """

    targets: int = 3
    sources: int | None = None
    downgrades: bool = True
    largest_share: int | None = None

    def is_worthwhile(self, delta: int, image: int) -> bool:
        """Whether a delta of ``delta`` bytes is worth offering for an image of ``image`` bytes."""
        return self.largest_share is None or delta * 100 <= image * self.largest_share


def pairs(series: Series, policy: Policy) -> tuple[Pair, ...]:
    """The deltas of a series: by target, then by source, each in the configuration's order.

    What ``extra_rdiffs`` asks for follows the others of its target, whatever the policy says.
    """
    return tuple(dict.fromkeys(_pairs(series, policy)))


def ambiguous(chosen: Iterable[Pair]) -> tuple[Pair, ...]:
    """Those of ``chosen`` whose delta would have the name of an earlier one's, but other bytes."""
    first: dict[str, Pair] = {}
    return tuple(pair for pair in chosen if first.setdefault(pair.rdiff, pair) != pair)


def image_name(name: str) -> ImageName:
    """The parts of a name that is known to be an image's.

    Raises:
        ValueError: It is none.
    """
    parsed = parse_image(name)
    if parsed is None:
        raise ValueError(name)
    return parsed


def _pairs(series: Series, policy: Policy) -> Iterator[Pair]:
    images = series.images
    first = max(0, len(images) - policy.targets)
    for place, target in enumerate(images):
        if place >= first:
            older = (
                images[:place] if policy.sources is None else _last(images[:place], policy.sources)
            )
            newer = images[place + 1 :] if policy.downgrades else ()
            yield from (Pair(source, target) for source in (*older, *newer))
        yield from (Pair(source, target) for source in series.extra_rdiffs.get(target, ()))


def _last(images: tuple[str, ...], count: int) -> tuple[str, ...]:
    return images[max(0, len(images) - count) :]
