from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from release_builder.digests import Digest
from release_builder.errors import Status, SurroundingsError
from release_builder.state.digest_cache import (
    DIGESTS_FILE,
    open_cache,
    open_cache_file,
    state_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_builder.state.digest_cache import DigestCache

MD5 = Digest("md5", bytes(range(16)))
OTHER_MD5 = Digest("md5", bytes(16))
SHA256 = Digest("sha256", bytes(range(32)))
YEAR = 365 * 86_400
HEADER_BYTES = [
    pytest.param(0, id="format"),
    pytest.param(18, id="version to write"),
    pytest.param(19, id="version to read"),
    pytest.param(60, id="our version"),
    pytest.param(71, id="our mark"),
]


def status(
    inode: int = 7, device: int = 1, size: int = 5, mtime: int = 10, ctime: int = 11
) -> os.stat_result:
    fields = (0o100644, inode, device, 1, 0, 0, size, 0, mtime, ctime)
    return os.stat_result(
        fields,
        {
            "st_mtime": mtime,
            "st_ctime": ctime,
            "st_mtime_ns": mtime * 10**9,
            "st_ctime_ns": ctime * 10**9,
        },
    )


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def put_one(folder: Path) -> Path:
    with open_cache(folder) as cache:
        cache.put(status(), MD5)
    return folder / DIGESTS_FILE


def flip(path: Path, at: int) -> None:
    whole = bytearray(path.read_bytes())
    whole[at] ^= 0xFF
    path.write_bytes(whole)


def write_version_1(path: Path) -> None:
    """A file that has ``OTHER_MD5`` for ``status()``, as release-builder once wrote it."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "CREATE TABLE digests (file TEXT NOT NULL, algorithm TEXT NOT NULL, stamp TEXT NOT NULL,"
            " value BLOB NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (file, algorithm))"
            " WITHOUT ROWID; PRAGMA user_version = 1; PRAGMA application_id = 0x6A646463"
        )
        row = (
            "1 7",
            "md5",
            "5 10000000000 11000000000",
            OTHER_MD5.value,
            int(time.time()) // 86_400,
        )
        database.execute("INSERT INTO digests VALUES (?, ?, ?, ?, ?)", row)


def test_a_digest_is_known_in_the_same_run_and_the_next(tmp_path: Path) -> None:
    with open_cache(tmp_path / "new" / "state") as cache:
        cache.put(status(), MD5)
        same_run = cache.get(status(), "md5")

    with open_cache(tmp_path / "new" / "state") as cache:
        next_run = cache.get(status(), "md5")

    assert (same_run, next_run, cache.notes) == (MD5, MD5, [])


def test_each_algorithm_has_its_digest(tmp_path: Path) -> None:
    with open_cache(tmp_path) as cache:
        cache.put(status(), MD5)
        cache.put(status(), SHA256)

    with open_cache(tmp_path) as cache:
        found = [cache.get(status(), each) for each in ("md5", "sha256", "sha1")]

    assert found == [MD5, SHA256, None]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(status(inode=8), id="inode"),
        pytest.param(status(device=2), id="device"),
        pytest.param(status(size=6), id="size"),
        pytest.param(status(mtime=11), id="mtime"),
        pytest.param(status(ctime=12), id="ctime"),
    ],
)
def test_a_file_that_is_another_or_changed_is_unknown(
    tmp_path: Path, changed: os.stat_result
) -> None:
    with open_cache(tmp_path) as cache:
        cache.put(status(), MD5)
        same_run = cache.get(changed, "md5")

    with open_cache(tmp_path) as cache:
        next_run = cache.get(changed, "md5")

    assert (same_run, next_run) == (None, None)


def test_a_changed_file_replaces_what_was_known_of_it(tmp_path: Path) -> None:
    put_one(tmp_path)

    with open_cache(tmp_path) as cache:
        cache.put(status(ctime=12), OTHER_MD5)

    with open_cache(tmp_path) as cache:
        assert cache.get(status(ctime=12), "md5") == OTHER_MD5
        assert cache.get(status(), "md5") is None


def test_numbers_beyond_63_bits_are_kept(tmp_path: Path) -> None:
    huge = status(inode=2**64 - 1, device=2**64 - 2, mtime=2**34)

    with open_cache(tmp_path) as cache:
        cache.put(huge, MD5)

    with open_cache(tmp_path) as cache:
        assert cache.get(huge, "md5") == MD5


def test_a_write_right_after_put_is_noticed_though_size_and_mtime_are_put_back(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    noticed = []

    with open_cache(tmp_path / "state") as cache:
        for _ in range(20):
            file.write_bytes(b"one")
            before = file.stat()
            cache.put(before, MD5)
            file.write_bytes(b"two")
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            noticed.append(cache.get(file.stat(), "md5") is None)

    assert noticed == [True] * 20


@pytest.mark.slow
def test_where_stamps_have_whole_seconds_put_waits_for_the_second_to_end(tmp_path: Path) -> None:
    now = int(time.time())

    with open_cache(tmp_path) as cache:
        cache.put(status(ctime=now), MD5)

    assert time.time() >= now + 2


def test_a_file_from_the_future_is_not_waited_for(tmp_path: Path) -> None:
    begun = time.monotonic()

    with open_cache(tmp_path) as cache:
        cache.put(status(ctime=int(begun) + 100 * YEAR), MD5)

    assert time.monotonic() - begun < 1


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _whole: b"no database" * 1000, id="other bytes"),
        pytest.param(lambda whole: whole[:4096], id="cut short"),
        pytest.param(lambda whole: whole[:100] + bytes(len(whole) - 100), id="zeros"),
    ],
)
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    database = put_one(tmp_path)
    database.write_bytes(damage(database.read_bytes()))

    with open_cache(tmp_path) as cache:
        before = cache.get(status(), "md5")
        cache.put(status(), MD5)

    with open_cache(tmp_path) as again:
        assert (before, again.get(status(), "md5")) == (None, MD5)
    assert "damaged" in cache.notes[0]
    assert again.notes == []


def test_damage_that_shows_only_during_the_run_does_not_stop_it(tmp_path: Path) -> None:
    with open_cache(tmp_path) as cache:
        for inode in range(5000):
            cache.put(status(inode), MD5)
    database = tmp_path / DIGESTS_FILE

    with open_cache(tmp_path) as cache:
        with database.open("r+b") as file:
            file.seek(24)
            file.write(b"\xff")  # SQLite's change counter, lest it trust the pages it holds
            file.seek(4096)
            file.write(b"\xff" * (database.stat().st_size - 4096))
        found = {cache.get(status(inode), "md5") for inode in range(5000)}
        cache.put(status(), MD5)
        remembered = cache.get(status(), "md5")

    assert found <= {MD5, None}
    assert remembered == MD5
    assert "damaged" in cache.notes[0]
    assert not database.exists()


def test_a_table_of_another_shape_is_begun_anew(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / DIGESTS_FILE)
    database.execute("CREATE TABLE digests (path TEXT)")
    database.commit()
    database.close()

    put_one(tmp_path)

    with open_cache(tmp_path) as cache:
        assert cache.get(status(), "md5") == MD5


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("value = x'00112233445566778899aabbccddeeff'", id="digest"),
        pytest.param("value = x'00'", id="length of the digest"),
        pytest.param("file = '1 8'", id="file"),
        pytest.param("stamp = '6 10000000000 11000000000'", id="stamp"),
        pytest.param("algorithm = 'sha1'", id="algorithm"),
        pytest.param("crc = crc + 1", id="CRC"),
        pytest.param("crc = 'rotten'", id="no number"),
    ],
)
def test_a_row_that_does_not_fit_its_crc_is_not_known(tmp_path: Path, change: str) -> None:
    with contextlib.closing(sqlite3.connect(put_one(tmp_path))) as database, database:
        database.execute(f"UPDATE digests SET {change}")

    with open_cache(tmp_path) as cache:
        found = [
            cache.get(each, algorithm)
            for each in (status(), status(inode=8), status(size=6))
            for algorithm in ("md5", "sha1")
        ]

    assert found == [None] * 6
    assert cache.notes == []


def test_what_is_read_again_takes_the_place_of_a_rotten_row(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(put_one(tmp_path))) as database, database:
        database.execute("UPDATE digests SET value = x'00'")

    put_one(tmp_path)

    with open_cache(tmp_path) as cache:
        assert cache.get(status(), "md5") == MD5


@pytest.mark.parametrize(
    "opened",
    [
        pytest.param(open_cache, id="build"),
        pytest.param(lambda folder: open_cache(folder, read_only=True), id="plan"),
        pytest.param(lambda folder: open_cache_file(folder / DIGESTS_FILE), id="--cache"),
    ],
)
def test_a_flipped_byte_never_makes_a_wrong_digest(
    tmp_path: Path, opened: Callable[[Path], DigestCache]
) -> None:
    with open_cache(tmp_path) as cache:
        for inode in range(5):
            cache.put(status(inode), MD5)
            cache.put(status(inode), SHA256)
    path = tmp_path / DIGESTS_FILE
    whole = path.read_bytes()
    found = set()

    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with opened(tmp_path) as cache:
            for inode in range(5):
                found |= {cache.get(status(inode), each) for each in ("md5", "sha256")}
            cache.put(status(9), MD5)

    assert found == {MD5, SHA256, None}


def test_a_file_of_version_1_is_begun_anew_without_a_word(tmp_path: Path) -> None:
    write_version_1(tmp_path / DIGESTS_FILE)

    with open_cache(tmp_path) as cache:
        before = cache.get(status(), "md5")
        cache.put(status(), MD5)

    with open_cache(tmp_path) as again:
        assert (before, again.get(status(), "md5")) == (None, MD5)
    assert (cache.notes, again.notes) == ([], [])


def test_read_only_does_without_a_file_of_version_1_and_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / DIGESTS_FILE
    write_version_1(path)
    before = path.read_bytes()

    with open_cache(tmp_path, read_only=True) as cache:
        found = cache.get(status(), "md5")

    assert (found, cache.notes) == (None, [])
    assert path.read_bytes() == before


@pytest.mark.parametrize("at", HEADER_BYTES)
def test_our_own_file_is_begun_anew_though_its_header_is_damaged(tmp_path: Path, at: int) -> None:
    path = put_one(tmp_path)
    flip(path, at)

    put_one(tmp_path)

    with open_cache(tmp_path) as cache:
        assert cache.get(status(), "md5") == MD5
    assert cache.notes == []


@pytest.mark.parametrize(
    "read_only", [pytest.param(False, id="build"), pytest.param(True, id="plan")]
)
def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path, read_only: bool) -> None:
    path = put_one(tmp_path)
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    before = path.read_bytes()

    with open_cache(tmp_path, read_only=read_only) as cache:
        unused = cache.get(status(), "md5")
        cache.put(status(), OTHER_MD5)
        remembered = cache.get(status(), "md5")

    assert (unused, remembered) == (None, OTHER_MD5)
    assert "newer" in cache.notes[0]
    assert path.read_bytes() == before


def test_read_only_makes_nothing_and_remembers_within_the_run(tmp_path: Path) -> None:
    with open_cache(tmp_path / "state", read_only=True) as cache:
        cache.put(status(), MD5)
        found = cache.get(status(), "md5")

    assert found == MD5
    assert list(tmp_path.glob("state*")) == []


def test_read_only_uses_what_is_kept_and_changes_nothing(tmp_path: Path) -> None:
    path = put_one(tmp_path)
    before = path.read_bytes()

    with open_cache(tmp_path, read_only=True) as cache:
        found = cache.get(status(), "md5")
        cache.put(status(inode=9), MD5)

    assert found == MD5
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.glob("digests*")] == [path.name]


def test_read_only_does_without_a_damaged_file_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / DIGESTS_FILE
    path.write_bytes(b"no database" * 100)

    with open_cache(tmp_path, read_only=True) as cache:
        found = cache.get(status(), "md5")

    assert found is None
    assert str(path) in cache.notes[0]
    assert path.read_bytes() == b"no database" * 100


def test_a_state_folder_that_cannot_be_made_is_told_with_its_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(SurroundingsError, match="cannot keep the state") as raised:
        open_cache(tmp_path / "file" / "state")

    assert raised.value.status is Status.SURROUNDINGS
    assert "RELEASE_BUILDER_STATE" in raised.value.hint


def test_what_was_not_used_for_long_is_forgotten(tmp_path: Path) -> None:
    database = sqlite3.connect(put_one(tmp_path))
    database.execute("UPDATE digests SET used = used - 91")
    database.commit()
    database.close()

    with open_cache(tmp_path) as cache:
        assert cache.get(status(), "md5") is None


def test_a_use_lets_a_digest_live_on(tmp_path: Path) -> None:
    database = sqlite3.connect(put_one(tmp_path))
    database.execute("UPDATE digests SET used = used - 89")
    database.commit()

    with open_cache(tmp_path) as cache:
        found = cache.get(status(), "md5")

    [(used,)] = database.execute("SELECT used FROM digests").fetchall()
    database.close()
    assert found == MD5
    assert used == int(time.time()) // 86_400


def test_a_killed_process_leaves_its_batches_and_a_whole_file(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from test_state_digest_cache import MD5, status\n"
        "from release_builder.state.digest_cache import open_cache\n"
        "cache = open_cache(Path(sys.argv[1]))\n"
        "for inode in range(1500): cache.put(status(inode), MD5)\n"
        "print('ready', flush=True); time.sleep(60)\n"
    )
    with python(code, tmp_path, Path(__file__).parent) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGKILL)

    with open_cache(tmp_path) as cache:
        known = sum(cache.get(status(inode), "md5") == MD5 for inode in range(1500))

    assert known >= 1000
    assert cache.notes == []


def test_two_processes_use_it_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from test_state_digest_cache import MD5, status\n"
        "from release_builder.state.digest_cache import open_cache\n"
        "for inode in range(int(sys.argv[3]), 60, 2):\n"
        "    with open_cache(Path(sys.argv[1])) as cache: cache.put(status(inode), MD5)\n"
        "    assert not cache.notes, cache.notes\n"
    )
    here = Path(__file__).parent
    with python(code, tmp_path, here, 0) as even, python(code, tmp_path, here, 1) as odd:
        exits = (even.wait(), odd.wait())

    with open_cache(tmp_path) as cache:
        known = sum(cache.get(status(inode), "md5") == MD5 for inode in range(60))

    assert (exits, known) == ((0, 0), 60)


@pytest.mark.parametrize(
    ("environ", "user", "folder"),
    [
        pytest.param({"RELEASE_BUILDER_STATE": "/s"}, 0, "/s", id="named, root"),
        pytest.param({"RELEASE_BUILDER_STATE": "/s", "HOME": "/h"}, 5, "/s", id="named"),
        pytest.param(
            {"HOME": "/root", "XDG_STATE_HOME": "/x"}, 0, "/var/lib/release-builder", id="root"
        ),
        pytest.param({"HOME": "/h", "XDG_STATE_HOME": "/x"}, 5, "/x/release-builder", id="xdg"),
        pytest.param(
            {"HOME": "/h", "XDG_STATE_HOME": "x"},
            5,
            "/h/.local/state/release-builder",
            id="relative",
        ),
        pytest.param({"HOME": "/h"}, 5, "/h/.local/state/release-builder", id="home"),
    ],
)
def test_the_state_folder_is_found(environ: dict[str, str], user: int, folder: str) -> None:
    assert state_folder(environ, user=user) == Path(folder)


def test_without_a_home_the_state_folder_must_be_named() -> None:
    with pytest.raises(SurroundingsError, match="HOME") as raised:
        state_folder({}, user=5)

    assert "RELEASE_BUILDER_STATE" in raised.value.hint
