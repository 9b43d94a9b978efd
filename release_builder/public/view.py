"""What there is of a release, at one moment."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.public.layout import is_generation, is_withdrawn, leads_to, moment_name
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
    def current(self) -> str | None:
        """The generation that is public, where it is there; a folder's is that of its time."""
        if self.public is None or self.public.kind is Kind.FILE:
            return None
        if self.public.kind is Kind.FOLDER:
            return moment_name(self.public.changed)
        shown = shown_generation(self.layout, self.public)
        return shown if shown in self.stored else None

    @property
    def lies(self) -> str | None:
        """Where what is public lies; None where nothing is, or a link leads out of the root."""
        if self.public is None or self.public.kind is Kind.FILE:
            return None
        if self.public.kind is Kind.FOLDER:
            return self.layout.folder
        there = leads_to(self.layout.folder, self.public.target)
        return None if there.startswith(("/", "../")) or there in {".", ".."} else there

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
