"""Where parts may be found. All sources of an image's writer follow one protocol."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, BinaryIO, Protocol

from release_builder.digests import digest_stream
from release_builder.errors import printable
from release_builder.files import open_regular
from release_builder.jigdo.entries import MatchedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import Description


class DigestCache(Protocol):
    """Digests of files that were read before and have not changed since.

    Attributes:
        computed: How many were put.
    """

    computed: int

    def get(self, status: os.stat_result, algorithm: str, /) -> Digest | None:
        """The digest of the file with this status, if it is known."""

    def put(self, status: os.stat_result, digest: Digest, /) -> None:
        """The file with this status was read and has this digest."""


def digest_of_file(
    path: str,
    algorithm: str,
    cache: DigestCache,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> Digest:
    """The digest of the file at ``path``, which is read only if ``cache`` does not know it.

    Args:
        path: Where it is.
        algorithm: Of the digest.
        cache: Asked first; learns the digest.
        on_bytes: Told the number of bytes after each block that is read.

    Raises:
        OSError: It cannot be read, or is no regular file.
    """
    with open_regular(path) as stream:
        status = os.fstat(stream.fileno())
        known = cache.get(status, algorithm)
        if known is None:
            known = digest_stream(stream, [algorithm], on_bytes)[algorithm]
            cache.put(status, known)
    return known


class Candidate(Protocol):
    """Something that may hold a part's bytes; whether it does is seen when they are read."""

    @property
    def where(self) -> str:
        """The place, for messages."""

    def open(self) -> BinaryIO:
        """The bytes, from the first of the part on.

        Raises:
            OSError: It cannot be read, or has another length by now.
        """

    def known(self, algorithm: str, /) -> Digest | None:
        """The digest of what was opened, if that need not be read for it."""

    def confirm(self, digest: Digest, /) -> None:
        """As many bytes as the part has were read, and had ``digest``, the part's or not."""


class PartSource(Protocol):
    """A place to look for parts."""

    def candidates(self, part: MatchedFile, /) -> Iterator[Candidate]:
        """What may hold ``part``, the likeliest first; each has the part's length."""


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
            yield ExtentCandidate(self._image, offset, part.length)


class ExtentCandidate:
    """A stretch of an image that may be a part.

    Args:
        image: The image.
        offset: Where the stretch begins.
        length: Bytes of the part.
        on_digest: Told the digest that the stretch turned out to have.
    """

    def __init__(
        self,
        image: Path,
        offset: int,
        length: int,
        on_digest: Callable[[Digest], object] = lambda _digest: None,
    ) -> None:
        self._image = image
        self._offset = offset
        self._length = length
        self._on_digest = on_digest

    @property
    def where(self) -> str:
        """See Candidate."""
        return f"{printable(str(self._image))} at byte {self._offset:,}"

    def open(self) -> BinaryIO:
        """See Candidate."""
        stream = open_regular(self._image)
        size = os.fstat(stream.fileno()).st_size
        if size < self._offset + self._length:
            stream.close()
            raise OSError(0, f"it ends at byte {size:,}, before the part does", str(self._image))
        return _Window(stream, self._offset, self._length)

    def known(self, algorithm: str, /) -> None:
        """See Candidate."""

    def confirm(self, digest: Digest, /) -> None:
        """See Candidate; no digest of a whole file is learnt."""
        self._on_digest(digest)


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
