"""A root folder on this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import files
from release_builder.errors import BusyError, WrongBytesError, printable, surroundings
from release_builder.locks import locked_folder, open_locked
from release_builder.public.exchange import exchange
from release_builder.public.layout import LOCK
from release_builder.public.links import WITHOUT_LINK, no_file
from release_builder.public.place import SMALL, Entry, Kind
from release_builder.public.trees import clone_tree, make_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ABSENT: Final = {errno.ENOENT, errno.ENOTDIR}


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise surroundings(error) from error


class LocalPlace:
    """The folder ``root``; it is made if only itself is missing. See Place.

    Args:
        root: The folder.
        swap: What lets two names change places in one go; it returns False where it cannot.
    """

    def __init__(self, root: Path, swap: Callable[[Path, Path], bool] = exchange) -> None:
        self._root = root
        self._swap = swap

    @contextlib.contextmanager
    def lock(self, store: str) -> Iterator[None]:
        """See Place."""
        with contextlib.ExitStack() as held:
            with _told():
                if not self._root.exists():
                    self._root.mkdir()
                    self._root.chmod(0o755)
                folder = self._inside(store)
                make_folders(folder)
                try:
                    held.enter_context(open_locked(folder / LOCK))
                    held.enter_context(locked_folder(folder))
                except BusyError as error:
                    raise BusyError(
                        f"another run publishes or changes what lies in {printable(str(folder))}"
                        f" ({error.what})",
                        hint=error.hint,
                    ) from error
            yield

    @_told()
    def listings(self, folders: Sequence[str]) -> tuple[dict[str, Entry], ...]:
        """See Place."""
        return tuple(_listing(self._inside(folder)) for folder in folders)

    def local(self, name: str) -> Path:
        """See Place."""
        return self._path(name)

    def stage(self, source: str | None, name: str, without: Sequence[str]) -> Path:
        """See Place."""
        path = self._path(name)
        self.remove(name)
        try:
            with _told():
                clone_tree(self._path(source) if source else None, path, frozenset(without))
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        return path

    @_told()
    def upload(self, source: str | None, name: str, without: Sequence[str]) -> None:  # noqa: ARG002 (all of it was staged where it belongs)
        """See Place."""
        for folder, _, _ in os.walk(self._path(name), onerror=_raise):
            files.sync_folder(Path(folder))

    def discard(self, name: str) -> None:
        """See Place."""
        self.remove(name)

    @_told()
    def settle(self, name: str, final: str, seconds: int) -> None:
        """See Place."""
        os.utime(self._path(name), (seconds, seconds))
        self._rename(self._path(name), self._path(final))

    @_told()
    def rename(self, name: str, final: str) -> None:
        """See Place."""
        make_folders(self._path(final).parent)
        self._rename(self._path(name), self._path(final))

    @_told()
    def exchange(self, first: str, second: str, spare: str) -> None:
        """See Place."""
        one, two = self._path(first), self._path(second)
        if self._swap(one, two):
            files.sync_folder(one.parent)
            files.sync_folder(two.parent)
            return
        aside = self._path(spare)
        try:
            self._rename(two, aside)
            self._rename(one, two)
        except BaseException:
            if not os.path.lexists(two):
                self._rename(aside, two)
            raise
        self._rename(aside, one)

    @_told()
    def link(self, name: str, target: str, beside: str) -> None:
        """See Place."""
        made = self._path(beside)
        made.unlink(missing_ok=True)
        made.symlink_to(target)
        path = self._path(name)
        make_folders(path.parent)
        if path != made:
            made.replace(path)
        files.sync_folder(path.parent)

    @_told()
    def remove(self, name: str) -> None:
        """See Place."""
        path = self._path(name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    @_told()
    def read(self, name: str) -> bytes | None:
        """See Place."""
        path = self._inside(name)
        try:
            with files.open_regular(path) as stream:
                return files.read_bounded(stream, SMALL, printable(name))
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            if path.exists() and not path.is_file():
                raise no_file(name, str(self._root)) from error
            raise

    @_told()
    def replace(self, name: str, content: bytes) -> None:
        """See Place."""
        path = self._path(name)
        make_folders(path.parent)
        with files.replacing(path) as out:
            os.fchmod(out.fileno(), 0o644)
            out.write(content)

    def _path(self, name: str) -> Path:
        # The last name may be a link that is about to be replaced: only the way to it counts.
        folder, leaf = posixpath.split(name)
        return self._inside(folder) / leaf

    def _inside(self, name: str) -> Path:
        # Whoever made a link, the root's owner too: what is public, and its locks, lie below it.
        path = Path(files.check_relative(name or "."))
        try:
            for folder in (*reversed(path.parents), path):  # so that the link itself is named
                files.safe_join(self._root, str(folder))
            return self._root / path
        except WrongBytesError as error:
            raise WrongBytesError(error.what, hint=WITHOUT_LINK) from error

    @staticmethod
    def _rename(path: Path, final: Path) -> None:
        path.rename(final)
        for folder in {path.parent, final.parent}:
            files.sync_folder(folder)


def _listing(folder: Path) -> dict[str, Entry]:
    try:
        with os.scandir(folder) as found:
            return {each.name: _entry(each) for each in found}
    except OSError as error:
        if error.errno in _ABSENT:
            return {}
        raise


def _entry(found: os.DirEntry[str]) -> Entry:
    changed = int(found.stat(follow_symlinks=False).st_mtime)
    if found.is_symlink():
        return Entry(Kind.LINK, os.readlink(found.path), changed)  # noqa: PTH115 (a DirEntry)
    kind = Kind.FOLDER if found.is_dir(follow_symlinks=False) else Kind.FILE
    return Entry(kind, "", changed)


def _raise(error: OSError) -> None:
    raise error
