"""Releases that become public, go back and grow old, each of them in one go."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable
from release_builder.files import check_relative
from release_builder.public.layout import INDEX, NEXT, ORIGIN, Generation, Layout
from release_builder.public.links import drop_link, in_the_way, make_links, missing_links
from release_builder.public.local_place import LocalPlace
from release_builder.public.place import Kind
from release_builder.public.remote_place import RemotePlace
from release_builder.public.retirement import check, is_retired, retire
from release_builder.public.ssh import Host
from release_builder.public.staged import Staged
from release_builder.public.switch import bring_out, expose, heal, remove_generation, take_in
from release_builder.public.view import look
from release_builder.public.waiting import waited_lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import PurePosixPath

    from release_builder.public.place import Place
    from release_builder.public.view import View

_PATIENCE: Final = 60.0  # seconds


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

    @contextlib.contextmanager
    def index_locked(self, patience: float = _PATIENCE) -> Iterator[None]:
        """Keep others from changing the index of the root while the block lasts.

        Args:
            patience: Seconds to wait for others.

        Raises:
            BusyError: Somebody else still changes it.
        """
        with waited_lock(self._place, INDEX, patience):
            yield

    def current(self, folder: str) -> str | None:
        """The generation that is public, None if none is; see View.current."""
        return look(self._place, Layout.of(folder)).current

    def generations(self, folder: str) -> tuple[Generation, ...]:
        """All generations of a release, oldest first."""
        view = look(self._place, Layout.of(folder))
        found = {name: view.layout.inside(name) for name in view.stored}
        if view.current:
            found.setdefault(view.current, view.layout.folder)
        return tuple(Generation(name, found[name], name == view.current) for name in sorted(found))

    def local(self, folder: str) -> Path | None:
        """The real folder of the public generation; None if none is, or not on this machine."""
        layout = Layout.of(folder)
        if self._place.local(layout.folder) is None:
            return None
        lies = look(self._place, layout).lies
        path = self._place.local(lies) if lies else None
        return path.resolve() if path else None

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
        return Staged(layout, root, source, tuple(replaced), self._place)

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
            DescriptorError: A link has the name of another release; nothing is done.
            SurroundingsError: Something that is no link has the name of one; nothing is done.
        """
        view = look(self._place, staged.layout)
        missing = self._check_names(view, links)
        if view.origin:  # it is no longer what was retired to here
            self._place.remove(view.layout.inside(ORIGIN))
        made, notes = bring_out(self._place, view, staged.hidden, links=self._links)
        make_links(self._place, view.layout, missing)
        return Flip(made, view.current, (*notes, *self._left_alone(links)))

    def rollback(self, folder: str, links: Sequence[str] = ()) -> Flip:
        """Make the generation public again that is next older than the public one.

        Each call goes one further back; the way forward is to publish anew.

        Raises:
            DescriptorError: There is no older one, or a link has the name of another release.
            SurroundingsError: Something that is no link has the name of one; nothing is done.
        """
        view = look(self._place, Layout.of(folder))
        missing = self._check_names(view, links)
        older = [name for name in view.stored if view.current and name < view.current]
        if not older:
            raise DescriptorError(
                f"{printable(view.layout.folder)} has no older generation to go back to",
                hint="publish what shall be public; publish.keep says how many generations stay",
            )
        notes = expose(self._place, view, older[-1], links=self._links)
        make_links(self._place, view.layout, missing)
        return Flip(older[-1], view.current, (*notes, *self._left_alone(links)))

    def keep(self, folder: str, count: int, damaged: str = "") -> tuple[str, ...]:
        """Remove ``damaged``, and the oldest generations beyond ``count`` without the public one.

        Those that were taken back are counted on their own. One that a link in the root or beside
        the release leads to stays. Who reads a file that is removed can read it to its end.

        Returns:
            The names of those removed.
        """
        view = look(self._place, Layout.of(folder))
        replaced = [name for name in view.stored if name not in {view.current, damaged}]
        surplus = [
            *(name for name in view.stored if name == damaged != view.current),
            *replaced[: max(0, len(replaced) - count)],
            *view.withdrawn[: max(0, len(view.withdrawn) - count)],
        ]
        return tuple(name for name in surplus if remove_generation(self._place, view, name))

    def withdraw(self, folder: str) -> str:
        """Take the public name away; nobody goes back later to the generation that had it.

        It stays until ``keep`` removes it, as one that was taken back does.

        Returns:
            The generation.

        Raises:
            DescriptorError: Nothing that we published is public there.
        """
        view = look(self._place, Layout.of(folder))
        current = view.marked if view.is_folder else view.current
        if current is None:
            raise DescriptorError(f"there is no {printable(view.layout.folder)} that we published")
        take_in(self._place, view, current)
        return current

    def retire(self, folder: str, to: str) -> tuple[str, ...]:
        """Make what is public as ``folder`` public as ``to``; the old name becomes a link to it.

        Without links the old name goes. Of both only the public generation stays. Neither name is
        ever absent meanwhile; the next run finishes what was cut off. Hold only ``folder``'s lock.

        Returns:
            The links in the root and beside the release that lead to ``folder``.

        Raises:
            BusyError: Somebody else changes ``to``.
            DescriptorError: Nothing is public as ``folder``, or another release is as ``to``.
        """
        old, new = Layout.of(folder), Layout.of(to)
        if f"{new.folder}/".startswith(f"{old.folder}/"):
            raise DescriptorError(f"{printable(to)} is {printable(folder)}, or lies in it")
        with self.locked(to):
            return retire(self._place, old, new, links=self._links)

    def is_retired(self, folder: str, to: str) -> bool:
        """Whether the release ``folder`` is public as ``to`` now, and no longer by itself."""
        return is_retired(*(look(self._place, Layout.of(name)) for name in (folder, to)))

    def check_retire(self, folder: str, to: str) -> None:
        """Raise what ``retire`` would, should something be in its way."""
        check(*(look(self._place, Layout.of(name)) for name in (folder, to)))

    def lead(self, folder: str, links: Sequence[str]) -> tuple[str, ...]:
        """Make ``links`` lead to a public release; those that do stay as they are.

        Returns:
            What else a user should know, a sentence each.

        Raises:
            DescriptorError: Nothing is public there, or a link has the name of another release;
                nothing is done.
            SurroundingsError: Something that is no link has the name of one; nothing is done.
        """
        view = look(self._place, Layout.of(folder))
        missing = self._check_names(view, links)
        if view.current is None:
            raise DescriptorError(f"there is no {printable(view.layout.folder)} to lead to")
        make_links(self._place, view.layout, missing)
        return self._left_alone(links)

    def drop_link(self, name: str) -> None:
        """Remove the link ``name``; what is no link stays."""
        drop_link(self._place, Layout.of(name))

    def _check_names(self, view: View, links: Sequence[str]) -> dict[str, str]:
        if view.public and view.public.kind is Kind.FILE:
            raise in_the_way(view.layout.folder, "a file")
        return missing_links(self._place, view.layout, links) if self._links else {}

    def _left_alone(self, links: Sequence[str]) -> tuple[str, ...]:
        if self._links:
            return ()
        return tuple(f"{link} is left as it is: publish.links is false" for link in links)


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
    if host:
        return Shelf(RemotePlace(Host(host, root_path, ssh), scratch), links=links)
    return Shelf(LocalPlace(Path(root_path)), links=links)
