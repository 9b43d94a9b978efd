"""The history's file: of older and newer schemas, broken, in use, on a full or read-only disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_state_history import RUN, after, record

from release_builder.state import history_file
from release_builder.state.history import HISTORY_FILE, open_history

if TYPE_CHECKING:
    from collections.abc import Callable

_DATA = Path(__file__).parent / "data" / "history"
VERSION_1 = _DATA / "version-1.sql"
VERSION_2 = _DATA / "version-2.sql"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / HISTORY_FILE


def execute(file: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        for statement in statements:
            database.executescript(statement)


def run_count(folder: Path) -> int:
    with open_history(folder, read_only=True) as history:
        assert history.notes == []
        return len(history.runs())


def cut_short(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 100)


def overwrite(file: Path) -> None:
    """Spoil the second page, the first of a table."""
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xa5" * 4096)


def lose_a_column(file: Path) -> None:
    execute(file, "DROP INDEX accepted_of_workdir; ALTER TABLE accepted DROP COLUMN workdir")


def other_program(file: Path) -> None:
    file.unlink()
    execute(file, "CREATE TABLE bookmarks (url TEXT)")


@pytest.mark.parametrize("read_only", [pytest.param(False, id="rw"), pytest.param(True, id="ro")])
def test_a_file_of_version_1_is_read_with_all_its_runs(
    file: Path, tmp_path: Path, *, read_only: bool
) -> None:
    execute(file, VERSION_1.read_text())
    before = file.read_bytes()

    with open_history(tmp_path, read_only=read_only) as history:
        assert [run.problem for run in history.runs()] == ["the mirror does not answer", ""]
        assert history.runs()[1].steps[0].counts == {"files_fetched": 3, "bytes_fetched": 4096}
        assert history.releases()[0].failures == 1
        assert history.noted("tracked") == ""
        assert history.notes == []
    assert (file.read_bytes() == before) is read_only


def test_a_file_of_version_1_takes_what_is_new_since(file: Path, tmp_path: Path) -> None:
    execute(file, VERSION_1.read_text())

    with open_history(tmp_path) as history:
        history.note("tracked", "9.0beta4")
        assert history.record(RUN) == 3

    with open_history(tmp_path) as history:
        assert history.noted("tracked") == "9.0beta4"
        assert len(history.runs()) == 3


@pytest.mark.parametrize("read_only", [pytest.param(False, id="rw"), pytest.param(True, id="ro")])
def test_no_run_of_a_file_of_version_2_is_under_way_or_killed(
    file: Path, tmp_path: Path, *, read_only: bool
) -> None:
    execute(file, VERSION_2.read_text())

    with open_history(tmp_path, read_only=read_only) as history:
        assert [run.status for run in history.runs()] == [1, 0]
        assert history.under_way() == ()
        assert history.releases()[0].runs == 2
        assert history.noted("tracked") == "9.0beta4"
        assert history.notes == []


def test_a_file_of_version_2_knows_what_begins(file: Path, tmp_path: Path) -> None:
    execute(file, VERSION_2.read_text())

    with open_history(tmp_path) as history:
        assert history.begin(RUN) == 3
        assert [each.run.id for each in history.under_way()] == [3]
        assert history.record(RUN) == 3


def test_a_migration_that_is_killed_is_done_by_the_next_run(file: Path, tmp_path: Path) -> None:
    execute(file, VERSION_1.read_text())
    script = f"""
        import os, sqlite3
        from release_builder.state.history_schema import migrate
        database = sqlite3.connect({str(file)!r})
        database.set_trace_callback(lambda sql: "user_version =" in sql and os._exit(9))
        migrate(database)
    """

    died = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)

    assert died.returncode == 9
    with open_history(tmp_path) as history:
        assert len(history.runs()) == 2
        assert history.notes == []


@pytest.mark.parametrize("read_only", [pytest.param(False, id="rw"), pytest.param(True, id="ro")])
def test_a_file_of_a_newer_schema_is_left_alone(
    file: Path, tmp_path: Path, *, read_only: bool
) -> None:
    record(tmp_path, RUN)
    execute(file, "CREATE TABLE colours (name TEXT)", "PRAGMA user_version = 5")
    before = file.read_bytes()

    with open_history(tmp_path, read_only=read_only) as history:
        assert not history.usable
        assert history.record(RUN) == 0
        assert history.runs() == ()

    assert file.read_bytes() == before
    assert "newer release-builder" in history.notes[0]
    assert "upgrade" in history.notes[0]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(cut_short, id="cut short"),
        pytest.param(overwrite, id="overwritten"),
        pytest.param(lambda file: file.write_bytes(b"dear diary\n" * 100), id="text"),
        pytest.param(other_program, id="of another program"),
        pytest.param(lose_a_column, id="without a column"),
    ],
)
def test_a_damaged_file_is_set_aside_and_begun_anew(
    file: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    record(tmp_path, *(after(hours) for hours in range(50)))
    damage(file)
    damaged = file.read_bytes()

    with open_history(tmp_path) as history:
        assert history.record(RUN) == 1

    aside = file.with_name(f"{HISTORY_FILE}.damaged-1")
    assert aside.read_bytes() == damaged
    assert aside.name in history.notes[0]
    assert run_count(tmp_path) == 1


def test_every_damaged_file_is_kept(file: Path, tmp_path: Path) -> None:
    for text in ("one", "two"):
        file.write_text(text * 100)
        record(tmp_path, RUN)

    found = [file.with_name(f"{HISTORY_FILE}.damaged-{each}").read_text()[:3] for each in (1, 2)]
    assert found == ["one", "two"]


def test_a_damaged_file_is_not_touched_by_who_only_reads(file: Path, tmp_path: Path) -> None:
    file.write_text("dear diary" * 100)

    with open_history(tmp_path, read_only=True) as history:
        assert history.releases() == ()

    assert "the next run sets it aside" in history.notes[0]
    assert [path.name for path in tmp_path.glob("history*")] == [HISTORY_FILE]


def test_where_there_is_no_file_reading_makes_none(tmp_path: Path) -> None:
    with open_history(tmp_path / "state", read_only=True) as history:
        assert (history.usable, history.runs(), history.notes) == (False, (), [])

    assert not (tmp_path / "state").exists()


def test_a_fifo_in_its_place_is_not_waited_for(file: Path, tmp_path: Path) -> None:
    os.mkfifo(file)

    with open_history(tmp_path) as history:
        assert history.record(RUN) == 0

    assert "not a regular file" in history.notes[0]


def test_a_folder_that_cannot_be_made_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    with open_history(tmp_path / "state") as history:
        assert history.record(RUN) == 0

    assert "not recorded" in history.notes[0]


def test_a_full_disk_is_no_reason_to_stop(tmp_path: Path) -> None:
    record(tmp_path, RUN)
    # A limit on the size of files fails the write as a full disk does.
    script = f"""
        import resource, signal, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_state_history import RUN
        from release_builder.state.history import open_history
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with open_history(Path({str(tmp_path)!r})) as history:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
            print(history.record(RUN), len(history.runs()), *history.notes)
    """

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("0 1 ")
    assert "not recorded" in done.stdout
    assert run_count(tmp_path) == 1


def test_a_row_that_means_nothing_is_told_of(file: Path, tmp_path: Path) -> None:
    record(tmp_path, RUN)
    execute(file, "UPDATE steps SET counts = 'many'")

    with open_history(tmp_path) as history:
        assert history.runs() == ()
        assert history.record(RUN) == 2

    assert "cannot be read" in history.notes[0]


def test_many_processes_record_at_once(tmp_path: Path) -> None:
    script = f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_state_history import RUN
        from release_builder.state.history import open_history
        for _ in range(10):
            with open_history(Path({str(tmp_path / "state")!r})) as history:
                history.record(RUN)
                print(*history.notes, end="")
    """
    argv = [sys.executable, "-c", textwrap.dedent(script)]

    started = [subprocess.Popen(argv, stdout=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate()[0] for process in started]

    assert said == [b""] * 4
    assert run_count(tmp_path / "state") == 40


def test_a_file_that_another_has_open_is_not_set_aside(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release_builder.state.history_file.BUSY_SECONDS", 0.1)
    file.write_text("dear diary" * 100)
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_SH)

    with open_history(tmp_path) as history:
        assert not history.usable
    os.close(folder)

    assert "in use by another process" in history.notes[0]
    assert file.read_text().startswith("dear diary")


def test_what_a_killed_process_left_half_written_is_undone(file: Path, tmp_path: Path) -> None:
    record(tmp_path, RUN)
    # A cache of one page makes SQLite write into the file before the transaction's end.
    script = f"""
        import os, sqlite3
        database = sqlite3.connect({str(file)!r})
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN")
        for number in range(500):
            database.execute("INSERT INTO marks VALUES (?, ?)", (str(number), "x" * 500))
        os._exit(9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert file.with_name(f"{HISTORY_FILE}-journal").exists()

    assert run_count(tmp_path) == 1
    with open_history(tmp_path) as history:
        assert history.noted("1") == ""
        assert history.notes == []


def test_a_folder_that_somebody_else_has_locked_is_told_and_not_waited_for_for_ever(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_file, "BUSY_SECONDS", 0.1)
    folder = os.open(file.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)

    with open_history(file.parent) as history:
        notes = list(history.notes)
    os.close(folder)

    assert notes == [f"{file} is in use by another process: this run is not recorded"]
