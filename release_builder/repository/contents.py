"""What a repository serves, and what its meta files and CKSUMS say of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from release_builder.errors import WrongBytesError, printable
from release_builder.files import open_regular, read_bounded
from release_builder.repository.cksums import format_cksums, parse_cksums
from release_builder.repository.description import describe, parse_meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from release_builder.repository.configuration import Series
    from release_builder.repository.description import Described
    from release_builder.repository.selection import Pair
    from release_builder.repository.sums import Sums

CKSUMS: Final = "CKSUMS"
META: Final = "meta"
RDIFFS: Final = "rdiffs"
SIGNATURE: Final = ".asc"  # added to the name of what somebody signed

_MOST_BYTES: Final = 64 << 20

_Said = TypeVar("_Said")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a repository is to serve.

    Attributes:
        images: By file name.
        rdiffs: By file name.
        metas: By series: the content of its meta file.
        cksums: The content of CKSUMS.
    """

    images: Mapping[str, Sums]
    rdiffs: Mapping[str, Sums]
    metas: Mapping[str, bytes]
    cksums: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What the files of a repository say that it serves.

    Attributes:
        images: By file name.
        rdiffs: By file name; the pair, and what the bytes must be.
        metas: By name of the meta file without ``.json``: its content.
        cksums: By plain name: CRC and size; None where there is no CKSUMS.
    """

    images: Mapping[str, Sums]
    rdiffs: Mapping[str, tuple[Pair, Sums]]
    metas: Mapping[str, bytes]
    cksums: Mapping[str, tuple[int, int]] | None

    @property
    def files(self) -> dict[str, Sums]:
        """All images and deltas that meta files tell of, by plain name."""
        return {**self.images, **{name: sums for name, (_, sums) in self.rdiffs.items()}}


def compose_contents(
    chosen: Iterable[tuple[Series, tuple[Pair, ...]]],
    images: Mapping[str, Described],
    rdiffs: Mapping[Pair, Sums],
    base_url: str,
) -> Contents:
    """Put together what a repository is to serve, and what is said of it.

    Args:
        chosen: All series of all distributions, in order, with ``selection.pairs`` of each.
        images: Those that there are, by file name.
        rdiffs: Those that there are; of each name one pair only (``selection.ambiguous``).
        base_url: What clients find the images below.
    """
    metas: dict[str, bytes] = {}
    files: dict[str, Sums] = {}
    for series, pairs in chosen:
        there = [pair for pair in pairs if pair in rdiffs and pair.target in images]
        metas[series.name] = describe(series, there, images, rdiffs, base_url.rstrip("/"))
        for name in series.images:
            if name in images:
                files[name] = images[name].sums
                files.update({p.rdiff: rdiffs[p] for p in there if p.target == name})
    return Contents(
        images={name: sums for name, sums in files.items() if name in images},
        rdiffs={name: sums for name, sums in files.items() if name not in images},
        metas=metas,
        cksums=format_cksums(files),
    )


def read_contents(root: Path) -> Told:
    """What the meta files and the CKSUMS in ``root`` say.

    Raises:
        WrongBytesError: One is not what it must be, or two say different things of one file.
        OSError: One cannot be read.
    """
    paths = [path for path in sorted((root / META).glob("*.json")) if path.name[0] != "."]
    metas = {path.stem: _read(path) for path in paths}
    images: dict[str, Sums] = {}
    rdiffs: dict[str, tuple[Pair, Sums]] = {}
    for path in paths:
        said = parse_meta(metas[path.stem], str(path))
        _add(images, said.images, path)
        _add(rdiffs, said.rdiffs, path)
    try:
        cksums = parse_cksums(_read(root / CKSUMS), str(root / CKSUMS))
    except FileNotFoundError:
        cksums = None
    return Told(images, rdiffs, metas, cksums)


def _add(told: dict[str, _Said], more: Mapping[str, _Said], path: Path) -> None:
    for name, said in more.items():
        if told.setdefault(name, said) != said:
            raise WrongBytesError(
                f"{printable(str(path))}: {name} is another file in another series' meta",
                hint="images update writes all of them anew",
            )


def _read(path: Path) -> bytes:
    with open_regular(path) as stream:
        return read_bounded(stream, _MOST_BYTES, printable(str(path)))
