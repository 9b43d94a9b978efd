"""The look-alike's md5sum, sha256sum and scan."""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
import zlib
from typing import TYPE_CHECKING

import pytest
from lookalike import LookAlike

if TYPE_CHECKING:
    from pathlib import Path

A = "DMF1ucDxtqgxw5niaXcmYQ"
B_C = "tf3f_aQ-1iamACbvnRjO0g"
E = "4WcXl8UuFfdjOAtF6EHsMg"


@pytest.fixture
def jigdo_file(capsysbinary: pytest.CaptureFixture[bytes]) -> LookAlike:
    return LookAlike(capsysbinary)


@pytest.fixture
def files(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that we are in, with some files in it."""
    monkeypatch.chdir(workdir)
    (workdir / "d").mkdir()
    (workdir / "a").write_bytes(b"a")
    (workdir / "b c").write_bytes(b"b c")
    (workdir / os.fsdecode(b"d/\xe9")).write_bytes(b"e")
    return workdir


@pytest.mark.parametrize(
    ("argv", "printed"),
    [
        pytest.param(["md5sum", "a"], f"{A}  a\n", id="md5sum"),
        pytest.param(["md5", "--hex", "a"], "0cc175b9c0f1b6a831c399e269772661  a\n", id="hex"),
        pytest.param(
            ["sha256sum", "a"],
            "ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs  a\n",
            id="sha256sum",
        ),
        pytest.param(["md5", "./a"], f"{A}  ./a\n", id="as typed"),
        pytest.param(["md5", ".//a"], f"{A}  a\n", id="behind //"),
        pytest.param(["md5", "d"], f"{E}  d/\udce9\n", id="folder"),
        pytest.param(["md5", "d//"], f"{E}  \udce9\n", id="folder and //"),
        pytest.param(
            ["md5", "-T", "list", "a"],
            f"{A}  a\n{B_C}  b c\n",
            id="list",
        ),
    ],
)
def test_digests_are_printed_as_jigdo_file_prints_them(
    files: Path, jigdo_file: LookAlike, argv: list[str], printed: str
) -> None:
    (files / "list").write_text("b c\n\nd\n")

    assert jigdo_file(*argv) == printed
    assert jigdo_file.err == ""


def test_an_absolute_name_is_printed_whole(files: Path, jigdo_file: LookAlike) -> None:
    assert jigdo_file("md5", f"{files}/a") == f"{A}  {files}/a\n"


def test_names_are_read_from_stdin(
    files: Path, jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\n\nb c\n")))

    assert jigdo_file("md5", "-T", "-") == f"{A}  a\n"


def test_a_file_that_is_not_there_is_told_and_passed_over(
    files: Path, jigdo_file: LookAlike
) -> None:
    assert jigdo_file("md5", "-r", "quiet", "none", "a") == f"{A}  a\n"
    assert "none" in jigdo_file.err


def test_a_list_that_is_not_there_is_an_error(files: Path, jigdo_file: LookAlike) -> None:
    jigdo_file("md5", "-T", "none", "a", status=3)

    assert "--files-from=none: No such file" in jigdo_file.err


def test_a_label_that_names_nothing_is_told(files: Path, jigdo_file: LookAlike) -> None:
    jigdo_file("md5", "--label=Base=x", "a")

    assert "the label Base is not used" in jigdo_file.err


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="the cache of all commands"),
        pytest.param(["--cache=my.cache"], id="--cache"),
        pytest.param(["--no-cache"], id="--no-cache"),
        pytest.param(["--cache=d"], id="--cache of a folder"),
    ],
)
def test_digests_are_right_the_second_time_and_after_a_change(
    files: Path, jigdo_file: LookAlike, options: list[str]
) -> None:
    first = jigdo_file("md5", "a", "b c", *options)
    again = jigdo_file("md5", "a", "b c", *options)
    before = (files / "a").stat()
    (files / "a").write_bytes(b"A")
    os.utime(files / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    changed = jigdo_file("md5", "a", *options)

    assert first == again == f"{A}  a\n{B_C}  b c\n"
    assert changed == "f8VicOenD6gaWTW3Lqy-KQ  a\n"


def say_zeros(cache: str, days: int = 0) -> None:
    """Give all files in ``cache`` a digest that no file has, last used ``days`` ago."""
    with contextlib.closing(sqlite3.connect(cache)) as database, database:
        for key in database.execute("SELECT file, algorithm, stamp FROM digests").fetchall():
            crc = zlib.crc32("\0".join((*key, "\0" * 16)).encode())
            database.execute(
                "UPDATE digests SET value = zeroblob(16), used = used - ?, crc = ? WHERE file = ?",
                (days, crc, key[0]),
            )


def test_what_scan_has_read_is_not_read_again(files: Path, jigdo_file: LookAlike) -> None:
    scanned = jigdo_file("scan", "-c", "my.cache", "a")
    say_zeros("my.cache")

    assert scanned == ""
    assert jigdo_file("md5", "-c", "my.cache", "--hex", "a") == f"{'0' * 32}  a\n"


@pytest.mark.parametrize(
    ("expiry", "known"),
    [
        pytest.param([], False, id="30 days unless told"),
        pytest.param(["--cache-expiry=5w"], True, id="5 weeks"),
        pytest.param(["--cache-expiry=off"], True, id="never"),
    ],
)
def test_what_is_not_used_for_long_is_forgotten(
    files: Path, jigdo_file: LookAlike, expiry: list[str], known: bool
) -> None:
    jigdo_file("scan", "-c", "my.cache", "a")
    say_zeros("my.cache", days=31)

    printed = jigdo_file("md5", "-c", "my.cache", *expiry, "a")

    assert printed == f"{'A' * 22 if known else A}  a\n"


def test_a_cache_that_is_not_ours_is_told_and_left_alone(
    files: Path, jigdo_file: LookAlike
) -> None:
    (files / "diary").write_text("dear diary")

    printed = jigdo_file("md5", "--cache=diary", "a")

    assert printed == f"{A}  a\n"
    assert "diary is no digest cache of ours: left alone" in jigdo_file.err
    assert (files / "diary").read_text() == "dear diary"


@pytest.mark.parametrize(
    ("cache", "why"),
    [
        pytest.param(["--cache=diary"], "diary is no digest cache of ours", id="not ours"),
        pytest.param(["--cache=none/cache"], "not used as a digest cache", id="no folder"),
        pytest.param([], "cannot keep the state", id="no state folder"),
    ],
)
def test_a_scan_that_can_keep_nothing_is_an_error(
    files: Path,
    jigdo_file: LookAlike,
    monkeypatch: pytest.MonkeyPatch,
    cache: list[str],
    why: str,
) -> None:
    (files / "diary").write_text("dear diary")
    monkeypatch.setenv("RELEASE_BUILDER_STATE", str(files / "a" / "state"))

    jigdo_file("scan", *cache, "a", status=3)

    assert why in jigdo_file.err
    assert (files / "diary").read_text() == "dear diary"


def test_without_a_state_folder_no_cache_is_used_and_nothing_said(
    files: Path, jigdo_file: LookAlike, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELEASE_BUILDER_STATE", str(files / "a" / "state"))

    assert jigdo_file("md5", "a") == f"{A}  a\n"
    assert jigdo_file.err == ""
