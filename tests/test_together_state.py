"""The history and the cache of digests, when many use them at once, and are killed over it."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_state_history import RUN, record

from release_builder.state.digest_cache import open_cache
from release_builder.state.history import HISTORY_FILE, open_history

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
# Records runs of a descriptor of its own, and says the number of each once it is kept.
RECORD = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_state_history import RUN
from test_state_digest_cache import MD5, status
from release_builder.state.digest_cache import open_cache
from release_builder.state.history import open_history
folder, name, count = Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
run = replace(RUN, descriptor=f"/etc/{name}.yaml")
input()
for number in range(count):
    with open_history(folder) as history, open_cache(folder) as cache:
        history.begin(run)
        cache.put(status(number), MD5)
        assert history.record(run), history.notes
        assert not history.notes, history.notes
    assert not cache.notes, cache.notes
    print(number, flush=True)
"""


def recorder(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    """A process that records so many runs, as soon as it is given a line."""
    argv = [sys.executable, "-c", RECORD, str(HERE), str(folder), name, str(count)]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def descriptors(folder: Path) -> list[str]:
    with open_history(folder, read_only=True) as history:
        runs = history.runs()
        assert history.notes == []
    return [Path(run.descriptor).stem for run in runs]


# Another process: in ours, to close any file of the history would end the lock.
READ = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("BEGIN")
database.execute("SELECT * FROM runs").fetchone()
print("reading", flush=True)
input()
"""


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Somebody who reads the history, in a transaction that lasts until it gets a line."""
    record(tmp_path, RUN)
    argv = [sys.executable, "-c", READ, str(tmp_path / HISTORY_FILE)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def test_32_processes_that_record_at_once_lose_nothing(tmp_path: Path) -> None:
    names = [f"sme{number}" for number in range(32)]
    started = [recorder(tmp_path, name, 3) for name in names]
    for process in started:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()

    said = [process.communicate() for process in started]

    assert said == [("0\n1\n2\n", "")] * 32
    assert sorted(descriptors(tmp_path)) == sorted(names * 3)


def test_what_was_kept_stays_though_those_who_write_are_killed(tmp_path: Path) -> None:
    chance = random.Random(7)
    for turn in range(3):
        names = [f"sme{turn}-{number}" for number in range(4)]
        started = [recorder(tmp_path, name, 1000) for name in names]
        for process in started:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
            assert process.stdout
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.3))
        for process in started:
            process.kill()
        said = {
            name: process.communicate()[0] for name, process in zip(names, started, strict=True)
        }

        kept = descriptors(tmp_path)

        for name, words in said.items():
            assert kept.count(name) >= 1 + len(words.splitlines())
    assert record(tmp_path, RUN) != [0]
    with closing(sqlite3.connect(tmp_path / HISTORY_FILE)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with open_cache(tmp_path) as cache:
        assert cache.notes == []
    assert not list(tmp_path.glob("*.damaged*"))


def test_a_reader_in_a_long_transaction_is_waited_for(
    tmp_path: Path, reader: subprocess.Popen[str]
) -> None:
    end = threading.Timer(1.0, reader.kill)
    end.start()
    began = time.monotonic()

    with open_history(tmp_path) as history:
        kept = history.record(RUN)

    end.join()
    assert (kept, history.notes) == (2, [])
    assert time.monotonic() - began > 0.5


def test_a_reader_that_never_ends_is_told_of_and_stops_nobody(
    tmp_path: Path, reader: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release_builder.state.history_file.BUSY_SECONDS", 0.1)

    with open_history(tmp_path) as history:
        history.record(RUN)

    assert descriptors(tmp_path) == ["sme9"]
    assert "what this run did is not recorded" in history.notes[0]
    assert reader.poll() is None


def test_who_only_reads_is_hindered_by_nobody_who_writes(tmp_path: Path) -> None:
    record(tmp_path, RUN)
    with closing(sqlite3.connect(tmp_path / HISTORY_FILE)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO marks VALUES ('a', 'b')")

        assert descriptors(tmp_path) == ["sme9"]


def test_one_file_is_left_that_needs_no_shared_memory(workdir: Path) -> None:
    record(workdir, RUN)

    with open_cache(workdir), open_history(workdir):
        names = {path.name for path in workdir.iterdir()}

    assert names == {HISTORY_FILE, "digests.sqlite"}
    for name in names:
        with closing(sqlite3.connect(workdir / name)) as database:
            assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
