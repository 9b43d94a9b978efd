"""Parts that are files in folders."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.errors import WrongBytesError
from release_builder.files import check_relative, real_path
from release_builder.jigdo.scanned_files import FileCandidate, Listed, ScannedFiles
from release_builder.jigdo.syntax import JigdoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.sources import Candidate, DigestCache


class TreeSource:
    """Parts that are files: first those that [Parts] names, then any that may be it.

    Nothing is read that cannot match: the folders are read once, for sizes alone, and only when a
    part is not where [Parts] says.

    Args:
        locations: What [Parts] says of a digest: ``Label:path`` or URLs.
        roots: The folders that a label may stand for, most likely first.
        scanned: Folders and files in which any file may be a part. A link counts when it leads
            to somewhere in ``roots`` or ``scanned``: a mirror's links shall not make us read more.
        lengths: The lengths of the parts that may be asked for.
        sum_length: Bytes that the rsync sums cover; None if they are of no use.
        cache: Digests known from before.

    Raises:
        JigdoError: A location would lead out of its folder.
    """

    def __init__(  # noqa: PLR0913, PLR0917 (each is another kind of thing)
        self,
        locations: Mapping[Digest, Sequence[str]],
        roots: Sequence[Path],
        scanned: Iterable[Path],
        lengths: Iterable[int],
        sum_length: int | None,
        cache: DigestCache,
    ) -> None:
        self._locations = locations
        self._roots = tuple(roots)
        self._cache = cache
        scanned = tuple(scanned)
        self._places = tuple(map(real_path, (*self._roots, *scanned)))
        wanted = frozenset(lengths)
        files = (
            Listed(str(path), size)
            for path, size in _regular_files(scanned)
            if size in wanted and self._is_ours(path)
        )
        self._scanned = ScannedFiles(files, wanted, sum_length, cache)
        self._real_folders: dict[Path, Path] = {}
        for digest in locations:
            for path in self._relative_paths(digest):
                try:
                    check_relative(path)
                except WrongBytesError as error:
                    what = f"the .jigdo file: [Parts] {digest.jigdo}: {error.what}"
                    raise JigdoError(what) from error

    def candidates(self, part: MatchedFile, /) -> Iterator[Candidate]:
        """See PartSource."""
        named = self.named(part.digest)
        for path in named:
            if _size(path) == part.length:
                yield FileCandidate(str(path), part.length, self._cache)
        for other in self._scanned.paths(part):
            if Path(other) not in named:
                yield FileCandidate(other, part.length, self._cache)

    def named(self, digest: Digest) -> tuple[Path, ...]:
        """The files that [Parts] means by ``digest``, as far as they are here."""
        paths = (root / path for path in self._relative_paths(digest) for root in self._roots)
        return tuple(dict.fromkeys(path for path in paths if self._is_ours(path)))

    def _relative_paths(self, digest: Digest) -> Iterator[str]:
        for location in self._locations.get(digest, ()):
            label, _, path = location.partition(":")
            # Else it is a URL, or nothing at all: no name of a file here.
            if label and path.strip("/") and not path.startswith("//"):
                yield path.lstrip("/")

    def _is_ours(self, path: Path) -> bool:
        """Whether ``path`` is a file, and no link leads out of the folders that have our parts."""
        try:
            if not path.is_file():
                return False
            real = path.resolve() if path.is_symlink() else self._real_folder(path) / path.name
        except OSError:  # a name that is too long, a folder that may not be entered
            return False
        return any(real.is_relative_to(place) for place in self._places)

    def _real_folder(self, path: Path) -> Path:
        if path.parent not in self._real_folders:
            self._real_folders[path.parent] = path.parent.resolve()
        return self._real_folders[path.parent]


def _size(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_size
    return None


def _regular_files(places: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    """The files in ``places`` with their sizes, in a fixed order; links to folders are not followed."""
    waiting = list(reversed(tuple(places)))
    while waiting:
        place = waiting.pop()
        with suppress(OSError):  # a folder that may not be read holds no candidates
            status = place.stat()
            if stat.S_ISREG(status.st_mode):
                yield place, status.st_size
            elif stat.S_ISDIR(status.st_mode):
                entries = sorted(os.scandir(place), key=lambda entry: entry.name, reverse=True)
                waiting += [Path(entry) for entry in entries if not _is_linked_folder(entry)]


def _is_linked_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a link that leads to itself
        return True
