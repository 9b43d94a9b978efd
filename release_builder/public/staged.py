"""A release that is filled before the world sees it."""

from __future__ import annotations

import contextlib
import os
import posixpath
import shutil
import stat
from typing import TYPE_CHECKING

from release_builder import files
from release_builder.errors import WrongBytesError, printable, surroundings
from release_builder.public.copying import (
    copy_file,
    link_file,
    make_folders,
    same_file,
    sync_file,
)
from release_builder.public.layout import NEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from release_builder.public.layout import Layout


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
        known: Where ``source`` lies on this machine; None where it does not.
    """

    def __init__(
        self,
        layout: Layout,
        root: Path,
        source: str | None,
        replaced: tuple[str, ...],
        known: Path | None,
    ) -> None:
        self.layout = layout
        self.root = root
        self.source = source
        self.replaced = replaced
        self._known = known

    @property
    def hidden(self) -> str:
        """Where it lies below the public root, once uploaded and until it is public."""
        return self.layout.inside(NEXT)

    def add(self, source: Path, name: str) -> None:
        """Make the regular file ``source`` the file ``name``, readable for all.

        Where it can be linked it is linked; a copy is made otherwise, or the same file (size,
        time and bytes) of what is public is linked. ``source`` must not be changed in place later.

        Raises:
            WrongBytesError: ``name`` leads out of the folder, or ``source`` is no regular file.
        """
        with self._guarded():
            mode = source.lstat().st_mode
            if not stat.S_ISREG(mode):
                raise WrongBytesError(f"{printable(str(source))} is not a regular file")
            target = self._free(name)
            if _is_fit(mode) and link_file(source, target):
                sync_file(target)
                return
            known = self._known / name if self._known else None
            if known and same_file(source, known) and link_file(known, target):
                return
            copy_file(source, target, 0o755 if mode & 0o100 else 0o644)

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

    def add_tree(
        self, source: Path, name: str, on_file: Callable[[int], object] = _nothing
    ) -> None:
        """Add all files below ``source`` below ``name``; links stay links.

        Args:
            source: A folder; links in it may not lead out of it.
            name: The folder that gets its content; ``.`` for the release itself.
            on_file: Gets the bytes of each file that was added.

        Raises:
            WrongBytesError: A link leads out, or something is neither file, folder nor link.
        """
        with self._guarded():
            self._add_folder(source, source.resolve(), name, on_file)

    def _add_folder(
        self, folder: Path, top: Path, name: str, on_file: Callable[[int], object]
    ) -> None:
        make_folders(self._path(name))
        for path in sorted(folder.iterdir()):
            inner = posixpath.join(name, path.name)
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode):
                self._add_folder(path, top, inner, on_file)
            elif stat.S_ISLNK(status.st_mode):
                target = path.readlink()
                if target.is_absolute() or not path.resolve().is_relative_to(top):
                    raise WrongBytesError(
                        f"{printable(str(path))} is a link that leads out of {printable(str(top))}",
                        hint="put a file or a relative link there",
                    )
                self._free(inner).symlink_to(target)
            else:
                self.add(path, inner)
                on_file(status.st_size)
        times = folder.stat()
        os.utime(self._path(name), ns=(times.st_atime_ns, times.st_mtime_ns))

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


def _is_fit(mode: int) -> bool:
    """Whether a web server may read it and not everybody may write it."""
    return mode & 0o444 == 0o444 and not mode & 0o7002
