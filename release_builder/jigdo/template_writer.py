"""Writing a .template file: the inverse of template; its unmatched data is packed on all cores."""

from __future__ import annotations

import bz2
import os
import zlib
from functools import partial
from typing import TYPE_CHECKING, Final

from release_builder import __version__
from release_builder.digests import Digest, hasher
from release_builder.files import write_all
from release_builder.lanes import Lane

if TYPE_CHECKING:
    from typing import BinaryIO, Self

GENERATOR: Final = f"release-builder/{__version__}"
VERSIONS: Final = {"md5": "1.2", "sha256": "2.0"}  # of the format, by algorithm

COMPRESSIONS: Final = ("gzip", "bzip2")
# Independent streams of a fixed length: the same bytes whatever the number of cores.
_PIECES: Final = {"gzip": 1 << 20, "bzip2": 900_000}  # bytes, unpacked; bzip2's own block
_MOST_WORKERS: Final = {"gzip": 6, "bzip2": 3}  # bzip2 takes 8 MB a thread
_HEADER: Final = (
    f"JigsawDownload template %s {GENERATOR}\r\n"
    "It takes a .jigdo file and release-builder, or jigdo, to make the image from this.\r\n"
    "\r\n"
)


class TemplateWriter:
    """A template that is being written; the same input gives the same bytes.

    Args:
        out: Where to; written from its current position on, never read.
        algorithm: ``md5`` (format 1.2) or ``sha256`` (format 2.0).
        compression: ``gzip`` or ``bzip2``.
        level: 0 to 9, from fast to small; bzip2 has no 0 and takes 1 for it.
    """

    def __init__(self, out: BinaryIO, algorithm: str, compression: str, level: int) -> None:
        self._out = out
        self._algorithm = algorithm
        self._digest = hasher(algorithm)
        self._compression = compression
        self._level = level
        self._piece = bytearray()
        workers = min(len(os.sched_getaffinity(0)), _MOST_WORKERS[compression])
        self._lane: Lane[bytes] = Lane(workers, workers, self._write)
        self._write((_HEADER % VERSIONS[algorithm]).encode("ascii"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._lane.__exit__(*error)

    def unmatched(self, data: bytes) -> None:
        """The next bytes that no part has."""
        self._piece += data
        size = _PIECES[self._compression]
        while len(self._piece) >= size:
            self._pack(bytes(self._piece[:size]))
            del self._piece[:size]

    def finish(self, description: bytes) -> Digest:
        """Write what is left and the DESC part; the digest of the whole template."""
        if self._piece:
            self._pack(bytes(self._piece))
        self._lane.finish()
        self._write(description)
        return Digest(self._algorithm, self._digest.digest())

    def _pack(self, piece: bytes) -> None:
        self._lane.submit(partial(_packed, piece, self._compression, self._level))

    def _write(self, piece: bytes) -> None:
        write_all(self._out, piece)
        self._digest.update(piece)


def _packed(piece: bytes, compression: str, level: int) -> bytes:
    """One data part: 4 DATA or BZIP | 6 length of the part | 6 length unpacked | stream."""
    if compression == "bzip2":
        kind, stream = b"BZIP", bz2.compress(piece, max(level, 1))
    else:
        kind, stream = b"DATA", zlib.compress(piece, level)
    return (
        kind + (16 + len(stream)).to_bytes(6, "little") + len(piece).to_bytes(6, "little") + stream
    )
