from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

import pytest
from test_state_digest_cache import HEADER_BYTES, MD5, OTHER_MD5, flip, status, write_version_1

from release_builder.state.digest_cache import no_cache, open_cache_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "my.cache"


def put_one(file: Path) -> None:
    with open_cache_file(file) as cache:
        cache.put(status(), MD5)


def database_of_others(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE bookmarks (url TEXT)")
    database.commit()
    database.close()


def test_a_digest_is_known_in_the_next_run(file: Path) -> None:
    put_one(file)

    with open_cache_file(file) as cache:
        assert cache.get(status(), "md5") == MD5
    assert cache.notes == []


def test_an_empty_file_becomes_a_cache(file: Path) -> None:
    file.touch()

    put_one(file)

    with open_cache_file(file) as cache:
        assert cache.get(status(), "md5") == MD5


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.write_bytes(b"dear diary\n"), id="text"),
        pytest.param(lambda path: path.write_bytes(b"\0" * 12 + b"\x61\x15\x06\0"), id="db5"),
        pytest.param(lambda path: path.write_bytes(b"SQLite format 3\0"), id="cut short"),
        pytest.param(database_of_others, id="another SQLite file"),
    ],
)
def test_a_file_that_is_not_ours_is_left_alone(file: Path, make: Callable[[Path], None]) -> None:
    make(file)
    before, folder = file.read_bytes(), set(file.parent.iterdir())

    with open_cache_file(file) as cache:
        cache.put(status(), MD5)
        remembered = cache.get(status(), "md5")

    assert remembered == MD5
    assert cache.notes == [f"{file} is no digest cache of ours: left alone, not used"]
    assert (file.read_bytes(), set(file.parent.iterdir())) == (before, folder)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda path: path.mkdir(), "not a regular file", id="folder"),
        pytest.param(os.mkfifo, "not a regular file", id="FIFO"),
        pytest.param(lambda path: path.symlink_to(path), "Too many levels", id="loop"),
    ],
)
def test_what_is_no_file_is_not_used(file: Path, make: Callable[[Path], None], reason: str) -> None:
    make(file)

    with open_cache_file(file) as cache:
        cache.put(status(), MD5)
        remembered = cache.get(status(), "md5")

    assert remembered == MD5
    (note,) = cache.notes
    assert str(file) in note
    assert reason in note


def test_without_its_folder_a_cache_remembers_within_the_run(tmp_path: Path) -> None:
    with open_cache_file(tmp_path / "no" / "my.cache") as cache:
        cache.put(status(), MD5)
        remembered = cache.get(status(), "md5")

    assert remembered == MD5
    assert "unable to open" in cache.notes[0]
    assert list(tmp_path.glob("no*")) == []


def test_a_damaged_cache_of_ours_is_begun_anew(file: Path) -> None:
    put_one(file)
    with file.open("r+b") as out:
        out.seek(100)
        out.write(b"\xff" * 3000)

    with open_cache_file(file) as cache:
        before = cache.get(status(), "md5")
        cache.put(status(), OTHER_MD5)

    with open_cache_file(file) as again:
        assert (before, again.get(status(), "md5")) == (None, OTHER_MD5)
    assert "damaged" in cache.notes[0]


@pytest.mark.parametrize(
    ("kept_days", "known"),
    [pytest.param(30, False, id="30 days"), pytest.param(None, True, id="for ever")],
)
def test_a_digest_is_kept_as_long_as_is_wanted(
    file: Path, kept_days: int | None, known: bool
) -> None:
    put_one(file)
    database = sqlite3.connect(file)
    database.execute("UPDATE digests SET used = used - 31")
    database.commit()
    database.close()

    with open_cache_file(file, kept_days=kept_days) as cache:
        assert (cache.get(status(), "md5") == MD5) is known


def test_a_run_that_only_reads_writes_nothing(file: Path) -> None:
    put_one(file)
    before = file.stat().st_mtime_ns, file.read_bytes()

    with open_cache_file(file, kept_days=30) as cache:
        assert cache.get(status(), "md5") == MD5

    assert (file.stat().st_mtime_ns, file.read_bytes()) == before


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("CREATE VIEW others AS SELECT 1", id="view"),
        pytest.param(
            "CREATE TRIGGER t AFTER INSERT ON digests BEGIN DELETE FROM digests; END", id="trigger"
        ),
    ],
)
def test_a_cache_that_holds_more_than_ours_is_begun_anew(file: Path, script: str) -> None:
    put_one(file)
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute(script)

    with open_cache_file(file) as cache:
        known = cache.get(status(), "md5")
    put_one(file)

    assert known is None
    assert [note.partition(" was damaged")[0] for note in cache.notes] == [str(file)]
    with open_cache_file(file) as again:
        assert again.get(status(), "md5") == MD5


@pytest.mark.parametrize("at", HEADER_BYTES)
def test_a_file_whose_header_is_damaged_may_be_anybodys_and_is_left_alone(
    file: Path, at: int
) -> None:
    put_one(file)
    flip(file, at)
    before = file.read_bytes()

    put_one(file)

    assert file.read_bytes() == before


def test_a_file_of_version_1_is_begun_anew(file: Path) -> None:
    write_version_1(file)

    with open_cache_file(file) as cache:
        before = cache.get(status(), "md5")
        cache.put(status(), MD5)

    with open_cache_file(file) as again:
        assert (before, again.get(status(), "md5")) == (None, MD5)
    assert cache.notes == []


def test_no_cache_remembers_nothing() -> None:
    with no_cache() as cache:
        cache.put(status(), MD5)

        assert cache.get(status(), "md5") is None
