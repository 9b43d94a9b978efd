"""The index of all releases below a public root: a page for people, a document for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from release_builder.pages.texts import moment, page

if TYPE_CHECKING:
    from datetime import datetime

_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRelease:
    """A release of the index.

    Attributes:
        version: Such as ``9.0beta3``.
        stage: ``beta`` or ``final``.
        folder: Where it lies below the root, such as ``testing/9.0beta3``; its page is the
            ``index.html`` there.
        published: When it became public; with its zone.
        arches: That it has images for.
        size: Of all its images, in bytes.
        is_newest: Whether people who want a release of its stage should take this one.
    """

    version: str
    stage: str
    folder: str
    published: datetime
    arches: tuple[str, ...]
    size: int
    is_newest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRepository:
    """An image repository of the index.

    Attributes:
        folder: Where it lies below the root; ``images.svg`` there is the chart of its sizes.
        images: How many it has.
        rdiffs: How many it has.
        size: Of all images, in bytes.
        rdiffs_size: Of all rdiffs, in bytes.
    """

    folder: str
    images: int
    rdiffs: int
    size: int
    rdiffs_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """All releases below a public root.

    Attributes:
        title: What people call the product.
        releases: In any order.
        repositories: Image repositories, in any order.
    """

    title: str
    releases: tuple[ListedRelease, ...]
    repositories: tuple[ListedRepository, ...] = ()

    def at(self, stage: str) -> tuple[ListedRelease, ...]:
        """The releases at ``stage``, the last published first; of one moment: as they came."""
        found = (release for release in self.releases if release.stage == stage)
        return tuple(sorted(found, key=lambda release: release.published, reverse=True))


def index_page(index: IndexPage) -> str:
    """The text of the root's ``index.html``."""
    return page("public/index.html.j2", index=index)


def index_json(index: IndexPage) -> str:
    """The text of the root's ``index.json``: finals, then betas, the last published first.

    ``data/releases-index.schema.json`` describes it.
    """
    document: dict[str, object] = {
        "schema": _SCHEMA,
        "title": index.title,
        "releases": [
            {
                "version": release.version,
                "stage": release.stage,
                "folder": f"{release.folder.rstrip('/')}/",
                "published": moment(release.published),
                "arches": list(release.arches),
                "size": release.size,
                "newest": release.is_newest,
            }
            for stage in ("final", "beta")
            for release in index.at(stage)
        ],
    }
    if index.repositories:
        document["repositories"] = [
            {**asdict(each), "folder": f"{each.folder.rstrip('/')}/"}
            for each in sorted(index.repositories, key=lambda each: each.folder)
        ]
    return json.dumps(document, indent=2) + "\n"
