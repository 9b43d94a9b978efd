"""A folder of our own made like another one, a name at a time."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from release_builder.files import naming, open_regular, sync_file, sync_folder, write_at
from release_builder.transport.local_tree import Entry, links_have_times
from release_builder.transport.rsync import HELD_BACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_PAGE: Final = 4096  # bytes; what file systems leave a hole for
_ZEROS: Final = bytes(_PAGE)
_ALL_OF_US: Final = 0o700
_NO_MORE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}  # the last: it is a link now


class Copier:
    """Carries out differences.

    New files, links and names lie in a folder HELD_BACK beside their place until they go there
    by a rename; so nothing of them is ever seen half-written, and what a killed run had copied
    is not copied again.

    Args:
        there: The mirror's folder; only read.
        here: Our folder.
        take: Gets the number of bytes that were read and may wait.

    Attributes:
        literal: Bytes that were copied.
        complaints: What could not be read.
        vanished: The mirror took something away, or wrote it meanwhile.
    """

    def __init__(self, there: Path, here: Path, take: Callable[[int], object]) -> None:
        self._there = there
        self._here = here
        self._take = take
        self._touched: set[Path] = set()
        self.literal = 0
        self.complaints: list[str] = []
        self.vanished = False

    def make_folders(self, folders: Iterable[Entry]) -> None:
        """Make ``folders``, those above first; what is there and no folder goes."""
        for entry in folders:
            path = self._here / entry.path
            self._open_up(path.parent)
            path.unlink(missing_ok=True)
            path.mkdir(entry.mode_here | _ALL_OF_US)
            self._touched.add(path)

    def copy(self, entry: Entry) -> bool:
        """Have a copy of the file ``entry`` ready; False if the mirror does not give it."""
        new = self._new(entry.path)
        if _is_copy(new, entry):
            return True
        new.unlink(missing_ok=True)
        try:
            stream = open_regular(self._there / entry.path, through_link=False)
        except OSError as error:
            return self._not_given(entry, error)
        with stream, naming(new), _create(new) as out:
            try:
                given = self._copy_bytes(stream, out, entry)
            except BaseException:
                new.unlink()
                raise
        if given:
            _dress(new, entry)
        else:
            new.unlink()
        return given

    def settle(self, entry: Entry) -> None:
        """Bring the bytes of a copy to disk; for many copies, after the last one was made."""
        sync_file(self._new(entry.path))

    def link(self, entry: Entry) -> bool:
        """Have a symbolic link like ``entry`` ready; False if the mirror does not give it."""
        new = self._new(entry.path)
        try:
            target = (self._there / entry.path).readlink()
        except OSError as error:
            return self._not_given(entry, error)
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        _dress(new, entry)
        return True

    def name(self, entry: Entry, first: str) -> None:
        """Put ``entry`` in its place: one more name of our file ``first``."""
        new = self._new(entry.path)
        new.unlink(missing_ok=True)
        with suppress(FileNotFoundError):  # the first was not given
            os.link(self._here / first, new, follow_symlinks=False)
            self.place(entry)

    def place(self, entry: Entry) -> None:
        """Put what is ready for ``entry`` in its place."""
        path = self._here / entry.path
        if path.is_dir() and not path.is_symlink():
            path.rmdir()  # what had been in it is deleted already
        self._new(entry.path).replace(path)

    def delete(self, entry: Entry) -> None:
        """Remove ``entry`` of our folder."""
        path = self._here / entry.path
        self._open_up(path.parent)
        if entry.is_folder:
            path.rmdir()
            self._touched.discard(path)
        else:
            path.unlink()

    def finish(self, attributes: Iterable[Entry], folders: Iterable[Entry]) -> None:
        """Set modes and times, remove the folders HELD_BACK, and have all of it on disk.

        Args:
            attributes: What has the wrong ones.
            folders: All folders of the mirror, those above first.
        """
        for path in self._touched:
            with suppress(OSError):  # gone itself, or not empty
                (path / HELD_BACK).rmdir()
        wrong = {entry.path for entry in attributes if entry.is_folder}
        for entry in attributes:
            if not entry.is_folder:
                _dress(self._here / entry.path, entry)
        for entry in reversed(tuple(folders)):
            path = self._here / entry.path
            if path in self._touched:
                sync_folder(path)
            if path in self._touched or entry.path in wrong:
                _dress(path, entry)

    def _new(self, path: str) -> Path:
        place = self._here / path
        folder = place.parent / HELD_BACK
        self._open_up(place.parent)
        with suppress(FileExistsError):
            folder.mkdir()
        if folder.is_symlink():
            raise NotADirectoryError(
                errno.ENOTDIR, "a link stands where new files are written", str(folder)
            )
        return folder / place.name

    def _open_up(self, folder: Path) -> None:
        """Let us write in ``folder``, whose mode and time are set anew at the end."""
        if folder in self._touched:
            return
        self._touched.add(folder)
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & _ALL_OF_US != _ALL_OF_US:
            folder.chmod(mode | _ALL_OF_US)

    def _not_given(self, entry: Entry, error: OSError) -> bool:
        if error.errno in _NO_MORE:
            self.vanished = True
        else:
            self.complaints.append(f"{self._there / entry.path}: {error.strerror}")
        return False

    def _copy_bytes(self, stream: BinaryIO, out: BinaryIO, entry: Entry) -> bool:
        offset = 0
        while True:
            try:
                block = stream.read(1 << 20)
            except OSError as error:
                return self._not_given(entry, error)
            if not block:
                break
            for start, end in _written(block):
                write_at(out.fileno(), block[start:end], offset + start)
            offset += len(block)
            self.literal += len(block)
            self._take(len(block))
        out.truncate(offset)
        now, listed = os.fstat(stream.fileno()), entry.status
        if (offset, now.st_mtime_ns) != (listed.st_size, listed.st_mtime_ns):
            self.vanished = True  # it is another file now, and comes with the next pass
            return False
        return True


def _create(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0)


def _is_copy(path: Path, entry: Entry) -> bool:
    """Whether a run before this one has copied ``entry`` to ``path``, to its end."""
    try:
        ours = Entry(entry.path, path.lstat())
    except FileNotFoundError:
        return False
    same = ours.status.st_size == entry.status.st_size and ours.second == entry.second
    return ours.is_file and ours.status.st_nlink == 1 and same


def _written(block: bytes) -> Iterator[tuple[int, int]]:
    """Where the bytes of ``block`` lie that are not whole pages of zeros: those become holes."""
    if _ZEROS not in block:
        yield 0, len(block)
        return
    begin = 0
    for start in range(0, len(block), _PAGE):
        if block.startswith(_ZEROS[: len(block) - start], start):
            if begin < start:
                yield begin, start
            begin = start + _PAGE
    if begin < len(block):
        yield begin, len(block)


def _dress(path: Path, entry: Entry) -> None:
    """Give ``path`` the mode and the time of ``entry``; by its name, as Linux 2.6.18 wants it."""
    status = entry.status
    if not entry.is_link:
        path.chmod(entry.mode_here)
    elif not links_have_times():
        return
    times = (status.st_atime_ns, status.st_mtime_ns)
    if entry.is_link:
        os.utime(path, ns=times, follow_symlinks=False)
    else:
        os.utime(path, ns=times)
