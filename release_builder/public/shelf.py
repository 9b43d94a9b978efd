"""Releases that become public, go back, grow old and move, each of them in one go."""

from __future__ import annotations

import contextlib
import posixpath
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError, SurroundingsError, printable
from release_builder.files import check_relative
from release_builder.public.layout import (
    LINK,
    NEXT,
    Generation,
    Layout,
    moment,
    moment_name,
)
from release_builder.public.local_place import LocalPlace
from release_builder.public.place import Kind
from release_builder.public.remote_place import RemotePlace
from release_builder.public.ssh import Host
from release_builder.public.staged import Staged
from release_builder.public.switch import expose, heal, remove_generation, withdraw_newer
from release_builder.public.view import look, shown_generation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import PurePosixPath

    from release_builder.public.place import Entry, Place
    from release_builder.public.view import View


@dataclass(frozen=True, slots=True)
class Flip:
    """What the world sees now.

    Attributes:
        generation: The generation that is public.
        previous: The one that was until then; None if there was none.
        notes: What else a user should know, a sentence each.
    """

    generation: str
    previous: str | None
    notes: tuple[str, ...] = ()


class Shelf:
    """The folder that all releases lie below.

    What changes a release is called while its lock is held (``locked``). A release is named by
    its folder below the root, such as ``testing/9.0beta3``.

    Every method raises SurroundingsError when a file system refuses, IncompleteError when the
    host cannot be reached, and WrongBytesError for a name that leads out of the root.

    Args:
        place: The root.
        links: Whether the folder of a release is a link to its newest generation.
    """

    def __init__(self, place: Place, *, links: bool) -> None:
        self._place = place
        self._links = links

    @contextlib.contextmanager
    def locked(self, folder: str) -> Iterator[None]:
        """Keep others from changing a release while the block lasts.

        What a run left that was cut off while two names changed places is put right first.

        Raises:
            BusyError: Somebody else changes it.
        """
        layout = Layout.of(folder)
        with self._place.lock(layout.store):
            heal(self._place, layout)
            yield

    def current(self, folder: str) -> str | None:
        """The generation that is public, None if none is; a folder's is that of its time."""
        return look(self._place, Layout.of(folder)).current

    def generations(self, folder: str) -> tuple[Generation, ...]:
        """All generations of a release, oldest first."""
        view = look(self._place, Layout.of(folder))
        found = {name: view.layout.inside(name) for name in view.stored}
        if view.current:
            found.setdefault(view.current, view.layout.folder)
        return tuple(Generation(name, found[name], name == view.current) for name in sorted(found))

    def names(self, folder: str = "") -> tuple[str, ...]:
        """The names in ``folder`` that are folders or lead to a generation, sorted.

        Links that lead to another release are not among them, nor is what is hidden.
        """
        plain = Layout.of(folder).folder if folder.strip("/") else ""
        (entries,) = self._place.listings([plain])
        return tuple(
            name
            for name in sorted(entries)
            if not name.startswith(".") and _is_release(posixpath.join(plain, name), entries[name])
        )

    def read(self, name: str) -> bytes | None:
        """The content of a small file below the root; None where there is none."""
        return self._place.read(name)

    def replace_file(self, name: str, content: bytes) -> None:
        """Make ``content`` that of the file ``name`` below the root, in one go."""
        self._place.replace(name, content)

    def stage(self, folder: str, replaced: Sequence[str], base: str | None = None) -> Staged:
        """Begin the next generation of a release with what is public now.

        Args:
            folder: The release.
            replaced: Files and folders of it that are to come anew, such as ``iso/x86_64/``.
            base: The release to begin with, if that is another one.
        """
        layout = Layout.of(folder)
        for name in replaced:
            check_relative(name)
        source = look(self._place, Layout.of(base) if base else layout).lies
        root = self._place.stage(source, layout.inside(NEXT), replaced)
        known = self._place.local(source) if source else None
        return Staged(layout, root, source, tuple(replaced), known)

    def upload(self, staged: Staged) -> None:
        """Bring what is staged to where it becomes public, still hidden, and to disk."""
        self._place.upload(staged.source, staged.hidden, staged.replaced)

    def discard(self, staged: Staged) -> None:
        """Drop what is staged."""
        self._place.discard(staged.hidden)

    def flip(self, staged: Staged, links: Sequence[str] = ()) -> Flip:
        """Make public what was uploaded: one rename, then one for each of ``links``.

        Nobody goes back later to generations that are newer than the public one: those that
        somebody took back. They stay until ``keep`` removes them.

        Args:
            staged: A release, uploaded.
            links: Links that shall lead to it, such as ``testing/9``.

        Raises:
            SurroundingsError: Something that is no link has the name of one; nothing is done.
        """
        view = look(self._place, staged.layout)
        self._check_names(view, links)
        now = int(time.time())
        for name in filter(None, (*view.stored, view.current)):
            now = max(now, moment(name) + 1)
        withdraw_newer(self._place, view)
        generation = moment_name(now)
        self._place.settle(staged.hidden, view.layout.inside(generation), now)
        return self._show(view, generation, links)

    def rollback(self, folder: str, links: Sequence[str] = ()) -> Flip:
        """Make the generation public again that is next older than the public one.

        Each call goes one further back; the way forward is to publish anew.

        Raises:
            DescriptorError: There is no older one.
            SurroundingsError: Something that is no link has the name of one; nothing is done.
        """
        view = look(self._place, Layout.of(folder))
        self._check_names(view, links)
        older = [name for name in view.stored if view.current and name < view.current]
        if not older:
            raise DescriptorError(
                f"{printable(view.layout.folder)} has no older generation to go back to",
                hint="publish what shall be public; publish.keep says how many generations stay",
            )
        return self._show(view, older[-1], links)

    def keep(self, folder: str, count: int) -> tuple[str, ...]:
        """Remove the oldest generations beyond ``count``, not counting the public one.

        Those that were taken back are counted on their own. One that a link in the root or beside
        the release leads to stays. Who reads a file that is removed can read it to its end.

        Returns:
            The names of those removed.
        """
        view = look(self._place, Layout.of(folder))
        replaced = tuple(name for name in view.stored if name != view.current)
        surplus = [
            *replaced[: max(0, len(replaced) - count)],
            *view.withdrawn[: max(0, len(view.withdrawn) - count)],
        ]
        return tuple(name for name in surplus if remove_generation(self._place, view, name))

    def move(self, folder: str, to: str) -> tuple[str, ...]:
        """Give a release another folder, with all its generations.

        Returns:
            The links that led to the old one, and lead nowhere now.

        Raises:
            DescriptorError: There is no such release, or one at the new place.
        """
        old, new = (look(self._place, Layout.of(name)) for name in (folder, to))
        if old.public is None:
            raise DescriptorError(f"there is no {printable(old.layout.folder)} to move")
        if new.public or (old.stored and new.stored):
            raise DescriptorError(
                f"{printable(new.layout.folder)} is there already",
                hint="move it away, or name another folder",
            )
        if old.stored:
            self._place.remove(new.layout.store)
            self._place.rename(old.layout.store, new.layout.store)
        shown = shown_generation(old.layout, old.public)
        if shown:
            target = new.layout.target(shown)
            self._place.link(new.layout.folder, target, new.layout.inside(LINK))
            self._place.remove(old.layout.folder)
        else:
            self._place.rename(old.layout.folder, new.layout.folder)
        return old.leading_to(old.layout.folder)

    def drop_link(self, name: str) -> None:
        """Remove the link ``name``; what is no link stays."""
        layout = Layout.of(name)
        (beside,) = self._place.listings([layout.parent])
        entry = beside.get(layout.leaf)
        if entry and entry.kind is Kind.LINK:
            self._place.remove(layout.folder)

    def _show(self, view: View, generation: str, links: Sequence[str]) -> Flip:
        note = expose(self._place, view, generation, links=self._links)
        notes = (*note, *self._lead(view.layout, links))
        return Flip(generation, view.current, notes)

    def _lead(self, layout: Layout, links: Sequence[str]) -> Iterator[str]:
        for link in links:
            if not self._links:
                yield f"{link} is left as it is: publish.links is false"
                continue
            target = posixpath.relpath(layout.folder, posixpath.dirname(link) or ".")
            self._place.link(link, target, layout.inside(LINK))

    def _check_names(self, view: View, links: Sequence[str]) -> None:
        if view.public and view.public.kind is Kind.FILE:
            raise _in_the_way(view.layout.folder, "a file")
        layouts = [Layout.of(link) for link in links] if self._links else []
        listings = self._place.listings([layout.parent for layout in layouts]) if layouts else ()
        for layout, beside in zip(layouts, listings, strict=True):
            entry = beside.get(layout.leaf)
            if entry and entry.kind is not Kind.LINK:
                raise _in_the_way(layout.folder, "no link")


def open_shelf(
    root_path: PurePosixPath, *, host: str = "", ssh: str = "ssh", links: bool = True, scratch: Path
) -> Shelf:
    """The public tree at a folder.

    Args:
        root_path: The folder; absolute.
        host: The machine that it is on, as ssh takes it; empty for this one.
        ssh: The command that reaches it, with its options.
        links: Whether the folder of a release is a link to its newest generation.
        scratch: A folder on this machine where releases for another one are staged.
    """
    place = (
        RemotePlace(Host(host, root_path, ssh), scratch) if host else LocalPlace(Path(root_path))
    )
    return Shelf(place, links=links)


def _is_release(name: str, entry: Entry) -> bool:
    return entry.kind is Kind.FOLDER or shown_generation(Layout(name), entry) is not None


def _in_the_way(name: str, what: str) -> SurroundingsError:
    return SurroundingsError(f"{printable(name)} is {what}", hint="move it away")
