"""Signatures of old images, whole or made in pieces and joined.

Source: librsync, ``src/librsync.h`` and ``src/mksum.c``. All integers are big-endian:
4 magic | 4 block size | 4 strong size S | for each block: 4 weak sum, S strong sum.
"""

from __future__ import annotations

import os
import shutil
import struct
from typing import TYPE_CHECKING, Final

from release_builder.repository import rdiff

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.repository.journal import Known
    from release_builder.repository.store import Store

_HEADER: Final = struct.Struct(">4sII")
_MAGICS: Final = (b"rs\x016", b"rs\x017", b"rs\x01F", b"rs\x01G")  # MD4 or BLAKE2, each rolling sum
_SMALLEST_STRONG: Final = 8  # bytes


def sign(store: Store, old: Known, block_size: int, *, anew: bool = False) -> None:
    """Have the signature of ``old`` in ``store``.

    Args:
        store: Where it goes.
        old: The image.
        block_size: Bytes.
        anew: Whether to make it although it is there, because a delta did not prove right.

    Raises:
        IncompleteError: The image was changed since its digests were taken, or removed.
        SurroundingsError: rdiff is missing or cannot read or write.
        OSError: The image or the store cannot be used.
    """
    path = store.signature(old.sums.sha256, block_size)
    if path.exists() and not anew:
        return
    with store.making(path) as out, old.unchanged():
        whole = str(old.path)
        argv = rdiff.signature_argv(block_size, whole, out, store.version, slow=anew)
        rdiff.run(argv, folder=store.folder)


def sign_piece(store: Store, old: Known, block_size: int, offset: int, length: int) -> None:
    """Have the signature of a part of ``old`` in ``store``.

    Args:
        store: Where it goes.
        old: The image.
        block_size: Bytes.
        offset: Where the part begins: a multiple of ``block_size``.
        length: Of the part; a multiple too, but for the last.

    Raises:
        IncompleteError: The image was changed since its digests were taken, or removed.
        SurroundingsError: rdiff is missing or cannot read or write.
        OSError: The image or the store cannot be used.
    """
    path = store.signature(old.sums.sha256, block_size)
    if path.exists() or store.piece(path, offset, length).exists():
        return
    with store.making(store.piece(path, offset, length)) as out, old.unchanged():
        part = rdiff.piece_of(old.path, offset, length)
        argv = rdiff.signature_argv(block_size, "-", out, store.version)
        rdiff.run(argv, stdin=part, folder=store.folder)


def join_signature(
    store: Store, old: Known, block_size: int, parts: Sequence[tuple[int, int]]
) -> None:
    """Join the signatures of all parts of ``old``: the bytes are those of the whole's.

    Args:
        store: Where they lie.
        old: The image.
        block_size: Bytes.
        parts: Offset and length of each, in order.

    Raises:
        OSError: The store cannot be used.
    """
    path = store.signature(old.sums.sha256, block_size)
    pieces = [store.piece(path, offset, length) for offset, length in parts]
    if not path.exists():
        with store.making(path) as out, out.open("wb") as joined:
            for piece in pieces:
                with piece.open("rb") as stream:
                    stream.seek(_HEADER.size if joined.tell() else 0)
                    shutil.copyfileobj(stream, joined, 1 << 20)
    for piece in pieces:
        piece.unlink(missing_ok=True)


def adopt_signature(store: Store, old: Known, block_size: int, path: Path) -> bool:
    """Take a signature that another program made, if it can be one of ``old``.

    Only the proof of a delta tells whether it is.

    Returns:
        Whether it was taken, or there is one already.

    Raises:
        OSError: It cannot be read, or the store not be written.
    """
    ours = store.signature(old.sums.sha256, block_size)
    if ours.exists():
        return True
    if not path.is_file() or not _fits(path, old.sums.size, block_size):
        return False
    with store.making(ours) as out:
        link_or_copy(path, out)
    return True


def link_or_copy(path: Path, out: Path) -> None:
    """Make ``out`` another name of ``path``, or a copy where that cannot be.

    Raises:
        OSError: Neither can be.
    """
    try:
        os.link(path, out)
    except OSError:
        shutil.copyfile(path, out)


def _fits(path: Path, image_size: int, block_size: int) -> bool:
    try:
        with path.open("rb") as stream:
            magic, block, strong = _HEADER.unpack(stream.read(_HEADER.size))
    except struct.error:
        return False
    entries = -(-image_size // block_size) * (4 + strong)
    return (
        magic in _MAGICS
        and block == block_size
        and strong >= _SMALLEST_STRONG
        and path.stat().st_size == _HEADER.size + entries
    )
