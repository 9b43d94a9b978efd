"""What the original left in a mirror: its deltas, signatures and digests save work once proven.

Source: puavo-os, ``.aux/make-rdiffs.rake`` (``.signatures/IMAGE.rdiff_signature``;
``.checksums/FILE.cksum``, ``.sha256sum``, ``.sha512sum``: the output of coreutils); librsync,
``src/librsync.h`` (signature magic numbers), ``src/mksum.c`` (the header).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.files import open_regular
from release_builder.repository.contents import RDIFFS
from release_builder.repository.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from release_builder.repository.selection import Pair

SIGNATURES: Final = ".signatures"
_SIGNATURE: Final = ".rdiff_signature"
DIGESTS: Final = ".checksums"
_KINDS: Final = (".cksum", ".sha256sum", ".sha512sum")
_MAGIC: Final = {0x72730136, 0x72730137, 0x72730146, 0x72730147}
_HEADER: Final = struct.Struct(">III")  # magic, block size, bytes of a strong sum
_WEAK: Final = 4  # bytes of a weak sum
_MOST_BYTES: Final = 1000


@dataclass(frozen=True, slots=True)
class OldSignature:
    """A signature that fits an image by its form; deltas that are made with it need a proof.

    Attributes:
        path: Where it lies.
        block_size: Bytes.
    """

    path: Path
    block_size: int


def find_delta(root: Path, pair: Pair) -> Path | None:
    """A delta of the pair's name; whether it makes the target of the source is not known."""
    path = root / RDIFFS / pair.rdiff
    return path if path.is_file() else None


def find_signature(root: Path, image: Path) -> OldSignature | None:
    """The original's signature of an image, if it is newer than that and has the right length."""
    path = root / SIGNATURES / f"{image.stem}{_SIGNATURE}"
    try:
        with open_regular(path) as stream:
            magic, block, strong = _HEADER.unpack(stream.read(_HEADER.size))
        made, of = path.stat(), image.stat()
    except (OSError, struct.error):
        return None
    if magic not in _MAGIC or not block or made.st_mtime_ns < of.st_mtime_ns:
        return None
    blocks = -(-of.st_size // block)
    is_whole = made.st_size == _HEADER.size + blocks * (_WEAK + strong)
    return OldSignature(path, block) if is_whole else None


def recorded_sums(root: Path, name: str) -> Sums | None:
    """What the original once found a file's digests to be; None where it left not all three."""
    try:
        texts = [_read(root / DIGESTS / f"{name}{kind}") for kind in _KINDS]
    except (OSError, ValueError):
        return None
    crc = re.fullmatch(rf"(\d+) (\d+) {re.escape(name)}\n", texts[0])
    sha256, sha512 = (
        re.fullmatch(rf"([0-9a-f]{{{digits}}}) [ *]{re.escape(name)}\n", text)
        for digits, text in zip((64, 128), texts[1:], strict=True)
    )
    if crc is None or sha256 is None or sha512 is None:
        return None
    return Sums(int(crc[2]), int(crc[1]), sha256[1], sha512[1])


def leftovers(root: Path, names: AbstractSet[str]) -> list[Path]:
    """The original's work files of images and deltas that are not among ``names``, sorted."""
    found = []
    for folder, suffixes in ((SIGNATURES, (_SIGNATURE,)), (DIGESTS, _KINDS)):
        for path in sorted((root / folder).glob("*")):
            image = f"{path.stem}.img" if path.suffix == _SIGNATURE else path.stem
            if path.suffix in suffixes and image not in names and path.is_file():
                found.append(path)
    return found


def _read(path: Path) -> str:
    with open_regular(path) as stream:
        return stream.read(_MOST_BYTES).decode()
