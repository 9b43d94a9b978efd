"""Digests of files and streams, and the ways in which jigdo and sums files write them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    class Hasher(Protocol):
        """What hashlib's objects offer and we use."""

        def update(self, data: bytes | bytearray | memoryview, /) -> None: ...  # noqa: D102 (hashlib says)
        def digest(self) -> bytes: ...  # noqa: D102 (hashlib says)
        def copy(self) -> Hasher: ...  # noqa: D102 (hashlib says)

    class Readable(Protocol):
        """Anything with ``read(count)``."""

        def read(self, count: int, /) -> bytes: ...  # noqa: D102 (as io says)


BLOCK: Final = 1 << 20  # bytes that any stream is read or written in at a time
LENGTHS: Final = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}  # bytes


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A digest together with its algorithm.

    Attributes:
        algorithm: A key of LENGTHS.
        value: The digest, ``LENGTHS[algorithm]`` bytes.
    """

    algorithm: str
    value: bytes

    def __post_init__(self) -> None:
        if LENGTHS.get(self.algorithm) != len(self.value):
            raise ValueError(f"{len(self.value)} bytes are no {self.algorithm} digest")

    @classmethod
    def from_hex(cls, text: str) -> Digest:
        """The digest that ``text`` spells in hexadecimal; its length tells the algorithm.

        Raises:
            ValueError: No algorithm has digests of that length, or a character is no digit.
        """
        for algorithm, length in LENGTHS.items():
            if len(text) == 2 * length:
                return cls(algorithm, binascii.unhexlify(text))
        raise ValueError(f"{text!r} has {len(text)} digits: no digest has")

    @classmethod
    def from_jigdo(cls, text: str) -> Digest:
        """The digest that ``text`` spells as jigdo does: base64url without padding.

        Raises:
            ValueError: ``text`` is neither an MD5 (22 characters) nor a SHA-256 (43).
        """
        algorithm = {22: "md5", 43: "sha256"}.get(len(text))
        if algorithm is None or not text.isascii() or "+" in text or "/" in text:
            raise ValueError(f"{text!r} is neither an MD5 nor a SHA-256 as jigdo writes them")
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return cls(algorithm, value)

    @property
    def hex(self) -> str:
        """As md5sum prints it."""
        return self.value.hex()

    @property
    def jigdo(self) -> str:
        """As [Parts] has it: base64url without padding."""
        return base64.urlsafe_b64encode(self.value).rstrip(b"=").decode("ascii")

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def hasher(algorithm: str) -> Hasher:
    """A fresh hashing object; the digests here tell bytes apart, they keep no secret."""
    return hashlib.new(algorithm, usedforsecurity=False)


def digest_stream(
    stream: Readable,
    algorithms: Iterable[str],
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> dict[str, Digest]:
    """Read ``stream`` to its end, once, for all ``algorithms``.

    Args:
        stream: Where the bytes come from.
        algorithms: Keys of LENGTHS.
        on_bytes: Told the number of bytes after each block.

    Returns:
        The digest for each algorithm.
    """
    hashers = {algorithm: hasher(algorithm) for algorithm in algorithms}
    while block := stream.read(BLOCK):
        for each in hashers.values():
            each.update(block)
        on_bytes(len(block))
    return {algorithm: Digest(algorithm, each.digest()) for algorithm, each in hashers.items()}
