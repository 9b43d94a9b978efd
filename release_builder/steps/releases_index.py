"""The index of all releases below a public root: ``index.html`` and ``index.json``."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from release_builder.descriptor import patterns
from release_builder.descriptor.version import Stage, Version
from release_builder.errors import WrongBytesError, printable
from release_builder.files import check_relative
from release_builder.pages.index_page import IndexPage, ListedRelease, index_json, index_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any  # JSON

    from release_builder.pages.release_page import ReleasePage
    from release_builder.public.shelf import Shelf

_JSON: Final = "index.json"
_PAGE: Final = "index.html"
_SCHEMA: Final = 1  # of pages.index_page
# What reading may end in if the bytes are others than ours.
_FOREIGN: Final = (
    *(ValueError, LookupError, TypeError, AttributeError),
    *(OverflowError, RecursionError, WrongBytesError),
)


def listed_releases(shelf: Shelf) -> tuple[ListedRelease, ...]:
    """What the index says now.

    Raises:
        WrongBytesError: It is none of ours.
    """
    content = shelf.read(_JSON)
    if content is None:
        return ()
    try:
        document = json.loads(content)
        if document["schema"] != _SCHEMA:
            raise ValueError(f"it is of schema {document['schema']}")
        return tuple(_listed(release) for release in document["releases"])
    except _FOREIGN as error:
        raise WrongBytesError(
            f"{_JSON} in the public root is not ours: {printable(str(error))}",
            hint="move it away; the next publish makes a new one",
        ) from error


def _listed(release: Mapping[str, Any]) -> ListedRelease:
    published = datetime.fromisoformat(release["published"])
    arches, size = release["arches"], release["size"]
    if published.tzinfo is None or type(size) is not int or not isinstance(arches, list):
        raise ValueError(f"what it says of {release['version']} cannot be")
    return ListedRelease(
        version=Version.parse(release["version"]).text,
        stage=Stage(release["stage"]).value,
        folder=check_relative(release["folder"].rstrip("/")),
        published=published.astimezone(UTC),
        arches=tuple(map(patterns.arch, arches)),
        size=size,
        is_newest=release["newest"] is True,
    )


def enter(shelf: Shelf, folder: str, page: ReleasePage) -> None:
    """List the release that ``page`` tells of, which is public as ``folder``."""
    others = (each for each in listed_releases(shelf) if each.folder != folder)
    entry = ListedRelease(
        version=page.version,
        stage=page.stage,
        folder=folder,
        published=page.published,
        arches=tuple(dict.fromkeys(image.arch for image in page.images)),
        size=sum(image.size for image in page.images),
        is_newest=False,
    )
    _write(shelf, page.title, (*others, entry))


def strike(shelf: Shelf, folder: str, title: str) -> None:
    """Take the release at ``folder`` off the list."""
    _write(shelf, title, [each for each in listed_releases(shelf) if each.folder != folder])


def _write(shelf: Shelf, title: str, releases: Iterable[ListedRelease]) -> None:
    index = IndexPage(title=title, releases=_marked(tuple(releases)))
    shelf.replace_file(_JSON, index_json(index).encode())
    shelf.replace_file(_PAGE, index_page(index).encode())


def _marked(releases: tuple[ListedRelease, ...]) -> tuple[ListedRelease, ...]:
    """``releases`` with the highest version of each stage marked."""
    newest = {
        stage: max(Version.parse(each.version) for each in releases if each.stage == stage).text
        for stage in {each.stage for each in releases}
    }
    return tuple(replace(each, is_newest=each.version == newest[each.stage]) for each in releases)
