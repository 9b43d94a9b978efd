"""Parts among files of any name."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

from release_builder.errors import printable
from release_builder.files import open_regular
from release_builder.jigdo.rsync_sum import template_sums
from release_builder.jigdo.sources import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.sources import Candidate, DigestCache


class File(Protocol):
    """A file that may be a part."""

    @property
    def path(self) -> str:
        """Where to open it."""

    @property
    def size(self) -> int:
        """Bytes."""


class Listed(NamedTuple):
    """A file of which nothing else is known.

    Attributes:
        path: Where to open it.
        size: Bytes.
    """

    path: str
    size: int


class ScannedFiles:
    """Finds parts by their bytes, reading as little as will do.

    Of the files of a part's size one whose first block has the part's rsync sum is likely to be
    it. Only if that leaves none or a choice, or is wrong, are they hashed, each once.

    Args:
        files: Not asked for before the first part is.
        lengths: The lengths of the parts that may be asked for.
        sum_length: Bytes that the rsync sums cover; None if they are of no use.
        cache: Digests known from before.

    Attributes:
        problems: Files that could not be read: path and why.
    """

    def __init__(
        self,
        files: Iterable[File],
        lengths: Iterable[int],
        sum_length: int | None,
        cache: DigestCache,
    ) -> None:
        self.problems: dict[str, str] = {}
        self._files = files
        self._lengths = frozenset(lengths)
        self._sum_length = sum_length
        self._cache = cache
        self._by_size: dict[int, list[File]] | None = None
        self._by_sum: dict[int, dict[bytes, list[File]]] = {}
        self._by_digest: dict[tuple[int, str], dict[Digest, list[File]]] = {}

    def candidates(self, part: MatchedFile, /) -> Iterator[Candidate]:
        """See PartSource."""
        for path in self.paths(part):
            yield FileCandidate(path, part.length, self._cache)

    def find(self, part: MatchedFile) -> str | None:
        """The path of the file that is ``part`` if any is; its digest must decide."""
        return next(self.paths(part), None)

    def paths(self, part: MatchedFile) -> Iterator[str]:
        """The paths of the files that may be ``part``, as candidates has them."""
        likely = self._likely(part)
        first = likely if len(likely) == 1 else ()
        for file in first:
            yield file.path
        for file in self._digests(part.length, part.digest.algorithm).get(part.digest, ()):
            if file not in first:
                yield file.path

    def _likely(self, part: MatchedFile) -> Sequence[File]:
        """The files that may be ``part`` by length and rsync sum."""
        if part.rsync_sum is not None and self._sum_length is not None:
            return self._sums(part.length, self._sum_length).get(part.rsync_sum, ())
        return self._of_size(part.length)

    def _of_size(self, length: int) -> Sequence[File]:
        if self._by_size is None:
            self._by_size = {}
            for file in self._files:
                if file.size in self._lengths:
                    self._by_size.setdefault(file.size, []).append(file)
        return self._by_size.get(length, ())

    def _sums(self, length: int, sum_length: int) -> dict[bytes, list[File]]:
        """The files of ``length`` bytes by the rsync sums that templates may have of them."""
        if length not in self._by_sum:
            by_sum: dict[bytes, list[File]] = {}
            for file in self._of_size(length):
                with self._noting(file), open_regular(file.path) as stream:
                    first = stream.read(sum_length)
                    for each in template_sums(first, sum_length):
                        by_sum.setdefault(each, []).append(file)
            self._by_sum[length] = by_sum
        return self._by_sum[length]

    def _digests(self, length: int, algorithm: str) -> dict[Digest, list[File]]:
        """The files of ``length`` bytes by their digests."""
        if (length, algorithm) not in self._by_digest:
            by_digest: dict[Digest, list[File]] = {}
            for file in self._of_size(length):
                with self._noting(file):
                    digest = digest_of_file(file.path, algorithm, self._cache)
                    by_digest.setdefault(digest, []).append(file)
            self._by_digest[length, algorithm] = by_digest
        return self._by_digest[length, algorithm]

    @contextmanager
    def _noting(self, file: File) -> Iterator[None]:
        """A file that is unreadable, or gone since, is no candidate."""
        try:
            yield
        except OSError as error:
            self.problems[file.path] = error.strerror or str(error)


class FileCandidate:
    """A whole file that may be a part.

    Args:
        path: Where it is.
        length: Bytes of the part.
        cache: Learns its digest, the part's or not.
    """

    def __init__(self, path: str, length: int, cache: DigestCache) -> None:
        self._path = path
        self._length = length
        self._cache = cache
        self._status: os.stat_result | None = None

    @property
    def where(self) -> str:
        """See Candidate."""
        return printable(self._path)

    def open(self) -> BinaryIO:
        """See Candidate."""
        stream = open_regular(self._path)
        status = os.fstat(stream.fileno())
        # Of a longer file the digest of its begin would be remembered.
        if status.st_size != self._length:
            stream.close()
            raise OSError(0, "its size changed meanwhile", self._path)
        self._status = status
        return stream

    def confirm(self, digest: Digest, /) -> None:
        """See Candidate."""
        if self._status is not None:
            self._cache.put(self._status, digest)
