"""Repositories of a few bytes: whoever only moves files about does not look into images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.public.exchange import exchange
from release_builder.repository.configuration import Series
from release_builder.repository.contents import compose_contents, read_contents
from release_builder.repository.description import Described
from release_builder.repository.mirror import find_mirror, place_of
from release_builder.repository.publication import publish
from release_builder.repository.selection import Policy, pairs
from release_builder.repository.sums import sums_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from release_builder.repository.contents import Contents
    from release_builder.repository.served_tree import Published

URL = "https://images.example.test"
ONE, TWO, THREE = (f"puavo-os-amxa-buster-202{n}-01-01-000000-amd64.img" for n in (1, 2, 3))
FREE = "puavo-os-free-buster-2022-02-04-140532-amd64.img"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a repository is to serve, and where the bytes lie."""

    contents: Contents
    places: Mapping[str, Path]


def make_offer(folder: Path, series: Mapping[str, Mapping[str, str]]) -> Offer:
    """Put images, by name and text, and what stands for their deltas into ``folder``."""
    (folder / "made").mkdir(parents=True, exist_ok=True)
    chosen, images, rdiffs, places = [], {}, {}, {}
    for name, texts in series.items():
        told = Series(name, tuple(texts))
        chosen.append((told, pairs(told, Policy())))
        for image, text in texts.items():
            places[image] = _written(folder / image, text)
            images[image] = Described(sums_of(places[image]), {"said": text})
        for pair in chosen[-1][1]:
            text = f"{texts[pair.source]} to {texts[pair.target]}"
            places[pair.rdiff] = _written(folder / "made" / pair.rdiff, text)
            rdiffs[pair] = sums_of(places[pair.rdiff])
    return Offer(compose_contents(chosen, images, rdiffs, URL), places)


def serve(
    path: Path,
    offer: Offer,
    *,
    generations: bool = False,
    swap: Callable[[Path, Path], bool] = exchange,
) -> Published:
    """Let the mirror ``path`` serve an offer."""
    return publish(
        find_mirror(path),
        offer.contents,
        offer.places,
        sums_of=sums_of,
        exchange=swap,
        generations=generations,
    )


def assert_nothing_wrong(root: Path) -> None:
    """All that ``root`` says is true, and CKSUMS tells of all that meta tells of."""
    told = read_contents(root)
    for name, sums in told.files.items():
        assert sums_of(place_of(root, name)) == sums, name
    cksums = told.cksums or {}
    for name, (crc, size) in cksums.items():
        found = sums_of(place_of(root, name))
        assert (found.cksum, found.size) == (crc, size), name
    assert told.files.keys() <= cksums.keys()


def assert_serves(root: Path, offer: Offer) -> None:
    """``root`` serves an offer, and says nothing else."""
    assert_nothing_wrong(root)
    told = read_contents(root)
    assert told.metas == offer.contents.metas
    assert (root / "CKSUMS").read_bytes() == offer.contents.cksums


def _written(path: Path, text: str) -> Path:
    if not path.is_file() or path.read_text() != text:
        # Another file, as somebody makes it who does not write into the old one.
        path.unlink(missing_ok=True)
        path.write_text(text)
    return path
