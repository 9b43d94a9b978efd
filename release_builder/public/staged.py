"""A release that is filled before the world sees it."""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import shutil
import stat
from typing import TYPE_CHECKING

from release_builder import files
from release_builder.copying import copy_file, fit, is_fit, link_file
from release_builder.errors import WrongBytesError, printable, surroundings
from release_builder.public.layout import NEXT, is_stored
from release_builder.public.trees import make_folders, same_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from release_builder.public.layout import Layout
    from release_builder.public.place import Place


def _nothing(_count: int) -> None: ...


class Staged:
    """A folder to fill; files in it may be those of the public release, by another name.

    So files are added by the methods here, which never write into one: whoever opens one of
    them for writing changes what is public. All methods raise SurroundingsError when the file
    system refuses; then nothing is staged any more.

    Args:
        layout: Of the release that it becomes.
        root: The folder, on this machine.
        source: What it starts from, below the public root; None for nothing.
        replaced: Files and folders of ``source`` that are to come anew.
        place: The public root.
    """

    def __init__(
        self,
        layout: Layout,
        root: Path,
        source: str | None,
        replaced: tuple[str, ...],
        place: Place,
    ) -> None:
        self.layout = layout
        self.root = root
        self.source = source
        self._replaced = replaced
        self._removed: list[str] = []
        self._known = place.local(source) if source else None
        self._place = place

    @property
    def replaced(self) -> tuple[str, ...]:
        """Files and folders of ``source`` that are not in it, but for what was added since."""
        return (*self._replaced, *self._removed)

    @property
    def hidden(self) -> str:
        """Where it lies below the public root, once uploaded and until it is public."""
        return self.layout.inside(NEXT)

    def add(self, source: Path, name: str) -> None:
        """Make the regular file ``source`` the file ``name``, readable for all.

        It is linked where nobody writes it any more: if it lies in a generation of this root, or
        if the same file (size, time and bytes) is public. Of all else a copy is made, so ``source``
        may be written later.

        Raises:
            WrongBytesError: ``name`` leads out of the folder, or ``source`` is no regular file.
            IncompleteError: Somebody writes ``source`` now.
        """
        with self._guarded():
            mode = source.lstat().st_mode
            if not stat.S_ISREG(mode):
                raise WrongBytesError(f"{printable(str(source))} is not a regular file")
            target = self._free(name)
            if is_fit(mode) and self._is_ours(source) and link_file(source, target):
                return
            known = self._known / name if self._known else None
            if known and same_file(source, known) and link_file(known, target):
                return
            copy_file(source, target, fit(mode))

    def write(self, name: str, content: bytes) -> None:
        """Make ``content`` that of the file ``name``.

        Raises:
            WrongBytesError: ``name`` leads out of the folder.
        """
        with self._guarded():
            target = self._free(name)
            with target.open("xb") as out:
                os.fchmod(out.fileno(), 0o644)
                out.write(content)
                out.flush()
                os.fsync(out.fileno())

    def remove(self, name: str) -> None:
        """Drop the file ``name``, or the folder with all below it, if it is there.

        Raises:
            WrongBytesError: ``name`` leads out of the folder, or is the folder itself.
        """
        plain = posixpath.normpath(files.check_relative(name))
        if plain == ".":
            raise WrongBytesError(f"'{printable(name)}' is all that is staged")
        with self._guarded():
            path = self._path(plain)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif os.path.lexists(path):
                path.unlink()
        self._removed.append(plain)

    def add_tree(
        self,
        source: Path,
        name: str,
        on_file: Callable[[int], object] = _nothing,
        skip: Collection[str] = (),
    ) -> None:
        """Add all files below ``source`` below ``name``; links stay links.

        Args:
            source: A folder; links in it may not lead out of it.
            name: The folder that gets its content; ``.`` for the release itself.
            on_file: Gets the bytes of each file that was added.
            skip: Names that are left out in every folder, with all below them.

        Raises:
            WrongBytesError: A link leads out or to itself, or something is neither file, folder
                nor link.
        """
        with self._guarded():
            self._add_folder(source, source.resolve(), name, on_file, frozenset(skip))

    def _add_folder(
        self,
        folder: Path,
        top: Path,
        name: str,
        on_file: Callable[[int], object],
        skip: frozenset[str],
    ) -> None:
        make_folders(self._path(name))
        for path in sorted(each for each in folder.iterdir() if each.name not in skip):
            inner = posixpath.join(name, path.name)
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                self._add_folder(path, top, inner, on_file, skip)
            elif stat.S_ISLNK(status.st_mode):
                self._free(inner).symlink_to(_target(path, top))
            else:
                self.add(path, inner)
                on_file(status.st_size)
        times = folder.stat()
        os.utime(self._path(name), ns=(times.st_atime_ns, times.st_mtime_ns))

    def _is_ours(self, source: Path) -> bool:
        """Whether it lies in a generation of this root, where nobody writes."""
        root = self._place.local("")
        if root is None:
            return False
        path, top = source.resolve(), root.resolve()
        return path.is_relative_to(top) and is_stored(path.relative_to(top).parts[:-1])

    def _path(self, name: str) -> Path:
        folder, leaf = posixpath.split(files.check_relative(name.rstrip("/")))
        return files.safe_join(self.root, folder or ".") / leaf

    def _free(self, name: str) -> Path:
        """The path of ``name`` with nothing there: the file there may be one of the public."""
        path = self._path(name)
        make_folders(path.parent)
        path.unlink(missing_ok=True)
        return path

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            shutil.rmtree(self.root, ignore_errors=True)
            error.filename = error.filename or self.root  # writing to an open file names none
            raise surroundings(error) from error


def _target(link: Path, top: Path) -> Path:
    """Where a link of the tree ``top`` leads, as it says."""
    target = link.readlink()
    try:
        link.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise WrongBytesError(
                f"{printable(str(link))} is a link that leads to itself", hint="remove it"
            ) from error
    if target.is_absolute() or not link.resolve().is_relative_to(top):
        raise WrongBytesError(
            f"{printable(str(link))} is a link that leads out of its tree,"
            f" to {printable(str(target))}",
            hint="ask who runs the mirror for a file or a relative link; or leave it out: remove it,"
            f" and name it under `sync: exclude:`, as {printable(link.name)}",
        )
    return target
