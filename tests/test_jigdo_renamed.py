"""Another image name and other servers in a .jigdo, and nothing else new."""

from __future__ import annotations

import gzip

import pytest

from release_builder.digests import Digest
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.renamed import renamed
from release_builder.jigdo.syntax import JigdoError

NAME = "t.jigdo"
PART = Digest("md5", bytes(range(16))).jigdo.encode()
IMAGE = {"Filename": "new.iso", "Template": "new.template"}
SERVERS = {"http://old/beta/": "http://new/8/"}
PLAIN = b"""\
# JigsawDownload
[Jigdo]
Version=1.2

[Image]
Filename=old.iso
Template=old.template
Template-MD5Sum=%s
ShortInfo=It's old

[Parts]
%s=A:x
[Servers]
# http://old/beta/
A=http://old/beta/
"""
PLAIN = PLAIN % (PART, PART)
RENAMED = (
    PLAIN.replace(b"old.iso", b"new.iso")
    .replace(b"old.template", b"new.template")
    .replace(b"A=http://old/beta/", b"A=http://new/8/")
)


def image(*lines: bytes) -> bytes:
    return b"\n".join([b"[Image]", *lines, b"[Servers]", b"A=http://old/beta/", b""])


def servers(*lines: bytes) -> bytes:
    return b"\n".join([b"[Image]", b"Filename=o.iso", b"[Servers]", *lines, b""])


def moved(*lines: bytes) -> bytes:
    """What becomes of ``lines`` below [Servers]."""
    before, new = servers(), renamed(servers(*lines), NAME, {}, SERVERS)
    return new.removeprefix(before).removesuffix(b"\n")


def test_names_and_servers_are_new_and_all_else_stays() -> None:
    assert renamed(PLAIN, NAME, IMAGE, SERVERS) == RENAMED


def test_nothing_new_leaves_every_byte() -> None:
    odd = b"\xef\xbb\xbf# BOM\r\n" + PLAIN.replace(b"A=", b" A =\t") + b"B='open\n[x\n\xff"

    assert renamed(odd, NAME, {}, {}) == odd


def test_a_packed_file_comes_back_unpacked() -> None:
    assert renamed(gzip.compress(PLAIN), NAME, IMAGE, SERVERS) == RENAMED


@pytest.mark.parametrize(
    "end", [pytest.param(b"\r\n", id="CR LF"), pytest.param(b"\r\r\n", id="CR CR LF")]
)
def test_lines_keep_their_ends(end: bytes) -> None:
    content = b"[Image]\r\nFilename=old.iso\r\n[Servers]\r\nA=http://x/" + end

    new = renamed(content, NAME, IMAGE, SERVERS)

    assert new == content.replace(b"old.iso", b"new.iso")


def test_a_last_line_without_an_end_stays_without_it() -> None:
    assert renamed(servers(b"A=http://old/beta/").removesuffix(b"\n"), NAME, {}, SERVERS) == (
        servers(b"A=http://new/8/").removesuffix(b"\n")
    )


def test_a_key_that_is_not_there_is_not_added() -> None:
    content = image(b"Filename=old.iso")

    assert renamed(content, NAME, IMAGE | {"Info": "new"}, {}) == image(b"Filename=new.iso")


def test_only_the_first_image_is_renamed() -> None:
    second = b"[Image]\nFilename=old.iso\nTemplate=old.template\n"

    new = renamed(PLAIN + second, NAME, IMAGE, SERVERS)

    assert new == RENAMED + second
    assert parse_jigdo(new, NAME).image.filename == "new.iso"


def test_an_image_section_that_goes_on_below_another_one_is_a_second_one() -> None:
    content = b"[Image]\nFilename=old.iso\n[Parts]\n[Image]\nTemplate=old.template\n"

    assert renamed(content, NAME, IMAGE, {}) == content.replace(b"old.iso", b"new.iso")


def test_of_a_key_that_is_there_twice_the_first_counts() -> None:
    content = image(b"Filename=old.iso", b"Filename=older.iso")

    new = renamed(content, NAME, IMAGE, {})

    assert new == image(b"Filename=new.iso", b"Filename=older.iso")
    assert parse_jigdo(new, NAME).image.filename == "new.iso"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        pytest.param("a b.iso", b"'a b.iso'", id="blank"),
        pytest.param("a'b.iso", b'"a\'b.iso"', id="quote"),
        pytest.param("ü\udcff.iso", b"\xc3\xbc\xff.iso", id="bytes that are no UTF-8"),
        pytest.param("#1.iso", b"'#1.iso'", id="number sign"),
    ],
)
def test_a_name_is_quoted_where_it_must_be(name: str, written: bytes) -> None:
    new = renamed(image(b"Filename='o l d.iso' # was"), NAME, {"Filename": name}, {})

    assert new == image(b"Filename=" + written)
    assert parse_jigdo(new, NAME).image.filename == name


@pytest.mark.parametrize("key", ["ShortInfo", "Info"])
def test_texts_for_people_are_not_quoted(key: str) -> None:
    content = image(f"{key}=It's old".encode())

    assert renamed(content, NAME, {key: 'It\'s "new" #1'}, {}) == image(
        f'{key}=It\'s "new" #1'.encode()
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"A='http://old/beta/'", b"A=http://new/8/", id="quoted"),
        pytest.param(b"A=http://old/beta/ --try-last", b"A=http://new/8/ --try-last", id="option"),
        pytest.param(b"A=http://old/beta/ 'a b'", b"A=http://new/8/ 'a b'", id="quoted option"),
        pytest.param(b"B = http://old/beta/", b"B =http://new/8/", id="blanks, another label"),
        pytest.param(b"A=http://old/beta/x/", b"A=http://old/beta/x/", id="longer URL"),
        pytest.param(b"A=http://old/", b"A=http://old/", id="shorter URL"),
        pytest.param(b"A=B:", b"A=B:", id="another label's"),
        pytest.param(b"A=", b"A=", id="nothing"),
        pytest.param(b"#A=http://old/beta/", b"#A=http://old/beta/", id="comment"),
        pytest.param(b"http://old/beta/", b"http://old/beta/", id="no entry"),
        pytest.param(b"A=\xff 'x y'  # z", b"A=\xff 'x y'  # z", id="other bytes"),
    ],
)
def test_a_server_moves_by_its_whole_url(before: bytes, after: bytes) -> None:
    assert moved(before) == after


def test_every_line_of_a_server_moves() -> None:
    assert moved(b"A=http://old/beta/", b"A=http://old/beta/", b"B=http://b/") == (
        b"A=http://new/8/\nA=http://new/8/\nB=http://b/"
    )


def test_a_new_url_is_quoted_where_it_must_be() -> None:
    new = renamed(servers(b"A=http://old/"), NAME, {}, {"http://old/": "file:/a b/"})

    assert new == servers(b"A='file:/a b/'")


def test_other_sections_keep_what_looks_alike() -> None:
    content = b"[Jigdo]\nFilename=old.iso\nA=http://old/beta/\n" + image(b"Filename=old.iso")

    new = renamed(content, NAME, IMAGE, {})

    assert new.startswith(b"[Jigdo]\nFilename=old.iso\nA=http://old/beta/\n[Image]\n")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[Servers]\nA=x\n", id="no image"),
        pytest.param(gzip.compress(PLAIN)[:-9], id="gzip cut short"),
        pytest.param(b"[Image]\n\0\n", id="NUL"),
    ],
)
def test_what_is_no_jigdo_is_refused_by_its_name(content: bytes) -> None:
    with pytest.raises(JigdoError, match=NAME):
        renamed(content, NAME, IMAGE, SERVERS)
