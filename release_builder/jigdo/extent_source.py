"""Parts that are files inside an older image, as the image's own file system tells."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from release_builder.digests import digest_stream
from release_builder.errors import WrongBytesError
from release_builder.extents import Kind
from release_builder.jigdo.scanned_files import PartFinder
from release_builder.jigdo.sources import ExtentCandidate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.extents import Extent
    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.sources import Candidate

_MOST_EXTENTS: Final = 1_000_000  # of the right lengths: twenty times those of any real image
_TOO_MANY: Final = "it has more files than any real image: the last are left out"
_SPARE: Final = 1 << 20  # bytes of files that may lie over each other, beyond the image's size
_OVERLAP: Final = "its files lie over each other: the last are left out"


class ExtentSource(PartFinder[int]):
    """Finds parts among the files of an image; see PartFinder for how, and what it costs.

    An image whose file system is broken half-way has the files that were told before. What is
    not a file of its own, such as a file packed in another, is not looked for.

    Args:
        image: The image. It need not be whole, nor stay as it is: the parts' digests decide.
        extents: Where its files lie; not asked for before the first part is. May raise OSError
            and WrongBytesError.
        lengths: The lengths of the parts that may be asked for.
        sum_length: Bytes that the rsync sums cover; None if they are of no use.
        problems: Becomes the attribute; has one entry at most for ``image``.
    """

    def __init__(
        self,
        image: Path,
        extents: Iterable[Extent],
        lengths: Iterable[int],
        sum_length: int | None,
        problems: dict[str, str] | None = None,
    ) -> None:
        wanted = frozenset(lengths)
        super().__init__(self._files(extents, wanted), wanted, sum_length, problems)
        self._image = image
        self._wrong: dict[tuple[int, int], Digest] = {}  # by offset and length

    def candidates(self, part: MatchedFile, /) -> Iterator[Candidate]:
        """See PartSource."""
        for offset in self.matching(part):
            on_digest = partial(self._learn, part, offset)
            yield ExtentCandidate(self._image, offset, part.length, on_digest)

    def _files(
        self, extents: Iterable[Extent], wanted: frozenset[int]
    ) -> Iterator[tuple[int, int]]:
        """Lengths and offsets of files, each once: hard links share theirs."""
        seen: set[tuple[int, int]] = set()
        try:
            left = 2 * self._image.stat().st_size + _SPARE
            for extent in extents:
                place = (extent.length, extent.offset)
                if extent.kind is Kind.FILE and extent.length in wanted and place not in seen:
                    left -= extent.length
                    if left < 0 or len(seen) == _MOST_EXTENTS:
                        self._note(_OVERLAP if left < 0 else _TOO_MANY)
                        return
                    seen.add(place)
                    yield place
        except WrongBytesError as error:
            self._note(error.what)
        except OSError as error:
            self._note(error.strerror or str(error))

    def _note(self, why: str) -> None:
        self.problems.setdefault(str(self._image), why)

    def _learn(self, part: MatchedFile, offset: int, digest: Digest) -> None:
        if digest != part.digest:  # it is about to be looked for among all of its length
            self._wrong[offset, part.length] = digest

    def _begin(self, item: int, length: int, count: int) -> bytes:
        with ExtentCandidate(self._image, item, length).open() as stream:
            return stream.read(count)

    def _digest(self, item: int, length: int, algorithm: str) -> Digest:
        known = self._wrong.get((item, length))
        if known and known.algorithm == algorithm:
            return known
        with ExtentCandidate(self._image, item, length).open() as stream:
            return digest_stream(stream, [algorithm])[algorithm]

    def _place(self, _item: int) -> str:
        return str(self._image)
