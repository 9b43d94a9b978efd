"""A part read from a candidate, its failures told from those of the image."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from release_builder.digests import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.digests import Readable
    from release_builder.jigdo.sources import Candidate


class UnreadableError(Exception):
    """A source could not be read to its end; unlike a failed write, another may do."""


@contextmanager
def opened(candidate: Candidate) -> Iterator[BinaryIO]:
    """The bytes of ``candidate``.

    Raises:
        UnreadableError: It cannot be opened.
    """
    try:
        stream = candidate.open()
    except OSError as error:
        raise UnreadableError(error.strerror) from error
    with stream:
        yield stream


def blocks_of(stream: Readable, length: int) -> Iterator[bytes]:
    """At most ``length`` bytes of ``stream``, in blocks.

    Raises:
        UnreadableError: They cannot be read.
    """
    while length:
        try:
            block = stream.read(min(length, BLOCK))
        except OSError as error:
            raise UnreadableError(error.strerror) from error
        if not block:
            return
        length -= len(block)
        yield block
