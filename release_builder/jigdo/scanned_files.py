"""Parts among things of any name: files here, files inside an image in extent_source."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from contextlib import contextmanager
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO, Final, Generic, NamedTuple, Protocol, TypeVar

from release_builder.errors import printable
from release_builder.files import open_regular
from release_builder.jigdo.rsync_sum import template_sums
from release_builder.jigdo.sources import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.sources import Candidate, DigestCache

_Item = TypeVar("_Item")
_FIRST: Final = itemgetter(0)


class PartFinder(ABC, Generic[_Item]):
    """Finds parts by their bytes, reading as little as will do.

    Of the items of a part's length one whose first block has the part's rsync sum is likely to be
    it. Only if that leaves none or a choice, or is wrong, are they hashed, each once.

    Args:
        items: Each behind its length in bytes; not asked for before the first part is.
        lengths: The lengths of the parts that may be asked for.
        sum_length: Bytes that the rsync sums cover; None if they are of no use.
        problems: Becomes the attribute, so that several finders may share one.

    Attributes:
        problems: What could not be read: its place and why.

    Cost: memory for the items of a length that parts have, 100 bytes and the item itself each;
    when a part of that length was asked for, 300 bytes more.
    """

    def __init__(
        self,
        items: Iterable[tuple[int, _Item]],
        lengths: Iterable[int],
        sum_length: int | None,
        problems: dict[str, str] | None = None,
    ) -> None:
        self.problems = {} if problems is None else problems
        self._items = items
        self._lengths = frozenset(lengths)
        self._sum_length = sum_length
        self._by_sum: dict[int, list[tuple[bytes, int]]] = {}
        self._by_digest: dict[tuple[int, str], dict[Digest, list[_Item]]] = {}

    def matching(self, part: MatchedFile) -> Iterator[_Item]:
        """The items that may be ``part``, the likeliest first; its digest must decide."""
        likely = self._likely(part)
        first = [self._sorted[number][1] for number in likely] if len(likely) == 1 else []
        yield from first
        for item in self._digests(part.length, part.digest.algorithm).get(part.digest, ()):
            if item not in first:
                yield item

    def may_have(self, part: MatchedFile) -> bool:
        """Whether some item has the length of ``part``; none is read."""
        return bool(self._of_length(part.length))

    @abstractmethod
    def _begin(self, item: _Item, length: int, count: int) -> bytes:
        """The first ``count`` bytes of an item of ``length`` bytes, or all if they are fewer.

        Raises:
            OSError: They cannot be read.
        """

    @abstractmethod
    def _digest(self, item: _Item, length: int, algorithm: str) -> Digest:
        """The digest of an item of ``length`` bytes.

        Raises:
            OSError: It cannot be read.
        """

    @abstractmethod
    def _place(self, item: _Item) -> str:
        """What ``problems`` calls an item."""

    def _likely(self, part: MatchedFile) -> Sequence[int]:
        """Those that may be ``part`` by length and rsync sum; of several, two will do."""
        if part.rsync_sum is None or self._sum_length is None:
            return self._of_length(part.length)
        sums = self._sums(part.length, self._sum_length)
        at = bisect_left(sums, part.rsync_sum, key=_FIRST)
        return [number for each, number in sums[at : at + 2] if each == part.rsync_sum]

    @cached_property
    def _sorted(self) -> list[tuple[int, _Item]]:
        """The items by length; where one stands is its number."""
        return sorted((each for each in self._items if each[0] in self._lengths), key=_FIRST)

    def _of_length(self, length: int) -> range:
        begin = bisect_left(self._sorted, length, key=_FIRST)
        return range(begin, bisect_right(self._sorted, length, begin, key=_FIRST))

    def _sums(self, length: int, sum_length: int) -> list[tuple[bytes, int]]:
        """The rsync sums that templates may have of the items of ``length`` bytes, in order."""
        if length not in self._by_sum:  # no dictionary: it would take twice the memory
            sums: list[tuple[bytes, int]] = []
            for number in self._of_length(length):
                item = self._sorted[number][1]
                with self._noting(item):
                    first = self._begin(item, length, sum_length)
                    sums += [(each, number) for each in template_sums(first, sum_length)]
            self._by_sum[length] = sorted(sums)
        return self._by_sum[length]

    def _digests(self, length: int, algorithm: str) -> dict[Digest, list[_Item]]:
        """The items of ``length`` bytes by their digests."""
        if (length, algorithm) not in self._by_digest:
            by_digest: dict[Digest, list[_Item]] = {}
            for number in self._of_length(length):
                item = self._sorted[number][1]
                with self._noting(item):
                    by_digest.setdefault(self._digest(item, length, algorithm), []).append(item)
            self._by_digest[length, algorithm] = by_digest
        return self._by_digest[length, algorithm]

    @contextmanager
    def _noting(self, item: _Item) -> Iterator[None]:
        """An item that is unreadable, or gone since, is no candidate."""
        try:
            yield
        except OSError as error:
            self.problems.setdefault(self._place(item), error.strerror or str(error))


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


class ScannedFiles(PartFinder[File]):
    """Finds parts among files; see PartFinder.

    Args:
        files: Not asked for before the first part is.
        lengths: The lengths of the parts that may be asked for.
        sum_length: Bytes that the rsync sums cover; None if they are of no use.
        cache: Digests known from before.
    """

    def __init__(
        self,
        files: Iterable[File],
        lengths: Iterable[int],
        sum_length: int | None,
        cache: DigestCache,
    ) -> None:
        super().__init__(((file.size, file) for file in files), lengths, sum_length)
        self._cache = cache

    def candidates(self, part: MatchedFile, /) -> Iterator[Candidate]:
        """See PartSource."""
        for path in self.paths(part):
            yield FileCandidate(path, part.length, self._cache)

    def find(self, part: MatchedFile) -> str | None:
        """The path of the file that is ``part`` if any is; its digest must decide."""
        return next(self.paths(part), None)

    def paths(self, part: MatchedFile) -> Iterator[str]:
        """The paths of the files that may be ``part``, as candidates has them."""
        return (file.path for file in self.matching(part))

    def _begin(self, item: File, _length: int, count: int) -> bytes:
        with open_regular(item.path) as stream:
            return stream.read(count)

    def _digest(self, item: File, _length: int, algorithm: str) -> Digest:
        return digest_of_file(item.path, algorithm, self._cache)

    def _place(self, item: File) -> str:
        return item.path


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

    def known(self, algorithm: str, /) -> Digest | None:
        """See Candidate."""
        return None if self._status is None else self._cache.get(self._status, algorithm)

    def confirm(self, digest: Digest, /) -> None:
        """See Candidate."""
        if self._status is not None:
            self._cache.put(self._status, digest)
