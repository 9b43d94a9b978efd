"""Where parts may be found. All sources of an image's writer follow one protocol."""

from __future__ import annotations

import io
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from release_builder.digests import digest_stream
from release_builder.errors import printable
from release_builder.files import check_relative, open_regular
from release_builder.jigdo.entries import MatchedFile

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import Description


class DigestCache(Protocol):
    """Digests of files that were read before and have not changed since."""

    def get(self, status: os.stat_result, algorithm: str, /) -> Digest | None:
        """The digest of the file with this status, if it is known."""

    def put(self, status: os.stat_result, digest: Digest, /) -> None:
        """The file with this status was read and has this digest."""


class Candidate(Protocol):
    """Something that may hold a part's bytes; whether it does is seen when they are read."""

    @property
    def where(self) -> str:
        """The place, for messages."""

    def open(self) -> BinaryIO:
        """The bytes, from the first of the part on."""

    def confirm(self, digest: Digest, /) -> None:
        """The bytes were read to their end and had ``digest``."""


class PartSource(Protocol):
    """A place to look for parts."""

    def candidates(self, part: MatchedFile, /) -> Iterator[Candidate]:
        """What may hold ``part``, the likeliest first; each has the part's length."""


class TreeSource:
    """Parts that are files: first those that [Parts] names, then any of the right size.

    Nothing is hashed that cannot match: the folders are read once, for sizes alone, and only
    when a part is not where [Parts] says.

    Args:
        locations: What [Parts] says of a digest: ``Label:path`` or URLs.
        roots: The folders that a label may stand for, most likely first.
        scanned: Folders and files in which any file may be a part. A link counts when it leads
            to somewhere in ``roots`` or ``scanned``: a mirror's links shall not make us read more.
        lengths: The lengths of the parts that may be asked for.
        cache: Digests known from before.

    Raises:
        WrongBytesError: A location would lead out of its folder.
    """

    def __init__(
        self,
        locations: Mapping[Digest, Sequence[str]],
        roots: Sequence[Path],
        scanned: Iterable[Path],
        lengths: Iterable[int],
        cache: DigestCache,
    ) -> None:
        self._locations = locations
        self._roots = tuple(roots)
        self._scanned = tuple(scanned)
        self._lengths = frozenset(lengths)
        self._cache = cache
        self._by_size: dict[int, list[Path]] | None = None
        self._by_digest: dict[tuple[int, str], dict[Digest, Path]] = {}
        self._places = tuple(place.resolve() for place in (*self._roots, *self._scanned))
        self._real_folders: dict[Path, Path] = {}
        for digest in locations:
            for path in self._relative_paths(digest):
                check_relative(path)

    def candidates(self, part: MatchedFile, /) -> Iterator[Candidate]:
        """See PartSource."""
        named = self.named(part.digest)
        for path in named:
            if _size(path) == part.length:
                yield _File(path, self._cache)
        other = self._of_size(part.length, part.digest.algorithm).get(part.digest)
        if other is not None and other not in named:
            yield _File(other, self._cache)

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

    def _of_size(self, length: int, algorithm: str) -> dict[Digest, Path]:
        """The files of ``length`` bytes by their digests, each hashed once."""
        if self._by_size is None:
            self._by_size = {}
            for path, size in _regular_files(self._scanned):
                if size in self._lengths and self._is_ours(path):
                    self._by_size.setdefault(size, []).append(path)
        if (length, algorithm) not in self._by_digest:
            paths = self._by_size.get(length, ())
            digests = ((self._digest(path, algorithm), path) for path in paths)
            self._by_digest[length, algorithm] = {each: path for each, path in digests if each}
        return self._by_digest[length, algorithm]

    def _digest(self, path: Path, algorithm: str) -> Digest | None:
        try:
            with open_regular(path) as stream:
                status = os.fstat(stream.fileno())
                known = self._cache.get(status, algorithm)
                if known is None:
                    known = digest_stream(stream, [algorithm])[algorithm]
                    self._cache.put(status, known)
                return known
        except OSError:  # unreadable, or gone since: it is no candidate
            return None


class ImageSource:
    """Parts that lie in an older image, where its own template says that they lie.

    Args:
        image: The older image.
        description: What it is made of.
        wanted: The digests that may be asked for.
    """

    def __init__(self, image: Path, description: Description, wanted: Container[Digest]) -> None:
        self._image = image
        self._offsets: dict[Digest, int] = {}
        offset = 0
        for run in description.runs:
            if isinstance(run, MatchedFile) and run.digest in wanted:
                self._offsets.setdefault(run.digest, offset)
            offset += run.length

    def candidates(self, part: MatchedFile, /) -> Iterator[Candidate]:
        """See PartSource."""
        if (offset := self._offsets.get(part.digest)) is not None:
            yield _Extent(self._image, offset, part.length)


class _File:
    def __init__(self, path: Path, cache: DigestCache) -> None:
        self._path = path
        self._cache = cache
        self._status: os.stat_result | None = None

    @property
    def where(self) -> str:
        return printable(str(self._path))

    def open(self) -> BinaryIO:
        stream = open_regular(self._path)
        self._status = os.fstat(stream.fileno())
        return stream

    def confirm(self, digest: Digest, /) -> None:
        if self._status is not None:
            self._cache.put(self._status, digest)


class _Extent:
    def __init__(self, image: Path, offset: int, length: int) -> None:
        self._image = image
        self._offset = offset
        self._length = length

    @property
    def where(self) -> str:
        return f"{printable(str(self._image))} at byte {self._offset:,}"

    def open(self) -> BinaryIO:
        return _Window(open_regular(self._image), self._offset, self._length)

    def confirm(self, digest: Digest, /) -> None:
        """An extent's digest is no file's: nothing is remembered."""


class _Window(io.RawIOBase, BinaryIO):
    """``length`` bytes of a file, from ``offset`` on."""

    def __init__(self, whole: BinaryIO, offset: int, length: int) -> None:
        super().__init__()
        self._whole = whole
        self._left = length
        whole.seek(offset)

    def read(self, count: int = -1, /) -> bytes:
        wanted = self._left if count < 0 else min(count, self._left)
        block = self._whole.read(wanted)
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._whole.close()
        super().close()


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
