"""A damaged history or digest cache: SQLite files that others wrote into."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.choices import Choices
from fuzz.decency import check_line

from release_builder.digests import Digest
from release_builder.state.digest_cache import open_cache_file
from release_builder.state.history import HISTORY_FILE, RecordedRun, RecordedStep, open_history

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = tempfile.TemporaryDirectory()
_ROOT = Path(_FOLDER.name)
_RUN = RecordedRun(
    command="build",
    descriptor="/d.yaml",
    product="smeserver",
    version="9.0",
    arch="x86_64",
    started=datetime(2020, 1, 2, tzinfo=UTC),
    steps=(RecordedStep(step="sync", outcome="done", counts={"bytes": 1}, message="m"),),
)
_DIGEST = Digest("md5", bytes(16))


def _history() -> bytes:
    with open_history(_ROOT) as history:
        history.record(_RUN)
        history.note("key", "value")
    return (_ROOT / HISTORY_FILE).read_bytes()


def _cache() -> bytes:
    with open_cache_file(_ROOT / "cache") as cache:
        cache.put((_ROOT / HISTORY_FILE).stat(), _DIGEST)
    return (_ROOT / "cache").read_bytes()


_FILES = (_history(), _cache())


def seeds() -> Iterator[bytes]:
    """Both files, whole, without their ends, and with other words in the header."""
    for which in (0, 1):
        yield bytes([which])
        for at in (16, 18, 24, 60, 68, 100, 108, 0x200, 0xFF0, 0x1FF0):
            yield bytes([which, *at.to_bytes(2, "big"), 4, 0xFF, 1, 2, 3])


def one_input(content: bytes) -> None:
    """Notes that say what is wrong, never an error; the next run can be recorded."""
    choices = Choices(content)
    which = choices.number(0, 1)
    damaged = choices.damaged(_FILES[which])
    for path in _ROOT.iterdir():
        path.unlink()
    (_read_history, _read_cache)[which](damaged)


def _read_history(damaged: bytes) -> None:
    (_ROOT / HISTORY_FILE).write_bytes(damaged)
    notes: list[str] = []
    for read_only in (True, False):
        with open_history(_ROOT, read_only=read_only) as history:
            for run in history.runs():
                check_line(f"{run.ended} {run.status}".replace("\n", " "))
            history.releases()
            history.under_way()
            history.noted("key")
            assert read_only or history.record(_RUN) or history.notes
            notes += history.notes
    for note in notes:
        check_line(note)


def _read_cache(damaged: bytes) -> None:
    path = _ROOT / "cache"
    path.write_bytes(damaged)
    status = _ROOT.stat()
    with open_cache_file(path) as cache:
        found = cache.get(status, "md5")
        assert found is None
        cache.put(status, _DIGEST)
