"""Deltas proven: what they make is looked at as it comes, and never written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.digests import hasher
from release_builder.errors import WrongBytesError, printable
from release_builder.files import open_regular
from release_builder.repository import rdiff

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.repository.sums import Sums


def prove(old: Path, delta: Path, wanted: Sums) -> None:
    """Patch ``old`` with ``delta`` and look at the digest of what comes.

    Raises:
        WrongBytesError: It makes something else than is ``wanted``, or is no delta.
        SurroundingsError: rdiff is missing, or cannot read.
    """
    size, sha256 = 0, hasher("sha256")

    def take(piece: bytes) -> None:
        nonlocal size
        size += len(piece)
        if size > wanted.size:
            raise _wrong(old, delta)
        sha256.update(piece)

    rdiff.run(rdiff.patch_argv(old, delta), on_output=take)
    if (size, sha256.digest().hex()) != (wanted.size, wanted.sha256):
        raise _wrong(old, delta)


def compare(old: Path, delta: Path, new: Path) -> None:
    """Patch ``old`` with ``delta`` and compare what comes with ``new``: cheaper than a digest.

    Raises:
        WrongBytesError: It makes something else, or is no delta.
        SurroundingsError: rdiff is missing, or cannot read.
        OSError: ``new`` cannot be read.
    """
    names = printable(old.name), printable(new.name)
    wrong = WrongBytesError("the rdiff that was made does not lead from {} to {}".format(*names))
    with open_regular(new) as wanted:

        def take(piece: bytes) -> None:
            if wanted.read(len(piece)) != piece:
                raise wrong

        rdiff.run(rdiff.patch_argv(old, delta), on_output=take)
        if wanted.read(1):
            raise wrong


def _wrong(old: Path, delta: Path) -> WrongBytesError:
    return WrongBytesError(
        f"{printable(str(delta))} does not make of {printable(old.name)} what it should"
    )
