"""Signatures and deltas by what they were made of, so that nothing is made twice."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.files import sync_file, sync_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_UNFINISHED: Final = "unfinished"


@dataclass(frozen=True, slots=True)
class Store:
    """The work folder of a repository. What stands under its name there is whole.

    ========================  ==========================================================
    ``signatures/``           ``SHA256-BLOCK``: of the old image
    ``deltas/``               ``OLD--NEW-BLOCK-VERSION[-split]``: proven; SHA-256 both
    ``pieces/``               parts of both, until they are joined
    ``unfinished/``           what is being written; nobody else's once we hold the lock
    ========================  ==========================================================

    Attributes:
        folder: Where it lies: on the repository's file system, and shared by all workers.
        version: Of the librsync that makes the deltas, such as ``2.3.2``: their bytes depend on it.
        split: Whether deltas may be made in pieces, which gives other bytes.
    """

    folder: Path
    version: str
    split: bool = False

    def signature(self, old: str, block_size: int) -> Path:
        """Where the signature of an image lies.

        Args:
            old: SHA-256 of the image.
            block_size: Bytes.
        """
        return self.folder / "signatures" / f"{old}-{block_size}"

    def delta(self, old: str, new: str, block_size: int) -> Path:
        """Where the delta between two images lies.

        Args:
            old: SHA-256 of the image that clients have.
            new: SHA-256 of the image that it leads to.
            block_size: Bytes.
        """
        suffix = "-split" if self.split else ""
        return self.folder / "deltas" / f"{old}--{new}-{block_size}-{self.version}{suffix}"

    def piece(self, of: Path, offset: int, length: int) -> Path:
        """Where a part of the signature or delta ``of`` lies, for those bytes of its input."""
        return self.folder / "pieces" / f"{of.name}-{offset}-{length}"

    @contextlib.contextmanager
    def making(self, path: Path) -> Iterator[Path]:
        """A name for the block to write to; it becomes ``path`` when the block ends well.

        Two may make the same: each has a name of its own.

        Raises:
            OSError: It cannot be written.
        """
        unfinished = self.folder / _UNFINISHED
        unfinished.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=unfinished) as folder:
            beside = Path(folder) / "new"
            yield beside
            beside.chmod(0o644)  # whatever the umask: others serve it
            sync_file(beside)
            beside.replace(path)
        sync_folder(path.parent)

    def sweep(self) -> None:
        """Remove what killed runs have left half-written; for the holder of the lock.

        Raises:
            OSError: It cannot be removed.
        """
        unfinished = self.folder / _UNFINISHED
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(parents=True)

    def discard(self, kept: Collection[Path]) -> int:
        """Remove all signatures, deltas and pieces but ``kept``.

        Returns:
            How many bytes had no other name.

        Raises:
            OSError: One cannot be removed.
        """
        freed = 0
        for kind in ("signatures", "deltas", "pieces"):
            for path in sorted((self.folder / kind).glob("*")):
                if path not in kept:
                    status = path.stat()
                    freed += status.st_size if status.st_nlink == 1 else 0
                    path.unlink()
        return freed
