"""Rock Ridge entries, honest ones and others."""

from __future__ import annotations

import pytest
from iso_builder import (
    FIRST,
    FOLDER,
    PX,
    ROOT,
    SECTOR,
    continued,
    descriptor,
    entry,
    extents,
    files,
    folder,
    folders,
    image,
    named,
    record,
    sharing,
    twice,
)

from release_builder.media import MediaError

DATA = FIRST * SECTOR
AREA = 30  # sector of continuation areas


def with_entries(entries: bytes, area: bytes = b"", root: bytes | None = None) -> bytes:
    """An image with the file PLAIN, whose record has these entries, and a continuation area."""
    begin = sharing() if root is None else root
    return image(
        {ROOT: folder(ROOT, record(b"PLAIN.;1", FIRST, 9, extra=entries), extra=begin), AREA: area}
    )


@pytest.mark.parametrize(
    ("entries", "area", "name"),
    [
        pytest.param(named(b"A long name.rpm"), b"", "A long name.rpm", id="plain"),
        pytest.param(
            named(b"of ", 1) + entry(b"NM", b"\1two ") + entry(b"NM", b"\0parts"),
            b"",
            "of two parts",
            id="in parts",
        ),
        pytest.param(
            named(b"here ", 1) + continued(AREA, 100, 14),
            bytes(100) + entry(b"NM", b"\0and there"),
            "here and there",
            id="continued elsewhere",
        ),
        pytest.param(
            continued(AREA, 0, 28 + 6),
            continued(AREA, 200, 9) + entry(b"NM", b"\1a") + bytes(166) + entry(b"NM", b"\0last"),
            "alast",
            id="continued twice",
        ),
        pytest.param(
            continued(AREA, 0, 9) + named(b"first ", 1),
            entry(b"NM", b"\0last"),
            "first last",
            id="continuation named before the rest",
        ),
        pytest.param(named(b"caf\xe9"), b"", "caf\udce9", id="no UTF-8"),
        pytest.param(named("café".encode()), b"", "café", id="UTF-8"),
        pytest.param(named(b"a/b\0c"), b"", "a_b_c", id="slash and NUL"),
        pytest.param(named(b".."), b"", "_", id="leads up"),
        pytest.param(PX + entry(b"NM", b"\4"), b"", "PLAIN", id="parent"),
        pytest.param(PX + entry(b"NM", b"\2"), b"", "PLAIN", id="current"),
        pytest.param(PX, b"", "PLAIN", id="no name"),
        pytest.param(PX + entry(b"NM", b""), b"", "PLAIN", id="cut name"),
        pytest.param(PX + entry(b"ST", b"") + named(b"x"), b"", "PLAIN", id="after the end"),
        pytest.param(PX + bytes(2) + named(b"x"), b"", "PLAIN", id="after zeros"),
        pytest.param(PX + b"NM\5", b"", "PLAIN", id="less than a header"),
    ],
)
def test_the_name_is_read_wherever_it_stands(entries: bytes, area: bytes, name: str) -> None:
    assert files(with_entries(entries, area)) == [(name, DATA, 9)]


@pytest.mark.parametrize(
    ("root", "entries", "name"),
    [
        pytest.param(sharing(5), b"other" + named(b"rr"), "rr", id="skip"),
        pytest.param(bytes(14) + sharing(14), bytes(14) + named(b"rr"), "rr", id="CD-ROM XA"),
        pytest.param(b"", named(b"rr"), "PLAIN", id="not announced"),
        pytest.param(sharing()[:7], named(b"rr"), "PLAIN", id="shared, but not by Rock Ridge"),
        pytest.param(sharing()[:6], named(b"rr"), "PLAIN", id="announcement cut off"),
        pytest.param(
            sharing()[:7] + continued(AREA, 0, len(PX)), named(b"rr"), "rr", id="root continued"
        ),
    ],
)
def test_rock_ridge_is_read_where_the_root_announces_it(
    root: bytes, entries: bytes, name: str
) -> None:
    content = with_entries(entries, PX, root)

    assert files(content) == [(name, DATA, 9)]


def test_rock_ridge_names_go_before_those_of_joliet() -> None:
    content = image(
        {
            17: descriptor(2, root=31, escape=b"%/E"),
            18: b"\xffCD001\1",
            ROOT: folder(ROOT, record(b"PLAIN.;1", FIRST, 9, extra=named(b"rr")), extra=sharing()),
            31: folder(31, record(b"\0j", FIRST, 9)),
        }
    )

    assert files(content) == [("rr", DATA, 9)]
    assert folders(content) == ["", ""]


def relocated(child: bytes) -> bytes:
    """An image whose directory ``deep`` lies in ``rr_moved``; ``child`` names where."""
    return image(
        {
            ROOT: folder(
                ROOT,
                record(b"RR_MOVED", 31, SECTOR, flags=FOLDER, extra=named(b"rr_moved")),
                record(b"TOP", 32, SECTOR, flags=FOLDER, extra=named(b"top")),
                extra=sharing(),
            ),
            31: folder(
                31,
                record(b"DEEP", 33, SECTOR, flags=FOLDER, extra=named(b"deep") + entry(b"RE", b"")),
            ),
            32: folder(32, record(b"DEEP", 33, SECTOR, extra=named(b"deep") + child)),
            33: folder(33, record(b"F", FIRST, 9, extra=named(b"file"))),
        }
    )


def test_a_directory_that_was_moved_is_found_once_where_it_belongs() -> None:
    content = relocated(entry(b"CL", twice("I", 33)))

    assert files(content) == [("top/deep/file", DATA, 9)]
    assert folders(content) == ["", "rr_moved", "top", "top/deep"]


def test_a_moved_directory_that_nothing_leads_to_is_found_where_it_lies() -> None:
    content = relocated(entry(b"CL", twice("I", 32)))

    assert files(content) == [("rr_moved/deep/file", DATA, 9)]
    assert folders(content) == ["", "rr_moved", "top", "rr_moved/deep"]


def test_a_link_too_short_for_a_number_is_none() -> None:
    content = relocated(entry(b"CL", b"\1"))

    assert ("top/deep", 33 * SECTOR, SECTOR) in files(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            with_entries(continued(AREA, 0, 28), continued(AREA, 0, 28)),
            f"record at offset {ROOT * SECTOR + 111} is continued without end",
            id="loop",
        ),
        pytest.param(
            with_entries(continued(39, 2040, 9)),
            "continuation area at offset 81912 ends at 81921",
            id="outside",
        ),
        pytest.param(
            with_entries(continued(AREA, 0, (1 << 20) + 1)), "is 1,048,577 bytes long", id="long"
        ),
        pytest.param(
            with_entries(entry(b"CE", twice("I", AREA))), "a continuation .* is cut", id="short"
        ),
        pytest.param(with_entries(b"NM\3\1ab"), "cannot be 3 bytes", id="entry below its header"),
        pytest.param(with_entries(b"NM\x09\1\0abc"), "cannot be 9 bytes", id="entry cut off"),
        pytest.param(
            with_entries(PX + continued(AREA, 0, 17 * 255), entry(b"NM", b"\1" + b"n" * 250) * 17),
            f"long name in the record at offset {ROOT * SECTOR + 111}",
            id="long name",
        ),
        pytest.param(
            relocated(entry(b"CL", twice("I", FIRST))), "no directory begins at", id="no directory"
        ),
        pytest.param(
            relocated(entry(b"CL", twice("I", 999))), "at offset 2045952 ends", id="child outside"
        ),
    ],
)
def test_broken_entries_are_refused_with_the_place(content: bytes, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        extents(content)
