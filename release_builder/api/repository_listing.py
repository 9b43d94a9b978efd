"""An image repository in the index page of a public root, with a chart of its sizes."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable
from release_builder.files import replacing
from release_builder.pages.index_page import ListedRepository
from release_builder.pages.repository_chart import ChartedImage, repository_chart
from release_builder.public.shelf import open_shelf
from release_builder.report import Finding, Severity
from release_builder.repository.contents import read_contents
from release_builder.repository.description import parse_meta
from release_builder.repository.selection import image_name
from release_builder.steps.releases_index import list_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.repository.contents import Told
    from release_builder.repository.mirror import Mirror

CHART: Final = "images.svg"
_INDEX: Final = "index.json"


def folder_below(mirror: Path, root: Path) -> str:
    """Where a repository lies below a public root.

    Raises:
        DescriptorError: It does not lie there.
    """
    place, above = mirror.parent.resolve() / mirror.name, root.resolve()
    if above not in place.parents:
        raise DescriptorError(
            f"{printable(str(mirror))} does not lie below {printable(str(root))}",
            hint="the index page lists what lies below its own folder",
        )
    return str(place.relative_to(above))


def list_in_index(mirror: Mirror, root: Path) -> tuple[Finding, ...]:
    """Draw the chart, and list the repository in the index of ``root``.

    Returns:
        What a user should know: that nothing was listed there before, which may be the wrong
        place; that an ``index.html`` that is not ours stays.

    Raises:
        DescriptorError: It does not lie there.
        WrongBytesError: The root's ``index.json`` is not ours.
        OSError: A file cannot be written.
    """
    folder = folder_below(mirror.path, root)
    place = mirror.path.resolve()
    told = read_contents(place)
    if images := tuple(_charted(told)):
        _replace(place / CHART, repository_chart(images).encode())
    listed = ListedRepository(
        folder=folder,
        images=len(told.images),
        rdiffs=len(told.rdiffs),
        size=sum(sums.size for sums in told.images.values()),
        rdiffs_size=sum(sums.size for _, sums in told.rdiffs.values()),
    )
    with tempfile.TemporaryDirectory(prefix="release-builder.") as scratch:
        shelf = open_shelf(PurePosixPath(root.resolve()), scratch=Path(scratch))
        findings = () if shelf.read(_INDEX) is not None else (_is_new(root),)
        note = list_repository(shelf, listed)
    return (*findings, Finding(Severity.WARNING, note)) if note else findings


def _is_new(root: Path) -> Finding:
    return Finding(
        Severity.NOTE,
        f"nothing was listed in {printable(str(root))} before: {_INDEX} and its page are new there",
        "if another folder is meant, remove them, and name that",
    )


def _charted(told: Told) -> Iterator[ChartedImage]:
    for series, content in told.metas.items():
        for name, sums in parse_meta(content, series).images.items():
            try:
                built = datetime.strptime(image_name(name).stamp, "%Y-%m-%d-%H%M%S")
            except ValueError:  # digits that are no date
                continue
            rdiffs = tuple(each.size for pair, each in told.rdiffs.values() if pair.target == name)
            yield ChartedImage(series, built.replace(tzinfo=UTC), sums.size, rdiffs)


def _replace(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        with replacing(path) as out:
            out.write(content)
