"""ISO 9660 images built here, honest ones and others."""

from __future__ import annotations

import io
import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from iso_builder import (
    FIRST,
    FOLDER,
    MORE,
    ROOT,
    SECTOR,
    TABLE,
    descriptor,
    extents,
    files,
    folder,
    folders,
    image,
    named,
    of_root,
    record,
    sharing,
)

from release_builder.extents import Extent, Kind
from release_builder.media import MediaError, find_layout

if TYPE_CHECKING:
    from pathlib import Path

DATA = FIRST * SECTOR


def test_all_that_an_image_tells_is_found_in_order() -> None:
    content = image(
        {
            ROOT: folder(
                ROOT, record(b"A.;1", 25, 5000), record(b"D", FIRST, SECTOR, flags=FOLDER)
            ),
            FIRST: folder(FIRST, record(b"B.TXT;1", 30, 1)),
        }
    )

    found = extents(content)

    assert found == [
        Extent(0, 32768, Kind.SYSTEM_AREA),
        Extent(32768, 2048, Kind.DESCRIPTOR),
        Extent(34816, 2048, Kind.DESCRIPTOR),
        Extent(ROOT * SECTOR, 2048, Kind.DIRECTORY),
        Extent(25 * SECTOR, 5000, Kind.FILE, "A"),
        Extent(FIRST * SECTOR, 2048, Kind.DIRECTORY, "D"),
        Extent(30 * SECTOR, 1, Kind.FILE, "D/B.TXT"),
        Extent(TABLE * SECTOR, 10, Kind.PATH_TABLE),
        Extent((TABLE + 1) * SECTOR, 10, Kind.PATH_TABLE),
    ]


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        pytest.param(b"A.TXT;1", "A.TXT", id="version"),
        pytest.param(b"A.;1", "A", id="dot before the version"),
        pytest.param(b"A", "A", id="bare"),
        pytest.param(b"A.TXT;2", "A.TXT;2", id="another version"),
        pytest.param(b"caf\xe9.;1", "caf\udce9", id="no UTF-8"),
        pytest.param(b"a/../b", "a_.._b", id="slashes"),
        pytest.param(b"..", "_", id="leads up"),
        pytest.param(b".;1", "_", id="nothing left"),
        pytest.param(b"a\0b", "a_b", id="NUL"),
    ],
)
def test_a_plain_name_loses_its_version_and_can_lead_nowhere(identifier: bytes, name: str) -> None:
    content = of_root(record(identifier, FIRST, 9))

    assert files(content) == [(name, DATA, 9)]


@pytest.mark.parametrize("escape", [b"%/@", b"%/C", b"%/E"])
def test_joliet_names_files_and_the_directories_of_both_trees_are_found(escape: bytes) -> None:
    content = image(
        {
            17: descriptor(2, root=30, escape=escape, table=26),
            18: b"\xffCD001\1",
            ROOT: folder(
                ROOT, record(b"LONG.;1", 25, 7), record(b"D", FIRST, SECTOR, flags=FOLDER)
            ),
            FIRST: folder(FIRST),
            30: folder(
                30,
                record("long näme;1".encode("utf-16-be"), 25, 7),
                record("dir".encode("utf-16-be"), 31, SECTOR, flags=FOLDER),
            ),
            31: folder(31),
        }
    )

    assert files(content) == [("long näme", 25 * SECTOR, 7)]
    assert folders(content) == ["", "dir", "", "D"]


def test_a_tree_without_better_names_serves_beside_another_of_its_sort() -> None:
    content = image(
        {
            17: descriptor(2, root=30),
            18: b"\xffCD001\1",
            ROOT: folder(ROOT, record(b"A.;1", 25, 7)),
            30: folder(30, record(b"a.longer.name", 25, 7)),
        }
    )

    assert files(content) == [("A", 25 * SECTOR, 7)]
    assert folders(content) == ["", ""]


def test_a_directory_that_both_trees_share_is_found_once() -> None:
    content = image({17: descriptor(2), 18: b"\xffCD001\1", ROOT: folder(ROOT)})

    assert folders(content) == [""]


def test_a_copy_of_the_primary_descriptor_adds_no_tree() -> None:
    content = image({17: descriptor(root=0), 18: b"\xffCD001\1", ROOT: folder(ROOT)})

    assert folders(content) == [""]


def test_extents_that_adjoin_are_one_file() -> None:
    content = of_root(
        record(b"BIG", 30, 2 * SECTOR, flags=MORE),
        record(b"BIG", 32, SECTOR, flags=MORE),
        record(b"BIG", 33, 10),
        record(b"NEXT", 34, 1),
    )

    assert files(content) == [("BIG", 30 * SECTOR, 3 * SECTOR + 10), ("NEXT", 34 * SECTOR, 1)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(record(b"F", 30, SECTOR, flags=MORE), record(b"F", 32, 5), id="gap"),
        pytest.param(record(b"F", 30, 100, flags=MORE), record(b"F", 31, 5), id="part of a sector"),
        pytest.param(record(b"F", 31, SECTOR, flags=MORE), record(b"F", 30, 5), id="backwards"),
        pytest.param(
            record(b"F", 30, SECTOR, flags=MORE, interleave=(1, 1)),
            record(b"F", 31, 5),
            id="interleaved",
        ),
    ],
)
def test_extents_that_do_not_adjoin_are_no_file(first: bytes, second: bytes) -> None:
    content = of_root(first, second, record(b"NEXT", 34, 1))

    assert files(content) == [("NEXT", 34 * SECTOR, 1)]


@pytest.mark.parametrize(
    "following",
    [
        pytest.param([], id="at the end"),
        pytest.param([record(b"OTHER", 31, 5)], id="another file"),
    ],
)
def test_a_file_without_its_last_extent_is_refused(following: list[bytes]) -> None:
    content = of_root(record(b"F", 30, SECTOR, flags=MORE), *following)

    with pytest.raises(MediaError, match="is not a file's last, but no other"):
        extents(content)


def test_a_file_begins_after_its_extended_attributes() -> None:
    content = of_root(record(b"F", 30, 5, ear=2))

    assert files(content) == [("F", 32 * SECTOR, 5)]


@pytest.mark.parametrize(
    "left_out",
    [
        pytest.param(record(b"F", 30, 5, interleave=(1, 0)), id="interleaved by its unit"),
        pytest.param(record(b"F", 30, 5, interleave=(0, 1)), id="interleaved by its gap"),
        pytest.param(record(b"F", 30, 0), id="empty"),
        pytest.param(record(b"F", 0xFFFFFFFF, 0), id="empty and nowhere"),
    ],
)
def test_what_lies_nowhere_in_one_piece_is_left_out(left_out: bytes) -> None:
    content = of_root(left_out, record(b"NEXT", 34, 1))

    assert files(content) == [("NEXT", 34 * SECTOR, 1)]


@pytest.mark.parametrize("block", [512, 1024, 2048])
def test_locations_count_in_blocks(block: int) -> None:
    more = SECTOR // block
    table = bytes(SECTOR)
    names = [b"FILE%06d" % number for number in range(60)]
    root = folder(
        ROOT * more, *(record(name, 30 * more + 1, 5) for name in names), length=2 * SECTOR
    )
    primary = descriptor(root=ROOT * more, length=2 * SECTOR, block=block, table=TABLE * more)
    content = image({16: primary, TABLE: table, ROOT: root})

    found = files(content)

    assert found == [(name.decode(), 30 * SECTOR + block, 5) for name in names]


def test_a_block_size_that_is_none_is_refused() -> None:
    with pytest.raises(MediaError, match="a block size of 4096 in the descriptor at offset 32768"):
        extents(image({16: descriptor(block=4096)}))


def test_hard_links_are_found_under_each_name() -> None:
    content = of_root(record(b"A", 30, 5), record(b"B", 30, 5))

    assert files(content) == [("A", 30 * SECTOR, 5), ("B", 30 * SECTOR, 5)]


def test_the_descriptors_may_end_without_a_terminator() -> None:
    content = image({17: bytes(7), ROOT: folder(ROOT, record(b"A", 30, 5))})

    assert files(content) == [("A", 30 * SECTOR, 5)]


def test_an_image_without_primary_descriptor_is_refused() -> None:
    with pytest.raises(MediaError, match="no primary volume descriptor at offset 32768"):
        extents(image({16: b"\xffCD001\1"}))


def test_descriptors_without_end_are_refused() -> None:
    content = image(dict.fromkeys(range(16, 200), b"\3CD001\1"), count=200)

    with pytest.raises(MediaError, match="too many volume descriptors before offset 237568"):
        extents(content)


def test_directories_that_lead_back_are_visited_once() -> None:
    content = image(
        {
            ROOT: folder(ROOT, record(b"D", FIRST, SECTOR, flags=FOLDER)),
            FIRST: folder(
                FIRST,
                record(b"SELF", FIRST, SECTOR, flags=FOLDER),
                record(b"UP", ROOT, SECTOR, flags=FOLDER),
                record(b"F", 30, 5),
            ),
        }
    )

    assert folders(content) == ["", "D"]
    assert files(content) == [("D/F", 30 * SECTOR, 5)]


def nested(count: int, name: bytes = b"D") -> bytes:
    """Directories inside one another."""
    way = {
        number: folder(number, record(name, number + 1, SECTOR, flags=FOLDER))
        for number in range(ROOT, ROOT + count - 1)
    }
    last = ROOT + count - 1
    return image({**way, last: folder(last, record(b"F", 18, 5))}, count=ROOT + count + 10)


def test_a_thousand_directories_inside_one_another_are_read() -> None:
    assert files(nested(1000)) == [("D/" * 999 + "F", 18 * SECTOR, 5)]


def test_more_than_a_thousand_are_refused() -> None:
    with pytest.raises(MediaError, match=f"too deep at offset {(ROOT + 1000) * SECTOR}$"):
        extents(nested(1001))


def test_a_path_that_no_system_would_have_is_refused() -> None:
    with pytest.raises(MediaError, match="path of the directory at offset"):
        extents(nested(300, b"D" * 150))


def edited(content: bytes, offset: int, put: bytes) -> bytes:
    return content[:offset] + put + content[offset + len(put) :]


WITH_FILE = of_root(record(b"A.TXT", 30, 5))
AT = ROOT * SECTOR + 68  # of the record


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            of_root(record(b"A", 39, 2049)), "file 'A' at offset 79872 ends at 81921", id="file"
        ),
        pytest.param(
            of_root(record(b"A", 0xFFFFFFFF, 0xFFFFFFFF)), "outside the image", id="far away"
        ),
        pytest.param(
            of_root(record(b"D", 39, 2 * SECTOR, flags=FOLDER)),
            "directory 'D' at offset 79872 ends at 83968",
            id="directory",
        ),
        pytest.param(
            of_root(record(b"D\x1b\xff", 39, 2 * SECTOR, flags=FOLDER)),
            r"directory 'D\\x1b\\xff' at",
            id="name for a terminal",
        ),
        pytest.param(
            image({16: descriptor(root=50)}), "directory at offset 102400 ends", id="root outside"
        ),
        pytest.param(
            image({16: descriptor(length=0)}), "empty root directory in the desc", id="root empty"
        ),
        pytest.param(image({}), "no directory begins at offset 45056", id="no root"),
        pytest.param(
            image({ROOT: record(b"A", 30, 5)}), "no directory begins at offset", id="root a file"
        ),
        pytest.param(
            image({16: descriptor(table=39), ROOT: folder(ROOT)}),
            "path table at offset 81920 ends",
            id="path table",
        ),
        pytest.param(
            edited(WITH_FILE, AT, b"\x21"), f"record at offset {AT} cannot be 33", id="short record"
        ),
        pytest.param(
            edited(WITH_FILE, AT, b"\1"), f"record at offset {AT} cannot be 1 b", id="length 1"
        ),
        pytest.param(
            edited(WITH_FILE, AT + 32, b"\x40"), f"at offset {AT} cannot be 64", id="long name"
        ),
        pytest.param(
            edited(WITH_FILE, AT + 32, b"\0"), f"at offset {AT} cannot be 0 b", id="no name"
        ),
    ],
)
def test_a_broken_image_is_refused_with_the_place(content: bytes, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        extents(content)


def test_a_directory_longer_than_any_real_one_is_refused(workdir: Path) -> None:
    length = (64 << 20) + 1
    sparse = workdir / "image.iso"
    sparse.write_bytes(image({16: descriptor(length=length), ROOT: folder(ROOT)}))
    os.truncate(sparse, 65 << 20)

    with sparse.open("rb", buffering=0) as stream:
        layout = find_layout(stream)
        assert layout is not None
        with pytest.raises(MediaError, match="directory at offset 45056 is 67,108,865 bytes long"):
            list(layout.extents)


def test_a_record_that_crosses_its_sector_is_refused() -> None:
    full = folder(ROOT, *(record(b"%03d" % number, 30, 1) for number in range(54)))
    content = image(
        {16: descriptor(length=2 * SECTOR), ROOT: full + record(b"CROSS", 30, 1) + bytes(99)}
    )

    with pytest.raises(MediaError, match=f"record at offset {23 * SECTOR - 36} cannot be 38"):
        extents(content)


def test_directories_that_overlap_are_not_read_without_end() -> None:
    count = 1000
    places = range(40, count)
    records = (record(b"D%d" % n, n, (count - n) * SECTOR, flags=FOLDER) for n in places)
    root = folder(ROOT, *records, length=18 * SECTOR)
    content = image({16: descriptor(length=18 * SECTOR), ROOT: root}, count)

    with pytest.raises(MediaError, match="the structures of the image overlap"):
        extents(content)


def test_an_image_that_was_cut_off_anywhere_is_never_taken_for_whole() -> None:
    whole = image(
        {
            16: descriptor(),
            17: descriptor(2, root=30, escape=b"%/E", table=26),
            18: (b"\0CD001\1EL TORITO SPECIFICATION").ljust(71, b"\0") + b"\x1c\0\0\0",
            19: b"\xffCD001\1",
            28: (b"\1" + bytes(29) + b"\x55\xaa\x88" + bytes(5) + b"\4\0\x20").ljust(64, b"\0"),
            ROOT: folder(
                ROOT, record(b"D", 29, SECTOR, flags=FOLDER, extra=named(b"d")), extra=sharing()
            ),
            29: folder(29, record(b"F", 36, 2 * SECTOR, extra=named(b"f"))),
            30: folder(30, record(b"\0d", 31, SECTOR, flags=FOLDER)),
            31: folder(31, record(b"\0f", 36, 2 * SECTOR)),
        },
        count=38,
    )
    assert len(extents(whole)) == 16

    for size in sorted({*range(0, len(whole), 512), *range(1, len(whole), 509)}):
        layout = find_layout(io.BytesIO(whole[:size]))
        assert (layout is None) == (size < 32774)
        if layout is not None:
            with pytest.raises(MediaError):
                list(layout.extents)


def test_what_was_found_before_the_broken_place_was_yielded() -> None:
    layout = find_layout(io.BytesIO(of_root(record(b"A", 30, 5), record(b"B", 90, 5))))
    assert layout is not None

    found: list[Extent] = []
    with pytest.raises(MediaError):
        found.extend(layout.extents)

    assert found[-1] == Extent(30 * SECTOR, 5, Kind.FILE, "A")


def test_fifty_thousand_files_take_no_memory() -> None:
    records = [
        record(b"%05d" % number, 30, 1, extra=named(b"a-package-1.0-%d.noarch.rpm" % number))
        for number in range(50_000)
    ]
    length = 3200 * SECTOR
    root = folder(ROOT + 20, *records, length=length, extra=sharing())
    content = image(
        {16: descriptor(root=ROOT + 20, length=length), ROOT + 20: root}, ROOT + 20 + 3200
    )
    stream = io.BytesIO(content)
    assert len(root) <= length

    tracemalloc.start()
    layout = find_layout(stream)
    count = sum(each.kind is Kind.FILE for each in layout.extents) if layout else 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 50_000
    assert peak < 1 << 20


def test_a_path_table_beyond_the_end_loses_no_file() -> None:
    content = image({16: descriptor(table=39), ROOT: folder(ROOT, record(b"A", 30, 5))})
    layout = find_layout(io.BytesIO(content))
    assert layout is not None

    found: list[Extent] = []
    with pytest.raises(MediaError, match="path table"):
        found.extend(layout.extents)

    assert Extent(30 * SECTOR, 5, Kind.FILE, "A") in found


def test_many_names_in_a_deep_directory_take_no_memory() -> None:
    deepest = FIRST + 40
    records = [record(b"A", 30, 1)] * 300
    length = 8 * SECTOR
    folders = {
        FIRST + number: folder(
            FIRST + number, record(b"D" * 200, FIRST + number + 1, length, flags=FOLDER)
        )
        for number in range(40)
    }
    root = folder(ROOT, record(b"D", FIRST, SECTOR, flags=FOLDER))
    content = image(
        {ROOT: root, **folders, deepest: folder(deepest, *records, length=length)}, deepest + 8
    )

    with pytest.raises(MediaError, match="too many and too long"):
        extents(content)
