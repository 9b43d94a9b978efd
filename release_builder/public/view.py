"""What there is of a release, at one moment."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.public.layout import (
    AWAY,
    MARK,
    ORIGIN,
    is_generation,
    is_withdrawn,
    leads_to,
    moment,
    moment_name,
    withdrawn_name,
)
from release_builder.public.place import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_builder.public.layout import Layout
    from release_builder.public.place import Entry, Place


@dataclass(frozen=True, slots=True)
class View:
    """A release as its folders were listed.

    Attributes:
        layout: Where it lies.
        public: What has its public name; None if nothing has.
        store: What is in its hidden folder.
        links: The links in the root and beside the release, and where they lead; see leads_to.
    """

    layout: Layout
    public: Entry | None
    store: Mapping[str, Entry]
    links: Mapping[str, str]

    @property
    def stored(self) -> tuple[str, ...]:
        """The generations in the hidden folder, oldest first."""
        return tuple(filter(is_generation, self._folders))

    @property
    def withdrawn(self) -> tuple[str, ...]:
        """What is kept of generations that nobody is to go back to, oldest first."""
        return tuple(filter(is_withdrawn, self._folders))

    @property
    def _folders(self) -> list[str]:
        return sorted(name for name, entry in self.store.items() if entry.kind is Kind.FOLDER)

    @property
    def is_folder(self) -> bool:
        """Whether a folder has the public name."""
        return self.public is not None and self.public.kind is Kind.FOLDER

    @property
    def current(self) -> str | None:
        """The generation that is public, where it is there.

        That of a folder is the marked one, or that of its time. A link that leads elsewhere, such
        as to another release, is none.
        """
        if self.public is None or self.public.kind is Kind.FILE:
            return None
        if self.is_folder:
            return self.marked or moment_name(self.public.changed)
        shown = shown_generation(self.layout, self.public)
        return shown if shown in self.stored else None

    @property
    def marked(self) -> str | None:
        """The generation that we made the public folder; None where that is not sure."""
        mark = self.store.get(MARK)
        if mark is None or not self.is_folder or not is_generation(mark.target):
            return None
        left_over = {mark.target, withdrawn_name(mark.target), AWAY}
        return None if left_over & self.store.keys() else mark.target

    @property
    def origin(self) -> str | None:
        """The folder that the release had before it was retired to here; None if it was not."""
        mark = self.store.get(ORIGIN)
        return mark.target if mark else None

    @property
    def lies(self) -> str | None:
        """Where the public generation lies; None where there is none."""
        if self.current is None:
            return None
        return self.layout.folder if self.is_folder else self.layout.inside(self.current)

    @property
    def leads(self) -> str | None:
        """Where the public name leads, if it is a link; see leads_to."""
        return self.links.get(self.layout.folder)

    def new_moment(self, now: int) -> int:
        """A second, ``now`` or later, that is later than all generations that there are."""
        names = filter(None, (*self.stored, *self.withdrawn, self.current))
        return max(now, *(moment(name) + 1 for name in names), 0)

    def leading_to(self, path: str) -> tuple[str, ...]:
        """The links, but the public name itself, that lead to ``path`` or below it."""
        return tuple(
            sorted(
                link
                for link, there in self.links.items()
                if link != self.layout.folder and f"{there}/".startswith(f"{path}/")
            )
        )


def look(place: Place, layout: Layout) -> View:
    """List what there is of a release."""
    beside, top, store = place.listings([layout.parent, "", layout.store])
    around = {layout.parent: beside, "": top}
    links = {
        link: leads_to(link, entry.target)
        for folder, entries in around.items()
        for link, entry in ((posixpath.join(folder, name), each) for name, each in entries.items())
        if entry.kind is Kind.LINK
    }
    return View(layout, beside.get(layout.leaf), store, links)


def shown_generation(layout: Layout, entry: Entry) -> str | None:
    """The generation that ``entry`` is the public link to; None if it is something else."""
    folder, name = posixpath.split(leads_to(layout.folder, entry.target))
    is_ours = entry.kind is Kind.LINK and folder == layout.store and is_generation(name)
    return name if is_ours else None
