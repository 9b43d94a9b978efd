"""A CPython that needs no library of the system: for Enterprise Linux 5 to 9, from one build.

A static program against musl, made by zig from Debian's source packages, with OpenSSL, zlib,
bzip2, xz and SQLite in it. Needs Debian 12, pip and ten minutes for the first time, no root.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, IncompleteError
from rpm.interpreter import checks, cpython, libraries, licences, standard_library, toolchain
from rpm.interpreter.sources import Index, last_change
from rpm.interpreter.store import SCRIPTS, VARIABLE, Store, default_cache, origin
from rpm.interpreter.work import ARCHES, Work

if TYPE_CHECKING:
    from collections.abc import Callable

SELFTEST: Final = SCRIPTS / "selftest.py"
_PLAIN: Final = re.compile(r"[A-Za-z0-9/._+-]+")


def _silent(_line: str) -> None:
    """For callers who want no progress."""


def built(arch: str, cache: Path | None = None, say: Callable[[str], None] = _silent) -> Path:
    """The interpreter for ``arch``, built unless the cache has it.

    Args:
        arch: ``x86_64`` or ``i386``.
        cache: The folder of all caches; default ``default_cache()``.
        say: Gets a line a stage, and the warnings.

    Returns:
        A folder with bin/python3, lib/python311.zip, lib/python3.11/, licences/ (a text a
        component) and sources.json (names, versions and digests of what it is made from).

    Raises:
        DescriptorError: There is no such arch, or the cache's path has a blank in it.
        IncompleteError: The sources cannot be fetched, and no build of these scripts is there.
        SurroundingsError: This is no Debian 12, a program is missing, or a stage failed.
        WrongBytesError: What was built is not static, or names its builder.
    """
    store = _store(arch, cache)
    with tempfile.TemporaryDirectory(prefix="release-builder-") as folder:
        try:
            index = Index.fetched(Path(folder))
        except IncompleteError as error:
            found = store.newest()
            if found is None:
                raise
            say(f"{arch}: {error.what}; an older build is used: {found}")
            return found
        try:
            return _found_or_made(index, store, say)
        except IncompleteError as error:
            say(f"{arch}: {error.what}; Debian's last point release is used, NOT its newest fixes")
            return _found_or_made(index.released(), store, say)


def reproduced(arch: str, first: Path, say: Callable[[str], None] = _silent) -> tuple[str, ...]:
    """Build once more, in another folder, and compare with the ``first`` that was built.

    Args:
        arch: Of ``first``.
        first: What ``built`` gave.
        say: As for ``built``.

    Returns:
        The files that differ; empty when the build is reproducible.
    """
    with tempfile.TemporaryDirectory(prefix="release-builder-again-") as folder:
        second = built(arch, Path(folder) / "another" / "cache", say)
        names = {
            path.relative_to(tree).as_posix()
            for tree in (first, second)
            for path in tree.rglob("*")
            if path.is_file()
        }
        return tuple(name for name in sorted(names) if not _same(first / name, second / name))


def _same(one: Path, two: Path) -> bool:
    return one.is_file() and two.is_file() and one.read_bytes() == two.read_bytes()


def _store(arch: str, cache: Path | None) -> Store:
    if arch not in ARCHES:
        raise DescriptorError(
            f"there is no interpreter for '{arch}'", hint=f"one of: {', '.join(ARCHES)}"
        )
    folder = (cache or default_cache()).absolute()
    if not _PLAIN.fullmatch(str(folder)):
        raise DescriptorError(
            f"nothing can be built in {folder}: scripts of others split its name",
            hint=f"set {VARIABLE} to a folder of plain letters, digits, and / . _ + -",
        )
    return Store(folder / "interpreter", arch)


def _found_or_made(index: Index, store: Store, say: Callable[[str], None]) -> Path:
    place = store.place(index.offered())
    if place.is_dir():
        return place
    with store.locked(say) as lock:
        if not place.is_dir():  # who was waited for has made it
            try:
                _make(index, store, lock, say)
            finally:
                shutil.rmtree(store.work, ignore_errors=True)
    return place


def _make(index: Index, store: Store, lock: int, say: Callable[[str], None]) -> None:
    store.work.mkdir()
    store.log.unlink(missing_ok=True)
    index.unpack(store.work / "sources")
    epoch = last_change(store.work / "sources")
    work = Work(ARCHES[store.arch], store.work, store.log, epoch, lock, say)
    work.stage("compiler", lambda: toolchain.install(work, SCRIPTS))
    libraries.build(work)
    cpython.build(work)
    work.stage("standard library", lambda: standard_library.build(work))
    licences.collect(work)
    (work.result / "sources.json").write_text(origin(index.offered()), "utf-8")
    _settle(work)
    scratch = work.folder / "scratch"
    scratch.mkdir()
    work.stage(
        "self-test",
        lambda: checks.check(work.result, store.arch, work.folder, SELFTEST, scratch),
    )
    work.result.rename(store.place(index.offered()))
    store.log.unlink()


def _settle(work: Work) -> None:
    """Give all files the modes and dates that no umask and no clock decide on."""
    for path in (work.result, *work.result.rglob("*")):
        executable = path.is_dir() or path.parent.name == "bin"
        path.chmod(0o755 if executable else 0o644)
        os.utime(path, (work.epoch, work.epoch))
