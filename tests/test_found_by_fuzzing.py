"""What the targets of tests/fuzz and a search for slow patterns found, so that it stays mended."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repository_builder import ONE

from release_builder.cli.jigdo_lite.questions import scan_paths
from release_builder.cli.jigdo_lite.settings import parse_settings
from release_builder.cli.jigdo_lite.wget_options import read_wget_options
from release_builder.digests import Digest
from release_builder.errors import WrongBytesError, printable
from release_builder.jigdo.compose import compose_jigdo
from release_builder.jigdo.location import parse_jigdo
from release_builder.media.treeinfo import parse_treeinfo
from release_builder.monitor import Monitor
from release_builder.repository.description import parse_meta
from release_builder.repository.journal import Journal
from release_builder.repository.names import parse_image
from release_builder.state.history import HISTORY_FILE, open_history
from release_builder.transport.http.answers import title
from release_builder.transport.http.credentials import Credentials
from release_builder.transport.http.listing import parse_page
from release_builder.transport.http.urls import shown
from release_builder.transport.rsync_output import OutputReader, failure
from release_builder.trust.gpg_status import Verdict, read_status
from release_builder.trust.signed import _START

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_URL = "http://mirror.example/"
_SECONDS = 5.0  # of processor time; before, each took minutes or hours


def test_a_part_whose_name_has_blanks_is_merged_into_a_jigdo_of_libjte() -> None:
    part = Digest("md5", bytes(16))
    old = b"[Jigdo]\nVersion=1.1\nGenerator=libjte/1\n[Image]\nFilename=a\n"

    merged = compose_jigdo(
        generator="test/1",
        version="1.2",
        image=None,
        servers=None,
        parts=[(part, "A:a name")],
        merge=old,
    )

    assert parse_jigdo(merged, "t").parts == {part: ("A:a name",)}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"Total file size: ,", id="no digit"),
        pytest.param(b"Literal data: " + b"9" * 5000, id="a number that int() refuses"),
        pytest.param(b">f+++++++++|" + b"9" * 5000 + b"|0|a", id="a size that int() refuses"),
        pytest.param(b" , 1% 1B/s 0:00:00", id="progress without digit"),
        pytest.param(b"1 1% a/s 1 " * 5000, id="progress within progress"),
    ],
)
def test_a_line_of_a_mirror_that_looks_like_rsyncs_own_is_passed_over(line: bytes) -> None:
    reader = OutputReader(Monitor())

    reader.feed(line + b"\n>f+++++++++|7|7|a\n")

    assert [moved.path for moved in reader.transfer().fetched] == ["a"]


def test_the_words_of_a_mirror_cannot_steer_the_terminal() -> None:
    said = failure(23, "rsync: \x1b[2J" + "a" * 100_000, "rsync://h/m/").what

    assert "\x1b" not in said
    assert len(said) < 1000


@pytest.mark.parametrize(
    "page", ['<a href="a"><![x">', '<a href="a"><![2J">', '<!-- <a href="b"> --><a href="a">']
)
def test_a_broken_declaration_does_not_hide_what_a_folder_has(page: str) -> None:
    assert [entry.name for entry in parse_page(page, _URL)] == ["a"]


@given(
    st.lists(st.sampled_from(["<a", " href=", '"', "'", "x/", ">", "<", "<!--", "-->", " ", "="]))
)
@settings(max_examples=200, deadline=None)
def test_any_tags_give_plain_names(pieces: list[str]) -> None:
    for entry in parse_page("".join(pieces), _URL):
        assert "/" not in entry.name
        assert entry.name not in {"", ".", ".."}


def test_a_path_of_nobodys_home_in_wgets_options_is_no_error() -> None:
    options = read_wget_options("--ca-certificate=~nobody-of-this-name/a.pem")

    assert str(options.http.ca_bundle) == "~nobody-of-this-name/a.pem"


def test_a_nul_in_wgets_options_is_no_error() -> None:
    options = read_wget_options("--ca-certificate=~\0 --timeout=7")

    assert options.http.ca_bundle is None
    assert options.http.timeout == 7


def test_a_nul_in_a_folder_to_scan_is_no_error(tmp_path: Path) -> None:
    assert scan_paths("~\0") == ()
    assert scan_paths("1", ["~\0/a"]) == ()
    assert scan_paths(str(tmp_path)) == (tmp_path.resolve(),)


def test_a_history_whose_schema_is_damaged_is_set_aside(tmp_path: Path) -> None:
    with open_history(tmp_path):
        pass
    path = tmp_path / HISTORY_FILE
    content = path.read_bytes()
    at = content.index(b"CREATE TABLE")
    path.write_bytes(content[:at] + b"\x98" * 8 + content[at + 8 :])

    with open_history(tmp_path) as history:
        usable, notes = history.usable, history.notes

    assert usable
    assert "begun anew" in notes[0]


@pytest.mark.parametrize("claimed", ["87ffffff7f", "8fffffff7f"], ids=["2 GiB", "4 GiB"])
def test_a_history_whose_schema_claims_gigabytes_is_set_aside(tmp_path: Path, claimed: str) -> None:
    with open_history(tmp_path):
        pass
    path = tmp_path / HISTORY_FILE
    content = bytearray(path.read_bytes())
    cell = int.from_bytes(content[108:110], "big")  # the first of the page behind the header
    content[cell : cell + 5] = bytes.fromhex(claimed)  # the length of its record
    path.write_bytes(content)

    with open_history(tmp_path) as history:
        usable, notes = history.usable, history.notes

    assert usable
    assert "begun anew" in notes[0]


def test_a_netrc_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.touch()
    os.truncate(file, 10 << 30)

    assert "too large" in Credentials({"NETRC": str(file)}).notes[0]


def test_a_line_of_the_journal_that_nests_without_end_counts_for_nothing(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    file.write_bytes(b"[" * 100_000)

    assert Journal(file).known(file) is None


def test_a_signature_of_no_time_is_not_good() -> None:
    said = f"[GNUPG:] GOODSIG 1 A\n[GNUPG:] VALIDSIG {'A' * 40} 1 x 0 4 0 1 8 00 {'B' * 40}\n"

    assert read_status(said, 0).verdict is Verdict.NONE


def _treeinfo(line: bytes) -> Callable[[], object]:
    return lambda: parse_treeinfo(b"[general]\n" + line * ((1 << 20) // len(line)))


_STAMPS = "b-2020-01-01-000000--2021-01-01-000000-" * 30_000
_META = json.dumps(
    {"s": {"images": [{"filename": ONE, "diffs": [{"filename": _STAMPS}]}]}}, ensure_ascii=False
).encode()
_MIB = 1 << 20


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda: parse_page("<a href=" * (_MIB // 2), _URL), id="tags of a page"),
        pytest.param(lambda: parse_page("<!--" * _MIB, _URL), id="comments of a page"),
        pytest.param(lambda: title(b"<title" * 100_000), id="titles"),
        pytest.param(lambda: title(b"<title>" * 100_000), id="titles without end"),
        pytest.param(lambda: shown("http://[" + "//" * 200_000), id="slashes of a URL"),
        pytest.param(
            lambda: failure(23, "change_dir " * 100_000, "m"), id="what a mirror complains"
        ),
        pytest.param(lambda: parse_image("a-2020-01-01-000000-" * 50_000), id="an image's name"),
        pytest.param(lambda: parse_meta(_META, "m"), id="a delta's name"),
        pytest.param(_treeinfo(b"a\n"), id="lines of .treeinfo"),
        pytest.param(
            lambda: parse_settings("jigdo='" + "a" * _MIB + "'", "s"), id="a line of settings"
        ),
        pytest.param(
            lambda: _START.search(b"-----BEGIN PGP SIGNED MESSAGE-----\n" + b"a" * _MIB),
            id="a header of a signed file",
        ),
        pytest.param(lambda: printable("@" + "://" * 200_000), id="begins of addresses"),
        pytest.param(lambda: printable("@" + "=a:b" * 200_000), id="begins of passwords"),
    ],
)
def test_no_text_takes_the_square_of_its_length(read: Callable[[], object]) -> None:
    begin = time.process_time()

    with contextlib.suppress(WrongBytesError):
        read()

    assert time.process_time() - begin < _SECONDS
