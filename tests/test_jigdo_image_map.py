"""What each byte of an image is: without gaps, whatever the file system tells."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import pytest
from golden import GOLDEN

from release_builder.digests import Digest
from release_builder.extents import Extent, Kind
from release_builder.jigdo.entries import (
    Description,
    ImageInfo,
    MatchedFile,
    Run,
    UnmatchedData,
)
from release_builder.jigdo.image_map import (
    Origin,
    Stretch,
    Total,
    biggest_unmatched,
    map_image,
    totals,
)
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.template import read_template

if TYPE_CHECKING:
    from collections.abc import Sequence

SECTOR = 2048
NOT_GIVEN = "not given, or patched by mastering (as boot images are)"


def digest(content: str) -> Digest:
    return Digest("md5", hashlib.md5(content.encode()).digest())


def part(length: int, content: str = "a part") -> MatchedFile:
    return MatchedFile(length, bytes(8), digest(content))


def describe(*runs: Run, block_length: int | None = 1024) -> Description:
    length = sum(run.length for run in runs)
    return Description(ImageInfo(length, digest("image"), block_length), runs)


def file(sector: int, length: int, name: str) -> Extent:
    return Extent(sector * SECTOR, length, Kind.FILE, name)


def mapped(
    runs: Sequence[Run], extents: Sequence[Extent] = (), locations: Sequence[str] = ("A:a.rpm",)
) -> list[tuple[int, int, Origin, str]]:
    """Offset, length, origin and name of each stretch."""
    parts = {digest("a part"): locations}
    stretches = map_image(describe(*runs), parts, extents)
    return [(each.offset, each.length, each.origin, each.name) for each in stretches]


def reason_of(name: str, *locations: str, length: int = 5000) -> str:
    """Why a file that is no part is in the template, when [Parts] names ``locations``."""
    parts = {digest(location): [location] for location in locations}
    (stretch,) = map_image(describe(UnmatchedData(length)), parts, [file(0, length, name)])
    return stretch.reason


def test_an_image_of_no_bytes_has_no_stretches() -> None:
    assert mapped([UnmatchedData(0)], [file(0, 5000, "x")]) == []


def test_a_part_has_the_name_of_its_first_location() -> None:
    assert mapped([part(5000)], locations=["A:x/a.rpm", "B:a.rpm"]) == [
        (0, 5000, Origin.PART, "A:x/a.rpm")
    ]


@pytest.mark.parametrize("locations", [None, []], ids=["not in [Parts]", "no location"])
def test_a_part_without_location_has_its_digest_for_a_name(locations: list[str] | None) -> None:
    parts = {} if locations is None else {digest("a part"): locations}

    (stretch,) = map_image(describe(part(5000)), parts, [])

    assert stretch == Stretch(0, 5000, Origin.PART, str(digest("a part")), "")


def test_a_part_is_a_part_whatever_the_file_system_calls_it() -> None:
    assert mapped([part(4096)], [file(0, 4096, "isolinux/isolinux.bin")]) == [
        (0, 4096, Origin.PART, "A:a.rpm")
    ]


@pytest.mark.parametrize(
    ("kind", "origin"),
    [
        pytest.param(Kind.FILE, Origin.FILE_IN_TEMPLATE, id="file"),
        pytest.param(Kind.DIRECTORY, Origin.DIRECTORY, id="directory"),
        pytest.param(Kind.BOOT_IMAGE, Origin.BOOT_IMAGE, id="boot image"),
        pytest.param(Kind.BOOT_CATALOG, Origin.BOOT_CATALOG, id="boot catalog"),
        pytest.param(Kind.PATH_TABLE, Origin.PATH_TABLE, id="path table"),
        pytest.param(Kind.DESCRIPTOR, Origin.DESCRIPTOR, id="descriptor"),
        pytest.param(Kind.SYSTEM_AREA, Origin.SYSTEM_AREA, id="system area"),
        pytest.param(Kind.HEADER, Origin.HEADER, id="header"),
    ],
)
def test_what_the_file_system_knows_has_its_own_origin_and_a_reason(
    kind: Kind, origin: Origin
) -> None:
    extents = [Extent(0, 4096, kind, "its name")]

    (stretch,) = map_image(describe(UnmatchedData(4096)), {}, extents)

    assert (stretch.length, stretch.origin, stretch.name) == (4096, origin, "its name")
    assert stretch.reason


@pytest.mark.parametrize(
    ("runs", "extents", "expected"),
    [
        pytest.param(
            [UnmatchedData(6144)],
            [file(0, 5000, "x")],
            [(0, 5000, "x"), (5000, 1144, "padding")],
            id="up to the next sector",
        ),
        pytest.param(
            [UnmatchedData(4096)],
            [file(0, 2048, "x"), file(1, 2048, "y")],
            [(0, 2048, "x"), (2048, 2048, "y")],
            id="none behind whole sectors",
        ),
        pytest.param(
            [UnmatchedData(9000)],
            [file(0, 5000, "x")],
            [(0, 5000, "x"), (5000, 1144, "padding"), (6144, 2856, "other")],
            id="and not more",
        ),
        pytest.param(
            [UnmatchedData(5500)],
            [file(0, 5000, "x")],
            [(0, 5000, "x"), (5000, 500, "padding")],
            id="but not beyond the image",
        ),
        pytest.param(
            [UnmatchedData(6144)],
            [file(0, 5000, "x"), Extent(5500, 100, Kind.FILE, "y")],
            [(0, 5000, "x"), (5000, 500, "padding"), (5500, 100, "y"), (5600, 544, "padding")],
            id="nor into the next file",
        ),
        pytest.param(
            [part(5000), UnmatchedData(4000)],
            [],
            [(0, 5000, "A:a.rpm"), (5000, 1144, "padding"), (6144, 2856, "other")],
            id="behind a part, without a file system too",
        ),
        pytest.param(
            [part(5000), UnmatchedData(0), UnmatchedData(100), UnmatchedData(1044)],
            [],
            [(0, 5000, "A:a.rpm"), (5000, 100, "padding"), (5100, 1044, "padding")],
            id="in several runs behind a part",
        ),
        pytest.param(
            [UnmatchedData(5100), UnmatchedData(1044)],
            [file(0, 5000, "x")],
            [(0, 5000, "x"), (5000, 100, "padding"), (5100, 1044, "padding")],
            id="in several runs behind a file",
        ),
        pytest.param(
            [UnmatchedData(2048), part(5000), UnmatchedData(1144)],
            [file(0, 100, "x"), file(1, 5000, "a.rpm")],
            [
                (0, 100, "x"),
                (100, 1948, "padding"),
                (2048, 5000, "A:a.rpm"),
                (7048, 1144, "padding"),
            ],
            id="on both sides of a part",
        ),
        pytest.param(
            [UnmatchedData(4096), part(2048)],
            [],
            [(0, 4096, "other"), (4096, 2048, "A:a.rpm")],
            id="none at the beginning",
        ),
    ],
)
def test_padding_reaches_to_the_end_of_the_sector(
    runs: Sequence[Run], extents: Sequence[Extent], expected: Sequence[tuple[int, int, str]]
) -> None:
    words = {Origin.PADDING: "padding", Origin.UNKNOWN: "other"}

    found = mapped(runs, extents)

    assert [(at, length, name or words[origin]) for at, length, origin, name in found] == expected


@pytest.mark.parametrize(
    ("extents", "expected"),
    [
        pytest.param(
            [file(2, 2048, "z"), file(0, 2048, "x"), file(1, 2048, "y")],
            [(0, 2048, "x"), (2048, 2048, "y"), (4096, 2048, "z")],
            id="unsorted",
        ),
        pytest.param([file(0, 6144, "x")] * 2, [(0, 6144, "x")], id="twice"),
        pytest.param(
            [file(0, 6144, "y"), file(0, 6144, "x")], [(0, 6144, "x")], id="two names of a file"
        ),
        pytest.param(
            [file(0, 3000, "x"), file(1, 4096, "y")],
            [(0, 3000, "x"), (3000, 3144, "y")],
            id="overlapping",
        ),
        pytest.param([file(0, 6144, "x"), file(1, 10, "y")], [(0, 6144, "x")], id="one in other"),
        pytest.param([file(0, 1 << 50, "x")], [(0, 6144, "x")], id="beyond the image"),
        pytest.param(
            [file(9, 10, "x"), file(0, 0, "y"), file(0, 6144, "z")],
            [(0, 6144, "z")],
            id="outside, and empty",
        ),
        pytest.param(
            [file(1, 0, "y"), file(2, 2048, "z")],
            [(0, 4096, ""), (4096, 2048, "z")],
            id="empty between others",
        ),
        pytest.param(
            [file(0, 100, "x"), file(0, 6144, "y")],
            [(0, 6144, "y")],
            id="short and long at once",
        ),
    ],
)
def test_extents_of_any_kind_cover_the_image_once(
    extents: Sequence[Extent], expected: Sequence[tuple[int, int, str]]
) -> None:
    found = mapped([UnmatchedData(6144)], extents)

    assert [(offset, length, name) for offset, length, _, name in found] == expected


def test_a_file_that_is_partly_matched_is_in_the_template_around_the_part() -> None:
    runs: list[Run] = [UnmatchedData(1000), part(2000), UnmatchedData(3144)]

    assert mapped(runs, [file(0, 6144, "zeros")]) == [
        (0, 1000, Origin.FILE_IN_TEMPLATE, "zeros"),
        (1000, 2000, Origin.PART, "A:a.rpm"),
        (3000, 3144, Origin.FILE_IN_TEMPLATE, "zeros"),
    ]


def test_a_run_of_no_bytes_inside_of_a_file_is_no_stretch() -> None:
    runs: list[Run] = [UnmatchedData(1000), UnmatchedData(0), part(1000)]

    assert mapped(runs, [file(0, 2000, "x")]) == [
        (0, 1000, Origin.FILE_IN_TEMPLATE, "x"),
        (1000, 1000, Origin.PART, "A:a.rpm"),
    ]


def test_files_that_overlap_around_a_part_are_told_once() -> None:
    runs: list[Run] = [UnmatchedData(2048), part(2048), UnmatchedData(2048)]

    assert mapped(runs, [file(0, 3000, "x"), Extent(1000, 5144, Kind.FILE, "y")]) == [
        (0, 2048, Origin.FILE_IN_TEMPLATE, "x"),
        (2048, 2048, Origin.PART, "A:a.rpm"),
        (4096, 2048, Origin.FILE_IN_TEMPLATE, "y"),
    ]


@pytest.mark.parametrize(
    ("name", "location"),
    [
        pytest.param("isolinux/isolinux.bin", "A:isolinux/isolinux.bin", id="same path"),
        pytest.param("isolinux/isolinux.bin", "A:os/isolinux/isolinux.bin", id="deeper part"),
        pytest.param("os/isolinux/isolinux.bin", "A:isolinux/isolinux.bin", id="deeper file"),
        pytest.param("images/boot.iso", "http://server.example/os/images/boot.iso", id="URL"),
    ],
)
def test_a_part_of_the_same_name_is_told(name: str, location: str) -> None:
    assert reason_of(name, "A:other", location).startswith(f"differs from {location}, ")


@pytest.mark.parametrize(
    ("folders", "is_told"),
    [pytest.param(62, True, id="63 names"), pytest.param(63, False, id="64 names")],
)
def test_names_are_compared_from_their_end_as_far_as_63_of_them(
    folders: int, is_told: bool
) -> None:
    name = "a/" * folders + "x"

    assert (reason_of(name, f"A:os/{name}") != NOT_GIVEN) == is_told


def test_a_location_of_many_folders_takes_no_time() -> None:
    before = time.process_time()

    reason = reason_of("x", *(f"A:{'a/' * 32_000}{number}" for number in range(8)))

    assert time.process_time() - before < 0.5
    assert reason == NOT_GIVEN


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("A:extlinux/isolinux.bin", id="other folder"),
        pytest.param("A:an-isolinux/isolinux.bin", id="half a name"),
        pytest.param("isolinux/isolinux.bin.gz", id="no label"),
    ],
)
def test_a_part_of_another_name_is_none_of_its_business(location: str) -> None:
    assert reason_of("isolinux/isolinux.bin", location) == NOT_GIVEN


@pytest.mark.parametrize(("length", "is_short"), [(1023, True), (1024, False)])
def test_a_file_shorter_than_a_block_is_never_a_part(length: int, is_short: bool) -> None:
    reason = reason_of("TRANS.TBL", "A:TRANS.TBL", length=length)

    assert (reason == "shorter than 1,024 bytes") is is_short


def test_a_long_file_that_is_cut_off_is_not_called_short() -> None:
    (stretch,) = map_image(describe(UnmatchedData(500)), {}, [file(0, 5000, "x")])

    assert stretch.reason == NOT_GIVEN


def test_a_template_that_states_no_block_length_calls_no_file_short() -> None:
    description = describe(UnmatchedData(5), block_length=None)

    (stretch,) = map_image(description, {}, [file(0, 5, "x")])

    assert stretch.reason == NOT_GIVEN


def test_bytes_in_no_file_are_told_by_where_they_lie() -> None:
    between = map_image(describe(UnmatchedData(8192)), {}, [file(1, 2048, "x")])
    bare = map_image(describe(UnmatchedData(8192)), {}, [])

    assert [each.reason for each in between if each.origin is Origin.UNKNOWN] == [
        "no file of the image has these bytes",
        "behind the last file of the image (padding at its end?)",
    ]
    assert [each.reason for each in bare] == ["no part has these bytes"]


@pytest.mark.parametrize("case", ["md5", "sha256", "bzip2"])
def test_a_real_template_is_covered_exactly(case: str) -> None:
    jigdo = GOLDEN / f"{case}.jigdo"
    parts = parse_jigdo(jigdo.read_bytes(), case).parts
    with (GOLDEN / f"{case}.template").open("rb") as stream:
        description = read_template(stream, case).description
    extents = [Extent(each, 777, Kind.FILE, str(each)) for each in range(0, 1 << 20, 1500)]

    stretches = map_image(description, parts, extents)

    ends = [0, *(each.end for each in stretches)]
    assert [each.offset for each in stretches] == ends[:-1]
    assert ends[-1] == description.image.length
    assert all(each.length for each in stretches)
    in_parts = sum(each.length for each in stretches if each.origin is Origin.PART)
    assert in_parts == description.image.length - description.unmatched_length


def stretch(offset: int, length: int, origin: Origin, name: str = "") -> Stretch:
    return Stretch(offset, length, origin, name, "" if origin is Origin.PART else f"why {name}")


RUNS = (
    stretch(0, 100, Origin.FILE_IN_TEMPLATE, "first"),
    stretch(100, 50, Origin.PART, "A:a"),
    stretch(150, 30, Origin.DIRECTORY, "d"),
    stretch(180, 400, Origin.PADDING),
    stretch(580, 200, Origin.FILE_IN_TEMPLATE, "big"),
    stretch(780, 20, Origin.DIRECTORY, "e"),
    stretch(800, 50, Origin.PART, "A:b"),
    stretch(850, 100, Origin.PADDING),
)


def test_the_biggest_runs_are_told_by_what_is_no_padding() -> None:
    assert biggest_unmatched(RUNS, 3) == (
        Stretch(
            150,
            650,
            Origin.FILE_IN_TEMPLATE,
            "big",
            "why big; with 2 more, mostly directories",
        ),
        RUNS[0],
        RUNS[7],
    )


@pytest.mark.parametrize("count", [0, 1, 3, 100])
def test_no_more_runs_are_told_than_asked_for(count: int) -> None:
    assert len(biggest_unmatched(RUNS, count)) == min(count, 3)


def test_runs_that_have_but_padding_beside_them_do_not_tell_it() -> None:
    run = (RUNS[0], stretch(100, 900, Origin.PADDING))

    assert biggest_unmatched(run, 1) == (
        Stretch(0, 1000, Origin.FILE_IN_TEMPLATE, "first", "why first"),
    )


def test_totals_are_in_the_order_of_the_origins_and_leave_out_what_is_not_there() -> None:
    assert list(totals(RUNS).items()) == [
        (Origin.PART, Total(100, 2)),
        (Origin.FILE_IN_TEMPLATE, Total(300, 2)),
        (Origin.DIRECTORY, Total(50, 2)),
        (Origin.PADDING, Total(500, 2)),
    ]
