"""The project's own files, as the archive that is the source of the packages."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

from release_builder import process
from release_builder.errors import SurroundingsError

if TYPE_CHECKING:
    from pathlib import Path


def own_files(tree: Path) -> list[Path]:
    """What git knows or would add, relative to ``tree``, sorted; folders are not in it.

    Raises:
        SurroundingsError: ``tree`` is not git's, or git is missing.
    """
    argv = ["git", "-C", str(tree), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    outcome = process.run(argv)
    _check(outcome, tree)
    names = sorted(set(outcome.stdout.split("\0")) - {""})
    paths = [tree / name for name in names]
    return [path.relative_to(tree) for path in paths if path.is_symlink() or path.is_file()]


def last_commit(tree: Path) -> int:
    """When ``tree`` was last committed, in seconds since 1970.

    Raises:
        SurroundingsError: Nothing was ever committed, or git is missing.
    """
    outcome = process.run(["git", "-C", str(tree), "log", "-1", "--format=%ct"])
    _check(outcome, tree)
    return int(outcome.stdout)


def _check(outcome: process.Outcome, tree: Path) -> None:
    if outcome.status:
        raise SurroundingsError(
            f"{tree} is no working tree of git with a commit",
            hint="packages are made from a clone",
        )


def write_archive(out: Path, tree: Path, folder: str, epoch: int) -> None:
    """Write a .tar.gz with the files of ``tree`` below ``folder/``: same files, same bytes."""
    with (
        out.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for name in own_files(tree):
            path, info = tree / name, tarfile.TarInfo(f"{folder}/{name}")
            info.uname = info.gname = "root"
            info.mtime = epoch
            if path.is_symlink():
                info.type, info.linkname = tarfile.SYMTYPE, str(path.readlink())
                archive.addfile(info)
                continue
            data = path.read_bytes()
            info.size, info.mode = len(data), 0o755 if path.stat().st_mode & 0o100 else 0o644
            archive.addfile(info, io.BytesIO(data))
