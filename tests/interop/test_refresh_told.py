"""Whom a refresh tells of something new, though it was killed before it could."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from program import killed_at, release_builder

if TYPE_CHECKING:
    from builders import Mirror

pytestmark = pytest.mark.interop

REFRESH: Final = ("refresh", "--no-splay", "sme.yaml")
HOOK: Final = 'echo "$RELEASE_BUILDER_OCCASION" >> told\n'


@pytest.fixture
def told(mirror: Mirror, workdir: Path) -> Path:
    """Where the hook of a descriptor writes what it is told."""
    (workdir / "hook.sh").write_text(HOOK)
    hook = "notify: {command: sh hook.sh, when: change}\n"
    (workdir / "sme.yaml").write_text(f"{mirror.descriptor}workdir: .\n{hook}")
    return workdir / "told"


def test_what_a_killed_run_had_not_told_is_told_by_the_next_and_once(
    told: Path, workdir: Path
) -> None:
    telling = Path(tempfile.gettempdir(), "release-builder-told.")
    killed = killed_at(1, *REFRESH, cwd=workdir, watched=telling)
    assert (killed.status, told.exists()) == (-9, False)

    ended = [release_builder(*REFRESH, cwd=workdir).status for _ in range(2)]

    assert ended == [0, 0]
    assert told.read_text() == "change\n"


def test_what_an_older_version_brought_is_not_told_as_new(told: Path, workdir: Path) -> None:
    assert release_builder(*REFRESH, cwd=workdir).status == 0
    (file,) = workdir.parent.rglob("history.sqlite")
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        assert database.execute("DELETE FROM marks").rowcount

    assert release_builder(*REFRESH, cwd=workdir).status == 0

    assert told.read_text() == "change\n"
