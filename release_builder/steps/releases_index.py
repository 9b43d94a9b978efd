"""The index of all releases below a public root: ``index.html`` and ``index.json``."""

from __future__ import annotations

import json
import posixpath
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
_MARK: Final = b'<meta name="generator" content="release-builder">'  # public/page.html.j2
_FOREIGN_PAGE: Final = (
    f"{_PAGE} in the public root is not ours and stays: move it away to have the list of releases"
)
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


def best_beside(shelf: Shelf, folder: str, stage: Stage, major: int) -> ListedRelease | None:
    """The highest release that is listed for ``stage`` and ``major`` beside the one at ``folder``.

    What lies elsewhere, as obsolete ones do, is no release that links should lead to.

    Raises:
        WrongBytesError: The index is none of ours.
    """
    place = posixpath.dirname(folder)
    found = (
        each
        for each in listed_releases(shelf)
        if each.folder != folder and posixpath.dirname(each.folder) == place
    )
    return _highest(found, stage, major)


def enter(shelf: Shelf, folder: str, page: ReleasePage) -> str:
    """List the release that ``page`` tells of, which is public as ``folder``.

    Nothing is written where nothing changes.

    Returns:
        What a user should know: that an ``index.html`` that is not ours stays. Else empty.

    Raises:
        WrongBytesError: ``index.json`` is not ours; it stays too.
        BusyError: Others change the index all the time.
    """
    entry = ListedRelease(
        version=page.version,
        stage=page.stage,
        folder=folder,
        published=page.published,
        arches=tuple(dict.fromkeys(image.arch for image in page.images)),
        size=sum(image.size for image in page.images),
        is_newest=False,
    )
    with shelf.index_locked():
        listed = {each.folder: each for each in listed_releases(shelf)}
        return _write(shelf, page.title, (listed | {folder: entry}).values())


def strike(shelf: Shelf, folder: str, title: str) -> str:
    """Take the release at ``folder`` off the list; else as enter."""
    with shelf.index_locked():
        listed = listed_releases(shelf)
        if not listed:
            return ""
        return _write(shelf, title, [each for each in listed if each.folder != folder])


def _write(shelf: Shelf, title: str, releases: Iterable[ListedRelease]) -> str:
    index = IndexPage(title=title, releases=_marked(tuple(releases)))
    note = _write_page(shelf, index_page(index).encode())
    # Last, since what comes next is made from it: a run that was cut off is made good.
    document = index_json(index).encode()
    if shelf.read(_JSON) != document:
        shelf.replace_file(_JSON, document)
    return note


def _write_page(shelf: Shelf, page: bytes) -> str:
    try:
        before = shelf.read(_PAGE)
    except WrongBytesError:  # ours is not that large, and leads nowhere else
        return _FOREIGN_PAGE
    if before is not None and _MARK not in before:
        return _FOREIGN_PAGE
    if before != page:
        shelf.replace_file(_PAGE, page)
    return ""


def _highest(releases: Iterable[ListedRelease], stage: Stage, major: int) -> ListedRelease | None:
    found = (
        each
        for each in releases
        if each.stage == stage and Version.parse(each.version).major == major
    )
    return max(found, key=lambda each: Version.parse(each.version), default=None)


def _marked(releases: tuple[ListedRelease, ...]) -> tuple[ListedRelease, ...]:
    """``releases`` with the highest version of each stage marked."""
    newest = {
        stage: max(Version.parse(each.version) for each in releases if each.stage == stage).text
        for stage in {each.stage for each in releases}
    }
    return tuple(replace(each, is_newest=each.version == newest[each.stage]) for each in releases)
