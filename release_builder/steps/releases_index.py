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
from release_builder.pages.index_page import (
    IndexPage,
    ListedRelease,
    ListedRepository,
    index_json,
    index_page,
)
from release_builder.public.layout import INDEX, LOCK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any  # JSON

    from release_builder.pages.release_page import ReleasePage
    from release_builder.public.shelf import Shelf

_JSON: Final = "index.json"
_PAGE: Final = "index.html"
_UNNAMED: Final = "Images"  # until a release tells what people call the product
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


def check(shelf: Shelf) -> None:
    """See that a release can be listed, before anything is made.

    Raises:
        WrongBytesError: ``index.json`` is not ours or no file, or its lock would lie elsewhere.
    """
    _read(shelf)
    shelf.read(f"{INDEX}/{LOCK}")


def listed_releases(shelf: Shelf) -> tuple[ListedRelease, ...]:
    """What the index says now.

    Raises:
        WrongBytesError: It is none of ours.
    """
    return _read(shelf).releases


def list_repository(shelf: Shelf, repository: ListedRepository) -> str:
    """List an image repository that lies below the root; else as enter.

    Raises:
        WrongBytesError: ``index.json`` is not ours; it stays.
        BusyError: Others change the index all the time.
    """
    with shelf.index_locked():
        index = _read(shelf)
        others = [each for each in index.repositories if each.folder != repository.folder]
        return _write(shelf, replace(index, repositories=(*others, repository)))


def _read(shelf: Shelf) -> IndexPage:
    content = shelf.read(_JSON)
    if content is None:
        return IndexPage(title=_UNNAMED, releases=())
    try:
        document = json.loads(content)
        if document["schema"] != _SCHEMA:
            raise ValueError(f"it is of schema {document['schema']}")
        return IndexPage(
            title=str(document["title"]),
            releases=tuple(_listed(release) for release in document["releases"]),
            repositories=tuple(map(_listed_repository, document.get("repositories", ()))),
        )
    except _FOREIGN as error:
        raise WrongBytesError(
            f"{_JSON} in the public root is not ours: {printable(str(error))}",
            hint="move it away; the next publish makes a new one",
        ) from error


def _listed_repository(told: Mapping[str, Any]) -> ListedRepository:
    counts = {name: told[name] for name in ("images", "rdiffs", "size", "rdiffs_size")}
    if any(type(count) is not int for count in counts.values()):
        raise ValueError(f"what it says of {told['folder']} cannot be")
    return ListedRepository(folder=check_relative(told["folder"].rstrip("/")), **counts)


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
        index = _read(shelf)
        listed = {each.folder: each for each in index.releases} | {folder: entry}
        return _write(shelf, replace(index, title=page.title, releases=tuple(listed.values())))


def strike(shelf: Shelf, folder: str, title: str) -> str:
    """Take the release at ``folder`` off the list; else as enter."""
    with shelf.index_locked():
        index = _read(shelf)
        if not index.releases:
            return ""
        left = tuple(each for each in index.releases if each.folder != folder)
        return _write(shelf, replace(index, title=title, releases=left))


def _write(shelf: Shelf, index: IndexPage) -> str:
    index = replace(index, releases=_marked(index.releases))
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
