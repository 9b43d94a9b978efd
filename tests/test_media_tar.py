"""tar archives, by tarfile, and broken ones."""

from __future__ import annotations

import io
import tarfile
import tracemalloc

import pytest
from builders import noise
from iso_builder import extents, files, of_kind

from release_builder.extents import Kind
from release_builder.media import MediaError, find_layout

LONG = "a folder with a long name/" * 12 + "file"
CONTENT = {"a": noise(1000, 1), "./b/c": noise(512, 2), LONG: noise(3, 3), "empty": b""}


def tar(content: dict[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in content.items():
            archive.addfile(member(name, len(data)), io.BytesIO(data))
    return out.getvalue()


def member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, "a"
    return info


def header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.GNU_FORMAT)


def with_sum(block: bytes) -> bytes:
    """A header whose sum is right again."""
    blank = block[:148] + b" " * 8 + block[156:]
    return block[:148] + b"%06o\0 " % sum(blank) + block[156:]


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(tarfile.GNU_FORMAT, id="GNU"),
        pytest.param(tarfile.PAX_FORMAT, id="pax"),
    ],
)
def test_the_bytes_of_each_member_are_found_where_they_lie(form: int) -> None:
    archive = tar(CONTENT, form)

    found = {name: archive[at : at + size] for name, at, size in files(archive)}

    assert found == {name.removeprefix("./"): data for name, data in CONTENT.items() if data}


def test_headers_and_files_fill_the_archive_up_to_padding() -> None:
    archive = tar(CONTENT)

    end = 0
    for extent in extents(archive):
        assert 0 <= extent.offset - end < 512
        assert not any(archive[end : extent.offset])
        end = extent.offset + extent.length

    assert not any(archive[end:])
    assert len(of_kind(archive, Kind.HEADER)) == len(CONTENT)


def test_an_old_archive_without_magic_is_told_by_its_sum() -> None:
    block = header(member("a", 3))
    archive = with_sum(block[:257] + bytes(255)) + b"abc".ljust(512, b"\0") + bytes(1024)

    assert files(archive) == [("a", 512, 3)]


@pytest.mark.parametrize(
    "info",
    [
        pytest.param(member("x", kind=tarfile.LNKTYPE), id="hard link"),
        pytest.param(member("x", kind=tarfile.SYMTYPE), id="symbolic link"),
        pytest.param(member("x", kind=tarfile.DIRTYPE), id="folder"),
        pytest.param(member("x", kind=tarfile.CHRTYPE), id="device"),
        pytest.param(member("x", kind=tarfile.GNUTYPE_SPARSE), id="sparse"),
    ],
)
def test_members_without_bytes_of_their_own_are_left_out(info: tarfile.TarInfo) -> None:
    archive = header(info) + tar({"a": b"abc"})

    assert files(archive) == [("a", 1024, 3)]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param("/etc/passwd", "etc/passwd", id="from the root"),
        pytest.param("../../x", "_/_/x", id="up"),
        pytest.param("./a//./b", "a/b", id="roundabout"),
        pytest.param("./", "_", id="nothing left"),
        pytest.param("\udce9", "\udce9", id="no UTF-8"),
        pytest.param("naïve", "naïve", id="UTF-8"),
    ],
)
def test_a_path_begins_at_the_root_and_can_lead_nowhere_else(name: str, path: str) -> None:
    assert files(header(member(name, 3)) + b"abc".ljust(2048, b"\0")) == [(path, 512, 3)]


def pax(record: str) -> bytes:
    """An extended header that changes the next member."""
    data = record.encode()
    return header(member("x", len(data), tarfile.XHDTYPE)) + data.ljust(512, b"\0")


WHOLE = tar({"a": b"abc", "b": noise(600)})


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        pytest.param(b"x" + WHOLE[1:], "^tar: ", id="first header"),
        pytest.param(
            WHOLE[:1024] + b"x" + WHOLE[1025:], "header at offset 1024 is wrong", id="next header"
        ),
        pytest.param(WHOLE[:1500], "header at offset 1024 is wrong", id="cut inside a header"),
        pytest.param(WHOLE[:1536], "file 'b' at offset 1536 ends at 2136", id="cut after it"),
        pytest.param(WHOLE[:2000], "file 'b' at offset 1536 ends at 2136", id="cut inside a file"),
        pytest.param(
            header(member("x", 1 << 62)), "'x' at offset 512 ends at 4611686018427388416", id="huge"
        ),
        pytest.param(
            pax("11 size=-9\n") + header(member("x", 9)) + bytes(1024), "below zero", id="pax"
        ),
        pytest.param(
            with_sum(header(member("x", kind=b"?"))[:124] + b"\xff" * 12 + bytes(376)),
            "the member at offset 0 has a size below zero",
            id="negative size",
        ),
        pytest.param(
            header(member("x", 600, tarfile.GNUTYPE_LONGNAME)) * 1200, "^tar: ", id="endless names"
        ),
        pytest.param(
            header(member("x", 17 << 10, tarfile.GNUTYPE_LONGNAME)) + bytes(20 << 10),
            "17,408 bytes at offset 512 are too long",
            id="huge name",
        ),
    ],
)
def test_a_broken_archive_is_refused(archive: bytes, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        extents(archive)


def test_an_archive_may_lack_its_end() -> None:
    assert [name for name, _, _ in files(WHOLE[:2560])] == ["a", "b"]


def test_twenty_thousand_members_take_no_memory() -> None:
    archive = io.BytesIO(
        b"".join(header(member(f"file {number}", 9)) + bytes(512) for number in range(20_000))
    )

    tracemalloc.start()
    layout = find_layout(archive)
    count = sum(1 for _ in layout.extents) if layout else 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 40_000
    assert peak < 1 << 20
