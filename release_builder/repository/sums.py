"""All digests of a file of the repository, from one reading of it."""

from __future__ import annotations

import threading
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from release_builder.digests import BLOCK, hasher
from release_builder.errors import StoppedError, printable
from release_builder.files import open_regular
from release_builder.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_AHEAD: Final = 4  # blocks that may wait for each digest: 5 MiB in all, as they share them
_UNDER_WAY: Final[set[threading.Event]] = set()  # what ends each reading


@dataclass(frozen=True, slots=True)
class Sums:
    """What meta and CKSUMS state of a file.

    Attributes:
        size: Bytes.
        cksum: The POSIX CRC, as ``cksum`` prints it.
        sha256: Lower-case hexadecimal.
        sha512: Lower-case hexadecimal.
    """

    size: int
    cksum: int
    sha256: str
    sha512: str


class PosixCrc:
    """The CRC of POSIX ``cksum``, over bytes as they come.

    Source: POSIX.1-2017, cksum: polynomial 0x04C11DB7, most significant bit first, register 0 at
    the start, then the length's bytes (least significant first, no leading zeros), all bits
    inverted. zlib's CRC-32 has the same polynomial and takes the least significant bit first:
    it is the same sum over mirrored bytes, mirrored.
    """

    def __init__(self) -> None:
        self._state = 0xFFFFFFFF  # what zlib inverts into a register of 0
        self._length = 0

    def update(self, data: bytes) -> None:
        """Take ``data`` in."""
        self._state = zlib.crc32(data.translate(_MIRRORED), self._state)
        self._length += len(data)

    def value(self) -> int:
        """The CRC of all that was taken in."""
        length = self._length.to_bytes((self._length.bit_length() + 7) // 8, "little")
        return int(f"{zlib.crc32(length.translate(_MIRRORED), self._state):032b}"[::-1], 2)


def sums_of(path: Path, on_bytes: Callable[[int], None] = lambda _count: None) -> Sums:
    """Read ``path`` once, for all its digests.

    Args:
        path: A regular file.
        on_bytes: Told the number of bytes after each block.

    Raises:
        StoppedError: ``stop_all`` was called.
        OSError: It cannot be read.

    Cost: at most 5 MiB of memory; each digest is computed in a thread of its own.
    """
    stopped = threading.Event()
    _UNDER_WAY.add(stopped)
    try:
        return _read(path, on_bytes, stopped)
    finally:
        _UNDER_WAY.discard(stopped)


def stop_all() -> None:
    """Have ``sums_of`` end in every thread, as when the user stops us."""
    for stopped in tuple(_UNDER_WAY):
        stopped.set()


def _read(path: Path, on_bytes: Callable[[int], None], stopped: threading.Event) -> Sums:
    crc, sha256, sha512 = PosixCrc(), hasher("sha256"), hasher("sha512")
    size = 0
    with open_regular(path) as stream, ExitStack() as stack:
        takers = (crc.update, sha256.update, sha512.update)
        lanes = [stack.enter_context(Lane[None](ahead=_AHEAD)) for _ in takers]
        while block := stream.read(BLOCK):
            if stopped.is_set():
                raise StoppedError(
                    f"{printable(str(path))}: the reading was stopped",
                    hint="the same command goes on from here",
                )
            for lane, take in zip(lanes, takers, strict=True):
                lane.submit(partial(take, block))
            size += len(block)
            on_bytes(len(block))
        for lane in lanes:
            lane.finish()
    return Sums(size, crc.value(), sha256.digest().hex(), sha512.digest().hex())
