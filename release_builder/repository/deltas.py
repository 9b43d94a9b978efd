"""Deltas between images, each proven before it has its name.

Source: librsync, ``doc/format.md``: 4 magic | commands | 1 end, a zero byte. A delta's commands
name places of the old image only, so those of consecutive parts of the new one can be joined.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.digests import BLOCK
from release_builder.errors import SurroundingsError, WrongBytesError
from release_builder.files import open_regular
from release_builder.repository import rdiff
from release_builder.repository.journal import Known, read
from release_builder.repository.proof import compare
from release_builder.repository.signatures import link_or_copy, sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from release_builder.repository.store import Store

_MAGIC: Final = b"rs\x026"
_END: Final = b"\0"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A delta to be had.

    Attributes:
        old: The image that clients have.
        new: The image that it leads to.
        block_size: Of the old image's signature, bytes.
    """

    old: Known
    new: Known
    block_size: int

    def path(self, store: Store) -> Path:
        """Where it lies in ``store``."""
        return store.delta(self.old.sums.sha256, self.new.sums.sha256, self.block_size)

    def signature(self, store: Store) -> Path:
        """Where the signature that it is made with lies in ``store``."""
        return store.signature(self.old.sums.sha256, self.block_size)

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Let the block work with both images; see Known.

        Raises:
            IncompleteError: One was changed since its digests were taken, or removed.
            OSError: One cannot be reached.
        """
        with self.old.unchanged(), self.new.unchanged():
            yield


def make_delta(store: Store, wanted: Wanted) -> Known:
    """Have a proven delta in ``store``; the signature is there.

    Returns:
        The delta.

    Raises:
        IncompleteError: An image was changed since its digests were taken, or removed.
        WrongBytesError: Not even a fresh signature leads to a delta that is right.
        SurroundingsError: rdiff is missing or another, or cannot read or write.
        OSError: An image or the store cannot be used.
    """
    _check_version(store)
    if known := _already(store, wanted):
        return known
    try:
        return _make(store, wanted)
    except WrongBytesError:
        # The signature was another program's, or its bytes have rotted since.
        sign(store, wanted.old, wanted.block_size, anew=True)
        return _make(store, wanted)


def _make(store: Store, wanted: Wanted) -> Known:
    path = wanted.path(store)
    with store.making(path) as out, wanted.unchanged():
        argv = rdiff.delta_argv(wanted.signature(store), str(wanted.new.path), out)
        rdiff.run(argv, folder=store.folder)
        compare(wanted.old.path, out, wanted.new.path)
    return read(path)


def make_piece(store: Store, wanted: Wanted, offset: int, length: int) -> None:
    """Have the delta that makes a part of the new image in ``store``.

    Args:
        store: Where it goes.
        wanted: Which delta it is a part of.
        offset: Where the part of the new image begins.
        length: How long that is.

    Raises:
        IncompleteError: An image was changed since its digests were taken, or removed.
        WrongBytesError: The signature is none.
        SurroundingsError: rdiff is missing or another, or cannot read or write.
        OSError: An image or the store cannot be used.
    """
    _check_version(store)
    piece = store.piece(wanted.path(store), offset, length)
    if piece.exists():
        return
    with store.making(piece) as out, wanted.unchanged():
        part = rdiff.piece_of(wanted.new.path, offset, length)
        argv = rdiff.delta_argv(wanted.signature(store), "-", out)
        rdiff.run(argv, stdin=part, folder=store.folder)


def join_delta(store: Store, wanted: Wanted, parts: Sequence[tuple[int, int]]) -> Known:
    """Join the deltas of all parts of the new image, and prove the whole.

    Args:
        store: Where they lie.
        wanted: Which delta.
        parts: Offset and length of each, in order.

    Returns:
        The delta. Its bytes are not those that rdiff makes of the whole; every rdiff reads it.

    Raises:
        IncompleteError: An image was changed since its digests were taken, or removed.
        WrongBytesError: A piece is no delta, and a fresh signature and whole delta failed too.
        SurroundingsError: rdiff is missing or cannot read or write.
        OSError: An image or the store cannot be used.
    """
    if known := _already(store, wanted):
        return known
    path = wanted.path(store)
    pieces = [store.piece(path, offset, length) for offset, length in parts]
    try:
        with store.making(path) as out, wanted.unchanged():
            _join(pieces, out)
            compare(wanted.old.path, out, wanted.new.path)
        known = read(path)
    except (WrongBytesError, FileNotFoundError):
        known = make_delta(store, wanted)
    for piece in pieces:
        piece.unlink(missing_ok=True)
    return known


def _join(pieces: Sequence[Path], out: Path) -> None:
    with out.open("wb") as joined:
        joined.write(_MAGIC)
        for piece in pieces:
            with open_regular(piece) as stream:
                _copy_commands(stream, piece, joined)
        joined.write(_END)


def _copy_commands(stream: BinaryIO, piece: Path, joined: BinaryIO) -> None:
    left = piece.stat().st_size - len(_MAGIC) - len(_END)
    if stream.read(len(_MAGIC)) != _MAGIC or left < 0:
        raise WrongBytesError(f"{piece} is no delta")
    while left and (block := stream.read(min(BLOCK, left))):
        joined.write(block)
        left -= len(block)
    if left or stream.read(len(_END)) != _END:
        raise WrongBytesError(f"{piece} has no end")


def adopt_delta(store: Store, wanted: Wanted, path: Path) -> Known | None:
    """Take a delta that is there already, whoever made it, if it proves right.

    Returns:
        It in the store; None if it makes something else.

    Raises:
        IncompleteError: An image was changed since its digests were taken, or removed.
        SurroundingsError: rdiff is missing or cannot read.
        OSError: An image or the store cannot be used.
    """
    ours = wanted.path(store)
    try:
        with wanted.unchanged():
            compare(wanted.old.path, path, wanted.new.path)
    except WrongBytesError:
        return None
    if path != ours:
        with store.making(ours) as out:
            link_or_copy(path, out)
    return read(ours)


def _already(store: Store, wanted: Wanted) -> Known | None:
    path = wanted.path(store)
    # A worker that got lost may have made it and not told.
    return adopt_delta(store, wanted, path) if path.exists() else None


def _check_version(store: Store) -> None:
    here = rdiff.version()
    if here != store.version:
        raise SurroundingsError(
            f"rdiff here is of librsync {here}, the run's of {store.version}: other bytes",
            hint="install the same librsync on all workers",
        )
