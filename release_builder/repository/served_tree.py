"""A folder that is served: it changes so that nothing it says is wrong, whenever that is cut off.

Order: images, deltas, meta, CKSUMS, deletions. CKSUMS always tells of all that meta tells of: it
has old and new lines while meta files change. What gets other bytes under its old name is told of
by neither meanwhile.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import WrongBytesError
from release_builder.files import replacing, sync_folder
from release_builder.repository.cksums import format_lines, parse_cksums
from release_builder.repository.contents import CKSUMS, META, RDIFFS, SIGNATURE, Told, read_contents
from release_builder.repository.description import without
from release_builder.repository.laying import lay
from release_builder.repository.mirror import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager
    from pathlib import Path

    from release_builder.repository.contents import Contents
    from release_builder.repository.sums import Sums

_NOTHING: Final = Told({}, {}, {}, None)
_KINDS: Final = ("", ".new", SIGNATURE, f"{SIGNATURE}.new")  # of files that belong to a meta file


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication changed.

    Attributes:
        added: Plain names of images and deltas that were not there.
        replaced: Those that were there with other bytes.
        dropped: Those that meta told of before, and no longer does.
        is_changed: Whether anything is served that was not before, or no longer.
    """

    added: tuple[str, ...]
    replaced: tuple[str, ...]
    dropped: tuple[str, ...]
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Work:
    """What is to do so that a folder serves something.

    Attributes:
        contents: What it is to serve.
        told: What its files say now; nothing, where they are damaged.
        missing: Plain names of what is not there with the right bytes, images before deltas.
    """

    contents: Contents
    told: Told
    missing: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do."""
        return not self.missing and not self.is_said_otherwise

    @property
    def is_said_otherwise(self) -> bool:
        """Whether meta or CKSUMS have to change."""
        said = self.told.cksums is not None and format_lines(self.told.cksums)
        return said != self.contents.cksums or self.told.metas != self.contents.metas


def find_work(
    root: Path,
    contents: Contents,
    sums_of: Callable[[Path], Sums],
) -> Work:
    """Compare what ``root`` serves with what it is to serve.

    Args:
        root: The folder; it need not be there.
        contents: What it is to serve.
        sums_of: What a file's bytes are; it need not read again what has not changed.
    """
    try:
        told = read_contents(root)
    except WrongBytesError:
        told = _NOTHING
    files = {**contents.images, **contents.rdiffs}
    missing = tuple(
        name for name, sums in files.items() if not _is_right(place_of(root, name), sums, sums_of)
    )
    ordered = sorted(missing, key=lambda name: name in contents.rdiffs)
    return Work(contents, told, tuple(ordered))


def carry_out(  # noqa: PLR0913 (what it needs to know and to do)
    root: Path,
    work: Work,
    places: Mapping[str, Path],
    staging: Path,
    sums_of: Callable[[Path], Sums],
    *,
    renaming: Callable[[Path], AbstractContextManager[object]] = contextlib.nullcontext,
) -> Published:
    """Let ``root`` serve what it is to serve; what is of no use any more stays for ``clean``.

    Args:
        root: The folder, made where missing.
        work: What ``find_work`` found.
        places: By plain name, where proven bytes lie.
        staging: An empty folder on its file system, made where missing; it goes.
        sums_of: What a file's bytes are.
        renaming: Hears which file gets another name in its block.

    Raises:
        IncompleteError: Somebody changed a file meanwhile; what was served so far, still is.
        OSError: The file system refuses; it is the same then.
    """
    contents, told = work.contents, work.told
    for folder in (root, root / RDIFFS, root / META, staging):
        _make_folder(folder)
    replaced = tuple(name for name in work.missing if os.path.lexists(place_of(root, name)))
    files = {**contents.images, **contents.rdiffs}
    if hidden := {name for name, sums in told.files.items() if files.get(name, sums) != sums}:
        told = _hide(root, told, hidden)
    for group, folder in ((contents.images, root), (contents.rdiffs, root / RDIFFS)):
        for name in work.missing:
            if name in group:
                place = place_of(root, name)
                lay(places[name], place, staging, files[name], sums_of, renaming=renaming)
        sync_folder(folder)
    _say(root, told, contents)
    staging.rmdir()
    return Published(
        added=tuple(name for name in work.missing if name not in replaced),
        replaced=replaced,
        dropped=tuple(sorted(work.told.files.keys() - files.keys())),
        is_changed=True,
    )


def _is_right(path: Path, sums: Sums, sums_of: Callable[[Path], Sums]) -> bool:
    return path.is_file() and sums_of(path) == sums


def _hide(root: Path, told: Told, names: AbstractSet[str]) -> Told:
    """Tell no more of what is about to change."""
    metas = {series: without(content, names) for series, content in told.metas.items()}
    _write_metas(root, metas)
    if told.cksums is not None:
        lines = {name: sums for name, sums in told.cksums.items() if name not in names}
        _write(root / CKSUMS, format_lines(lines))
    return read_contents(root)


def _say(root: Path, told: Told, contents: Contents) -> None:
    if told.metas != contents.metas:
        old = {name: sums for name, sums in (told.cksums or {}).items() if name in told.files}
        _write(root / CKSUMS, format_lines({**old, **parse_cksums(contents.cksums, CKSUMS)}))
        _write_metas(root, contents.metas)
    _write(root / CKSUMS, contents.cksums)


def _write_metas(root: Path, metas: Mapping[str, bytes]) -> None:
    for series, content in metas.items():
        _write(root / META / f"{series}.json", content)
    for path in (root / META).iterdir():
        series, kind, more = path.name.rpartition(".json")
        if kind and more in _KINDS and series not in metas:
            path.unlink()
    sync_folder(root / META)


def _write(path: Path, content: bytes) -> None:
    """Let a file have ``content``; its time tells clients whether that changed."""
    if not path.is_file() or path.read_bytes() != content:
        # Better no signature than one of something else.
        path.with_name(f"{path.name}{SIGNATURE}").unlink(missing_ok=True)
        with replacing(path) as out:
            os.fchmod(out.fileno(), 0o644)
            out.write(content)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # whatever the umask: others serve it
