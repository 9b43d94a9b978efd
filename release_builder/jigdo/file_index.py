"""The files that may be parts, found by what an extent is like: its length, its name, its digest."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from release_builder.jigdo.sources import digest_of_file

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from release_builder.digests import Digest
    from release_builder.extents import Extent
    from release_builder.jigdo.sources import DigestCache


class File(Protocol):
    """A file that may be a part."""

    @property
    def path(self) -> str:
        """Where to open it."""

    @property
    def name(self) -> str:
        """Its path below the folder that was given."""

    @property
    def size(self) -> int:
        """Bytes."""


AnyFile = TypeVar("AnyFile", bound=File)
_FEW: Final = 32  # files


class FileIndex(Generic[AnyFile]):
    """Files by their sizes; by names and digests only where several are of one size.

    Args:
        files: The files; of equal ones the first counts.
        algorithm: Of the digests.
        cache: Digests known from before.

    Attributes:
        problems: Files that could not be read: path and why.
    """

    def __init__(self, files: Iterable[AnyFile], algorithm: str, cache: DigestCache) -> None:
        self.problems: dict[str, str] = {}
        self._algorithm = algorithm
        self._cache = cache
        self._by_size: dict[int, list[AnyFile]] = {}
        self._by_name: dict[int, dict[str, AnyFile]] = {}
        self._by_leaf: dict[int, dict[str, AnyFile]] = {}
        self._by_digest: dict[int, dict[Digest, AnyFile]] = {}
        for file in files:
            self._by_size.setdefault(file.size, []).append(file)

    def files(self) -> Iterator[AnyFile]:
        """All files, those of one size in the order given."""
        return itertools.chain.from_iterable(self._by_size.values())

    def has_size(self, size: int) -> bool:
        """Whether any file is of ``size`` bytes."""
        return size in self._by_size

    def has_several(self, size: int) -> bool:
        """Whether more than one file is of ``size`` bytes."""
        return len(self._by_size.get(size, ())) > 1

    def known(self, status: os.stat_result) -> Digest | None:
        """The digest of the file with ``status``, if it was read before."""
        return self._cache.get(status, self._algorithm)

    def remember(self, status: os.stat_result, digest: Digest) -> None:
        """The file with ``status`` was read and has ``digest``."""
        self._cache.put(status, digest)

    def likely(self, extent: Extent) -> AnyFile | None:
        """The file that ``extent`` holds if any; its bytes must decide."""
        of_size = self._by_size[extent.length]
        if len(of_size) == 1:
            return of_size[0]
        if len(of_size) <= _FEW:  # no dictionary for every size
            named = (file for file in of_size if file.name == extent.name)
            leaf = _leaf(extent.name)
            return next(named, next((file for file in of_size if _leaf(file.name) == leaf), None))
        by_name = self._names(self._by_name, extent.length, str).get(extent.name)
        return by_name or self._names(self._by_leaf, extent.length, _leaf).get(_leaf(extent.name))

    def with_digest(self, size: int, digest: Digest) -> AnyFile | None:
        """The file of ``size`` bytes with ``digest``; each is read once at most."""
        if size not in self._by_digest:
            by_digest: dict[Digest, AnyFile] = {}
            for file in self._by_size[size]:
                try:
                    known = digest_of_file(file.path, self._algorithm, self._cache)
                except OSError as error:
                    self.problems[file.path] = error.strerror or str(error)
                else:
                    by_digest.setdefault(known, file)
            self._by_digest[size] = by_digest
        return self._by_digest[size].get(digest)

    def _names(
        self, known: dict[int, dict[str, AnyFile]], size: int, name_of: Callable[[str], str]
    ) -> dict[str, AnyFile]:
        """Files of ``size`` bytes by what ``name_of`` makes of their names."""
        if size not in known:
            known[size] = {name_of(file.name): file for file in reversed(self._by_size[size])}
        return known[size]


def _leaf(name: str) -> str:
    return name.rpartition("/")[2]
