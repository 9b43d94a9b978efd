"""zip archives, by zipfile, and broken ones."""

from __future__ import annotations

import io
import zipfile
from struct import pack

import pytest
from builders import noise
from iso_builder import extents, files, of_kind

from release_builder.extents import Kind
from release_builder.media import MediaError

CONTENT = {"a": noise(1000, 1), "b/ünder": noise(5, 2), "empty": b"", "b/": b""}


def zipped(content: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return out.getvalue()


def test_the_bytes_of_each_member_are_found_where_they_lie() -> None:
    archive = zipped(CONTENT)

    found = {name: archive[at : at + size] for name, at, size in files(archive)}

    assert found == {name: data for name, data in CONTENT.items() if data}


def test_headers_and_files_fill_the_archive() -> None:
    archive = zipped(CONTENT)

    end = 0
    for extent in extents(archive):
        assert extent.offset == end
        end += extent.length

    assert end == len(archive)
    assert len(of_kind(archive, Kind.HEADER)) == len(CONTENT) + 1


def test_a_packed_member_is_left_out() -> None:
    assert files(zipped({"a": bytes(1000)}, zipfile.ZIP_DEFLATED)) == []


def test_an_encrypted_member_is_left_out() -> None:
    archive = bytearray(zipped({"a": b"secret"}))
    archive[archive.index(b"PK\1\2") + 8] |= 1

    assert files(bytes(archive)) == []


def test_the_local_header_tells_where_a_member_begins() -> None:
    """Its extra field need not be as long as that of the central directory."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w") as archive,
        archive.open(zipfile.ZipInfo("a"), "w", force_zip64=True) as member,
    ):
        member.write(b"abc")
    content = out.getvalue()

    ((_, offset, size),) = files(content)

    assert content[offset : offset + size] == b"abc"
    assert offset == 30 + 1 + 20


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param("/etc/passwd", "etc/passwd", id="from the root"),
        pytest.param("../x", "_/x", id="up"),
    ],
)
def test_a_path_begins_at_the_root_and_can_lead_nowhere_else(name: str, path: str) -> None:
    assert [found for found, _, _ in files(zipped({name: b"abc"}))] == [path]


WHOLE = zipped({"a": b"abc", "b": b"defg"})
DIRECTORY = WHOLE.index(b"PK\1\2")
END = WHOLE.index(b"PK\5\6")


def edited(offset: int, put: bytes) -> bytes:
    return WHOLE[:offset] + put + WHOLE[offset + len(put) :]


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        pytest.param(edited(DIRECTORY, b"XX"), "^zip: Bad magic number", id="central directory"),
        pytest.param(edited(34, b"XX"), "no member begins at offset 34", id="local header"),
        pytest.param(
            edited(DIRECTORY + 42, pack("<I", 1 << 30)), "at offset 1073741824 ends", id="offset"
        ),
        pytest.param(
            edited(DIRECTORY + 20, pack("<I", 9999)), "file 'a' at offset 31 ends", id="size"
        ),
        pytest.param(edited(26, b"\xff\xff"), "header at offset 0 ends at 65565", id="name length"),
        pytest.param(edited(END + 12, pack("<I", 999)), "^zip: ", id="directory's size"),
        pytest.param(edited(END + 16, pack("<I", 1 << 20)), "^zip: ", id="directory's offset"),
    ],
)
def test_a_broken_archive_is_refused(archive: bytes, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        extents(archive)


def test_an_archive_that_was_cut_off_anywhere_is_refused() -> None:
    for size in range(4, len(WHOLE)):
        with pytest.raises(MediaError):
            extents(WHOLE[:size])
