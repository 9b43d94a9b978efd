"""~/.jigdo-lite as data."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from release_builder.cli.jigdo_lite.settings import (
    Settings,
    SettingsFile,
    format_settings,
    parse_settings,
)

if TYPE_CHECKING:
    from pathlib import Path

THEIRS = """\
jigdo='http://mirror.example/cd.jigdo'
debianMirror='http://ftp.de.debian.org/debian/'
nonusMirror=''
tmpDir='.'
jigdoOpts='--cache jigdo-file-cache.db'
wgetOpts='-nv --passive-ftp --dot-style=mega --continue --timeout=30'
scanMenu='../new ../old   '
filesPerFetch='30'
"""

THEIRS_AT_FIRST = """\
jigdo=''
debianMirror=''
nonusMirror=''
tmpDir='.'
jigdoOpts='--cache jigdo-file-cache.db'
wgetOpts='-nv --passive-ftp --dot-style=mega --continue --timeout=30'
scanMenu=''
filesPerFetch='30'
"""


@pytest.fixture
def path(workdir: Path) -> Path:
    return workdir / ".jigdo-lite"


def test_what_jigdo_lite_writes_is_read() -> None:
    settings, notes = parse_settings(THEIRS, "x")

    assert notes == ()
    assert settings == Settings(
        jigdo="http://mirror.example/cd.jigdo",
        debian_mirror="http://ftp.de.debian.org/debian/",
        scan_menu="../new ../old   ",
    )
    assert settings.scanned == ("../new", "../old")


def test_what_is_not_set_has_jigdo_lites_default() -> None:
    assert parse_settings("jigdo=a", "x") == (Settings(jigdo="a"), ())
    assert parse_settings("", "x") == (parse_settings(THEIRS_AT_FIRST, "x")[0], ())


@pytest.mark.parametrize(
    ("row", "jigdo"),
    [
        pytest.param("jigdo='a b'", "a b", id="single"),
        pytest.param('jigdo="a b"', "a b", id="double"),
        pytest.param("jigdo=http://h/a", "http://h/a", id="bare"),
        pytest.param("jigdo=", "", id="empty"),
        pytest.param("jigdo='it'\\''s'", "it's", id="quote in quotes"),
        pytest.param("jigdo=a'b c'\"d\"", "ab cd", id="pieces"),
        pytest.param("jigdo='$(touch x) `y`'", "$(touch x) `y`", id="literal signs"),
        pytest.param("  jigdo='a'  # my favourite", "a", id="comment"),
        pytest.param("jigdo='a'\r", "a", id="carriage return"),
        pytest.param("jigdo='first'\njigdo='a'", "a", id="the last counts"),
    ],
)
def test_a_line_of_fixed_text_sets_its_key(row: str, jigdo: str) -> None:
    settings, notes = parse_settings(row, "x")

    assert (settings.jigdo, notes) == (jigdo, ())


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("touch PWNED", id="command"),
        pytest.param("jigdo=$(touch PWNED)", id="substitution"),
        pytest.param('jigdo="$(touch PWNED)"', id="substitution in quotes"),
        pytest.param("jigdo=`touch PWNED`", id="backticks"),
        pytest.param("jigdo='a'; touch PWNED", id="second command"),
        pytest.param("jigdo='a' touch PWNED", id="environment of a command"),
        pytest.param("jigdo=$'\\x24(touch PWNED)'", id="ANSI quoting"),
        pytest.param('jigdo=$"$(touch PWNED)"', id="translated text"),
        pytest.param("jigdo=$((a[$(touch PWNED)]))", id="arithmetic"),
        pytest.param("jigdo=<(touch PWNED)", id="substitution of a process"),
        pytest.param("jigdo=${x:=$(touch PWNED)}", id="default of a variable"),
        pytest.param("jigdo[$(touch PWNED)]=a", id="index"),
        pytest.param("jigdo+='a'", id="more of it"),
        pytest.param("jigdo() { touch PWNED; }", id="function"),
        pytest.param("alias jigdo='touch PWNED'", id="alias"),
        pytest.param("trap 'touch PWNED' EXIT", id="trap"),
        pytest.param("eval jigdo=a", id="eval"),
        pytest.param(". ./evil", id="another file"),
        pytest.param("PATH=.:/bin", id="PATH"),
        pytest.param("jigdo=a&touch PWNED", id="in the background"),
        pytest.param("jigdo=a>PWNED", id="redirection"),
        pytest.param("jigdo=$HOME/x", id="variable"),
        pytest.param("jigdo=~/x", id="tilde"),
        pytest.param("jigdo=a|b", id="pipe"),
        pytest.param("jigdo=*", id="pattern"),
        pytest.param("jigdo='a", id="quote without end"),
        pytest.param("jigdo='a'#b", id="sign that is no comment"),
        pytest.param("export jigdo='a'", id="export"),
        pytest.param("jigdo ='a'", id="blank"),
        pytest.param("unknownKey='a'", id="unknown key"),
    ],
)
def test_any_other_line_is_told_and_ignored(row: str) -> None:
    settings, notes = parse_settings(f"# mine\n\n{row}\ntmpDir='/t'", "rc")

    assert settings == Settings(tmp_dir="/t")
    assert len(notes) == 1
    assert notes[0].startswith("rc:3: ")


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param("jigdo=a\\\n;touch\\\n PWNED", id="continued line"),
        pytest.param("jigdo='a\n'$(touch PWNED)'\n'", id="quotes over lines"),
        pytest.param('jigdo="a\\\n$(touch PWNED)"', id="continued in quotes"),
        pytest.param("jigdo=a <<x\n$(touch PWNED)\nx", id="here document"),
        pytest.param("if true; then\ntouch PWNED\nfi", id="several lines"),
    ],
)
def test_lines_that_belong_together_for_a_shell_are_each_ignored(rows: str) -> None:
    settings, notes = parse_settings(f"tmpDir='/t'\n{rows}\n", "rc")

    assert settings == Settings(tmp_dir="/t")
    assert len(notes) == len(rows.splitlines())


@pytest.mark.parametrize(
    "value",
    ["", "a b", "it's", "''", '"', "\\", "$x `y` #z ;", "\udcff", "é\t", "a=b", "\r", "\x0b\x0c"],
)
def test_what_is_written_is_read_again(value: str) -> None:
    settings = Settings(jigdo=value, wget_options=value, scan_menu=value)

    assert parse_settings(format_settings(settings), "x") == (settings, ())


def test_it_is_written_as_jigdo_lite_does() -> None:
    settings, _ = parse_settings(THEIRS, "x")

    assert format_settings(settings) == THEIRS


def test_what_else_is_in_the_file_stays() -> None:
    old = "# mine\nexport LANG=C\njigdo='a'\ntmpDir='/t'\njigdo='b'\n"

    new = format_settings(replace(parse_settings(old, "x")[0], jigdo="c"), old)

    assert new.startswith("# mine\nexport LANG=C\njigdo='c'\ntmpDir='/t'\ndebianMirror=''\n")
    assert new.count("jigdo=") == 1


def test_the_menu_has_the_last_five_places() -> None:
    settings = Settings()

    for name in ("a", "b", "c", "d", "e", "b", "f"):
        settings = settings.with_scanned(name)

    assert settings.scanned == ("f", "b", "e", "d", "c")


@pytest.mark.parametrize("path", ["a b", "a\tb", "a\nb", ""])
def test_a_place_that_the_menu_has_no_room_for_is_left_out(path: str) -> None:
    assert Settings().with_scanned(path) == Settings()


def test_no_file_means_the_defaults(path: Path) -> None:
    file = SettingsFile(path)

    assert (file.settings, file.notes) == (Settings(), ())
    assert not path.exists()


def test_a_change_is_kept_for_the_next_run(path: Path) -> None:
    path.write_text(THEIRS)
    path.chmod(0o640)

    SettingsFile(path).write(Settings(jigdo="it's"))

    assert SettingsFile(path).settings == Settings(jigdo="it's")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_file_is_for_its_owner_alone(path: Path) -> None:
    SettingsFile(path).write(Settings(jigdo="a"))

    assert path.stat().st_mode & 0o777 == 0o600


def test_no_change_writes_nothing(path: Path) -> None:
    path.write_text("jigdo=a\n")

    SettingsFile(path).write(Settings(jigdo="a"))

    assert path.read_text() == "jigdo=a\n"


def test_a_link_stays_one(path: Path, workdir: Path) -> None:
    path.symlink_to("dotfile")

    SettingsFile(path).write(Settings(jigdo="a"))

    assert path.is_symlink()
    assert "jigdo='a'" in (workdir / "dotfile").read_text()


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_file_is_told_and_left_alone(path: Path, kind: str) -> None:
    os.mkfifo(path) if kind == "fifo" else path.mkdir()

    file = SettingsFile(path)
    file.write(Settings(jigdo="a"))

    assert "settings are not used" in file.notes[0]
    assert not path.is_file()


def test_a_file_that_is_too_large_is_told_and_left_alone(path: Path) -> None:
    path.write_bytes(b"#" * (2 << 20))

    file = SettingsFile(path)
    file.write(Settings(jigdo="a"))

    assert "too large" in file.notes[0]
    assert path.stat().st_size == 2 << 20


def test_without_a_home_nothing_is_kept() -> None:
    file = SettingsFile(None)

    file.write(Settings(jigdo="a"))

    assert file.settings.jigdo == "a"
