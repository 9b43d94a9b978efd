"""Digest caches that are none, broken, or never end."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import noise
from hostile import ONE, TWO, UNPRIVILEGED, jigdo_file, md5
from hostile_pairs import ODD_FILES, dangling, run

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.interop

CACHE_MARK = 0x6A646463
CACHE_TABLE = """CREATE TABLE digests (file TEXT NOT NULL, algorithm TEXT NOT NULL,
stamp TEXT NOT NULL, value BLOB NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (file, algorithm))
WITHOUT ROWID;"""
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"


def cache_of(script: str) -> Callable[[Path], None]:
    """What makes a file that bears the mark of our caches, and holds what ``script`` says."""

    def make(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database:
            database.executescript(script)
            database.execute(f"PRAGMA application_id = {CACHE_MARK}")

    return make


def damaged(path: Path) -> None:
    cache_of(CACHE_TABLE)(path)
    path.write_bytes(path.read_bytes()[:100] + noise(8000))


@pytest.mark.parametrize(
    "make",
    [
        *(each for each in ODD_FILES if each.values[0] is not dangling),
        pytest.param(lambda path: path.write_bytes(noise(5000)), id="noise"),
        pytest.param(lambda path: path.write_bytes(b"SQLite format 3\0"), id="cut"),
        pytest.param(damaged, id="damaged"),
        pytest.param(cache_of("CREATE TABLE digests (x)"), id="another table"),
        pytest.param(
            cache_of(f"CREATE VIEW digests AS {ENDLESS} x AS file, x AS used FROM c"),
            id="endless view",
        ),
        pytest.param(
            cache_of(
                f"{CACHE_TABLE} CREATE TRIGGER t AFTER INSERT ON digests BEGIN"
                f" SELECT count(*) FROM ({ENDLESS} x FROM c); END"
            ),
            id="endless trigger",
        ),
    ],
)
def test_a_cache_that_is_none_of_ours_is_told_and_stops_nothing(
    work: Path, make: Callable[[Path], None]
) -> None:
    make(work / "cache")

    ended = run("md5sum", "--cache=cache", "tree")

    assert (ended.status, ended.errors) == (0, 1), ended.err
    assert "cache" in ended.err
    assert ended.out.splitlines() == [
        f"{md5(ONE).jigdo}  tree/one".encode(),
        f"{md5(TWO).jigdo}  tree/two".encode(),
    ]


@pytest.mark.parametrize("name", ["none/cache", "tree/one/cache", "/dev/zero", "x" * 300])
def test_a_cache_that_cannot_be_is_told_and_stops_nothing(work: Path, name: str) -> None:
    ended = run("md5sum", f"--cache={name}", "tree")

    assert (ended.status, ended.errors) == (0, 1), ended.err
    assert ended.out.count(b"\n") == 2


def test_a_cache_in_a_folder_without_permission_is_told_and_stops_nothing(work: Path) -> None:
    Path("locked").mkdir(mode=0o500)

    ended = jigdo_file("md5sum", "--cache=locked/cache", "tree", cwd=work, before=UNPRIVILEGED)

    assert (ended.status, ended.errors) == (0, 1), ended.err
    assert "locked/cache: " in ended.err
    assert ended.out.count(b"\n") == 2


def test_a_damaged_cache_of_all_commands_is_told_by_none(work: Path) -> None:
    state = work.parent / "state"
    state.mkdir()
    damaged(state / "digests.sqlite")

    ended = run("md5sum", "tree")

    assert ended.status == 0
    assert ended.out.count(b"\n") == 2
