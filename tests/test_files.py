"""Nothing half-written, nothing read that is no file, no name that leads astray."""

from __future__ import annotations

import errno
import io
import os
import threading
import time
from pathlib import Path

import pytest

from release_builder.errors import BusyError, WrongBytesError
from release_builder.files import (
    _RegularFile,
    check_leaf,
    check_relative,
    existing_parent,
    free_space,
    naming,
    open_regular,
    read_bounded,
    replacing,
    resource,
    safe_join,
)

_ASTRAY = [
    pytest.param("", id="nothing"),
    pytest.param("/etc/passwd", id="absolute"),
    pytest.param("..", id="parent"),
    pytest.param("a/../../b", id="parent in the middle"),
    pytest.param("a/..", id="parent at the end"),
    pytest.param("a\0b", id="NUL"),
]


@pytest.mark.parametrize("name", _ASTRAY)
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(WrongBytesError, match="would lead out"):
        check_relative(name)


@pytest.mark.parametrize("name", ["a", "a/b", "..a", "a..", ".a/..b", "-a", "a\udce9 b"])
def test_a_name_that_stays_inside_is_taken_as_it_is(name: str) -> None:
    assert check_relative(name) == name


@pytest.mark.parametrize("name", [*_ASTRAY, "a/b", "a/", "."])
def test_a_path_is_no_plain_name(name: str) -> None:
    with pytest.raises(WrongBytesError):
        check_leaf(name)


def test_the_name_in_the_message_is_printable() -> None:
    with pytest.raises(WrongBytesError, match=r"\\x1b"):
        check_relative("../\x1b[31m")


def test_links_may_lead_about_inside_but_not_out(workdir: Path, tmp_path: Path) -> None:
    (workdir / "in").mkdir()
    (workdir / "inside").symlink_to("in")
    (workdir / "outside").symlink_to(tmp_path)

    inside = safe_join(workdir, "inside/file")

    assert inside == workdir / "inside" / "file"
    with pytest.raises(WrongBytesError, match="a link that leads out"):
        safe_join(workdir, "outside/file")


def test_only_regular_files_are_opened_and_none_is_waited_for(workdir: Path) -> None:
    os.mkfifo(workdir / "fifo")
    (workdir / "link").symlink_to("fifo")

    for path in (workdir / "fifo", workdir / "link", workdir):
        with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
            open_regular(path)


def test_a_file_is_replaced_when_the_block_ends_well(workdir: Path) -> None:
    path = workdir / "file"
    with replacing(path) as out:
        out.write(b"one")

    with replacing(path, 0o600) as out:
        out.write(b"two")
        within = path.read_bytes()

    assert within == b"one"
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_file_stays_as_it_is_when_the_block_fails(workdir: Path) -> None:
    path = workdir / "file"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with replacing(path) as out:
            out.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert path.read_bytes() == b"old"
    assert list(workdir.iterdir()) == [path]


def test_what_a_killed_run_left_is_overwritten(workdir: Path) -> None:
    (workdir / ".file.new").write_bytes(b"a longer rest of a run that was killed")

    with replacing(workdir / "file") as out:
        out.write(b"new")

    assert (workdir / "file").read_bytes() == b"new"


def test_a_link_beside_is_never_written_through(workdir: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (workdir / ".file.new").symlink_to(victim)

    with pytest.raises(OSError, match="symbolic links"), replacing(workdir / "file") as out:
        out.write(b"new")

    assert victim.read_bytes() == b"precious"


def test_room_is_measured_where_a_folder_will_be(workdir: Path) -> None:
    later = workdir / "a" / "b"

    assert existing_parent(later) == workdir
    assert free_space(later) > 0


class _Dribble(io.BytesIO):
    """Gives at most 3 bytes at a time, as a socket may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(3, -1 if size is None else size))


def test_a_stream_is_read_up_to_its_limit_and_no_byte_beyond() -> None:
    exact = read_bounded(_Dribble(b"1234567"), 7, "it")

    assert exact == b"1234567"
    with pytest.raises(WrongBytesError, match="it is larger than 6 bytes"):
        read_bounded(_Dribble(b"1234567"), 6, "it")


class _Greedy(io.BytesIO):
    """Remembers the most that it was asked for at once."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.most = max(self.most, size or 0)
        return super().read(size)


def test_a_small_file_takes_little_memory_whatever_its_limit() -> None:
    stream = _Greedy(b"1234567")

    assert read_bounded(stream, 64 << 20, "it") == b"1234567"
    assert stream.most <= 1 << 20


@pytest.mark.parametrize(
    ("error", "name"),
    [
        pytest.param(OSError(errno.EFBIG, "File too large"), "/a", id="of writing"),
        pytest.param(OSError(errno.ENOSPC, "No space left", "/b"), "/b", id="named already"),
        pytest.param(OSError(errno.ECONNRESET, "Connection reset"), None, id="of something else"),
    ],
)
def test_what_is_said_of_writing_gets_the_name_of_the_file(
    error: OSError, name: str | None
) -> None:
    with pytest.raises(OSError) as raised, naming(Path("/a")):  # noqa: PT011 (of three kinds)
        raise error

    assert raised.value.filename == name


def test_the_files_of_the_package_are_found() -> None:
    assert resource("data/descriptor.schema.json").is_file()
    assert resource("templates").is_dir()


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "folder/name"
    path.parent.mkdir()
    with replacing(path) as first:
        first.write(b"first")

        with pytest.raises(BusyError, match="another process writes"), replacing(path):
            pass

    assert path.read_bytes() == b"first"
    assert [entry.name for entry in path.parent.iterdir()] == ["name"]


def test_a_fifo_where_the_new_file_is_written_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".name.new")

    with pytest.raises(OSError, match="not a regular file"), replacing(tmp_path / "name"):
        pass

    assert not (tmp_path / "name").exists()


def test_what_cannot_be_written_is_told_by_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No such file") as caught, replacing(tmp_path / "no/name"):
        pass

    assert caught.value.filename == str(tmp_path / "no/name")


def test_what_the_system_gives_in_pieces_is_read_whole() -> None:
    def in_pieces() -> _RegularFile:
        ours, theirs = os.pipe()
        giving = threading.Thread(target=give, args=(theirs,))
        giving.start()
        return _RegularFile(ours)

    def give(out: int) -> None:
        with os.fdopen(out, "wb", buffering=0) as stream:
            for piece in (b"012", b"3456", b"789"):
                stream.write(piece)
                time.sleep(0.05)

    with in_pieces() as stream:
        assert stream.read(8) == b"01234567"
        assert stream.read(8) == b"89"
        assert stream.read(8) == b""
    with in_pieces() as stream:
        buffer = bytearray(8)
        assert stream.readinto(buffer) == 8
        assert buffer == b"01234567"
