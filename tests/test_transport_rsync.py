"""The argument lists that rsync gets, and what its output and its ends amount to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    StoppedError,
    SurroundingsError,
)
from release_builder.monitor import Monitor
from release_builder.transport import Moved, Pull
from release_builder.transport.rsync import RsyncMirror, filters, pull_options
from release_builder.transport.rsync_output import OutputReader, failure

_STATISTICS = b"""
Number of files: 10 (reg: 3, dir: 6, link: 1)
Total file size: 600,008 bytes
Literal data: 300,003 bytes
Total bytes received: 1,088
"""


class _Listener(Monitor):
    def __init__(self) -> None:
        self.heard: list[tuple[int, str]] = []

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        self.heard.append((done, note))


def test_only_what_is_wanted_passes_the_filters_and_the_first_rule_counts() -> None:
    pull = Pull(
        into=Path("tree"),
        wanted=("iso/x86_64/", "iso/x86_64/notes*.txt"),
        unwanted=("*.iso",),
        excluded=("*.src.rpm",),
    )

    rules = filters(pull)

    assert rules == [
        "--exclude=.~tmp~",
        "--exclude=*.src.rpm",
        "--include=/iso/",
        "--include=/iso/x86_64/",
        "--include=/iso/x86_64/notes*.txt",
        "--exclude=*.iso",
        "--include=/iso/x86_64/**",
        "--exclude=*",
    ]


def test_a_pattern_without_a_folder_counts_everywhere() -> None:
    pull = Pull(into=Path("tree"), wanted=("iso/", "*.iso"), unwanted=("*.iso",))

    rules = filters(pull)

    assert rules.index("--include=*.iso") < rules.index("--exclude=*.iso")


def test_nothing_is_deleted_unless_it_is_asked_for() -> None:
    keeping = pull_options(Pull(into=Path("tree"), wanted=("a/",)))
    deleting = pull_options(Pull(into=Path("tree"), wanted=("a/",), delete=True, max_delete=7))

    assert not [option for option in keeping if "delete" in option]
    assert deleting[-2:] == ["--delete-after", "--max-delete=7"]


@pytest.mark.parametrize(
    ("pull", "option"),
    [
        pytest.param(Pull(Path("t"), ("a/",), bwlimit="500k"), "--bwlimit=500k", id="bwlimit"),
        pytest.param(Pull(Path("t"), ("a/",), timeout=9), "--timeout=9", id="timeout"),
        pytest.param(Pull(Path("t"), ("a/",)), "--partial", id="partial"),
        pytest.param(Pull(Path("t"), ("a/",)), "--delay-updates", id="delay updates"),
        pytest.param(Pull(Path("t"), (), only=("a",)), "--checksum", id="content"),
    ],
)
def test_each_wish_becomes_an_option(pull: Pull, option: str) -> None:
    assert option in pull_options(pull)


def test_output_is_read_however_it_is_cut() -> None:
    output = (
        b"cd+++++++++|4096|0|iso/\n"
        b"\r              3   0%    0.00kB/s    0:00:00  \n"
        b">f+++++++++|3|46|iso/a b|c.jigdo\n"
        b"\r        300,003  49%  286.10MB/s    0:00:00 (xfr#2, to-chk=1/10)\n"
        b">f.st......|300000|300079|smeos/a.rpm\n"
        b".d..t......|4096|0|./\n"
        b"hf+++++++++|300000|0|smeos/link.rpm\n"
        b"\r        300,003  49%  286.10MB/s    0:00:00 (xfr#2, to-chk=0/10)"
        b"*deleting  |0|0|smeos/old\\#012name\n" + _STATISTICS
    )
    whole, cut, listener = OutputReader(Monitor()), OutputReader(Monitor()), _Listener()

    whole.feed(output)
    for position in range(len(output)):
        cut.feed(output[position : position + 1])
    OutputReader(listener).feed(output)

    transfer = whole.transfer()
    assert transfer == cut.transfer()
    assert transfer.fetched == (Moved("iso/a b|c.jigdo", 3), Moved("smeos/a.rpm", 300_000))
    assert transfer.deleted == ("smeos/old\\#012name",)
    assert transfer.changes == 6
    assert (transfer.listed_size, transfer.received, transfer.literal) == (600_008, 1088, 300_003)
    assert listener.heard == [
        (3, "0 files"),
        (3, "1 files"),
        (300_003, "1 files"),
        (300_003, "2 files"),
        (300_003, "2 files"),
    ]


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        pytest.param(10, "Connection refused (111)", IncompleteError, id="refused"),
        pytest.param(12, "unexpected tag", IncompleteError, id="stream"),
        pytest.param(30, "timeout waiting", IncompleteError, id="timeout"),
        pytest.param(35, "timeout waiting for daemon", IncompleteError, id="connect timeout"),
        pytest.param(
            23,
            '[sender] send_files failed to open "x": Permission denied',
            IncompleteError,
            id="a file that the mirror may not read",
        ),
        pytest.param(
            23,
            'rsync: [sender] change_dir "/nope" failed: No such file or directory (2)',
            DescriptorError,
            id="no such place",
        ),
        pytest.param(
            23,
            'rsync: [receiver] mkstemp "/tree/.x" failed: Permission denied (13)',
            SurroundingsError,
            id="a tree that may not be written",
        ),
        pytest.param(
            23,
            'rsync: [generator] recv_generator: mkdir "/tree" failed: Too many open files (24)',
            SurroundingsError,
            id="too many open files",
        ),
        pytest.param(
            23,
            'rsync: [receiver] rename "/tree/.x" -> "x": Input/output error (5)',
            SurroundingsError,
            id="a disk that fails",
        ),
        pytest.param(5, "@ERROR: Unknown module 'x'", DescriptorError, id="no such module"),
        pytest.param(
            5,
            "@ERROR: max connections (2) reached -- try again later",
            IncompleteError,
            id="too many users",
        ),
        pytest.param(5, "@ERROR: auth failed on module x", DescriptorError, id="refused us"),
        pytest.param(1, "unknown option", DescriptorError, id="usage"),
        pytest.param(20, "received SIGINT", StoppedError, id="stopped"),
        pytest.param(25, "max-delete", DescriptorError, id="too much to delete"),
        pytest.param(11, "No space left on device (28)", SurroundingsError, id="disk full"),
        pytest.param(14, "error in IPC", SurroundingsError, id="ipc"),
        pytest.param(-9, "", SurroundingsError, id="killed"),
    ],
)
def test_the_way_rsync_ends_tells_who_is_at_fault(
    status: int, words: str, kind: type[ReleaseBuilderError]
) -> None:
    error = failure(status, words, "rsync://mirror/x/")

    assert type(error) is kind
    assert words in error.what
    assert "rsync://mirror/x/" in error.what
    assert error.hint


def test_many_complaints_are_cut_short_and_the_last_is_kept() -> None:
    error = failure(23, "\n".join(f"complaint {number}" for number in range(99)), "m")

    assert "complaint 98" in error.what
    assert len(error.what.splitlines()) < 10


def test_a_folder_that_cannot_be_read_is_no_mirror_that_fails() -> None:
    said = 'rsync: [sender] opendir "/mirror/smeos" failed: Too many open files (24)'

    assert isinstance(failure(23, said, "/mirror/"), SurroundingsError)
    assert isinstance(failure(23, said, "rsync://host/module/"), IncompleteError)


def test_what_rsync_says_came_and_is_not_there_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    liar = tmp_path / "rsync"
    liar.write_text("#!/bin/sh\necho 'rsync  version 3.2.7'\necho '>f+++++++++|3|3|iso/a.jigdo'\n")
    liar.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with pytest.raises(SurroundingsError, match=r"says that iso/a\.jigdo came"):
        RsyncMirror("rsync://host/module/").pull(
            Pull(into=tmp_path / "tree", wanted=("iso/",)), Monitor()
        )
