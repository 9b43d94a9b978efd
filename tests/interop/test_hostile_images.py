"""Images that no program writes, and what is no image."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import noise
from hostile import (
    FILE_AT,
    HEADER,
    ONE,
    continued_iso,
    crowded_iso,
    data,
    desc,
    image_entry,
    iso,
    iso_of,
    many_records,
    nested_iso,
    overlapping_iso,
    tar_header,
    tar_of,
    udf,
    udf_of_long_folder,
    udf_that_loops,
    unmatched,
    zip_of,
)
from hostile_pairs import (
    ODD_FILES,
    PAIR,
    READERS,
    assert_made,
    assert_refused,
    dangling,
    fifo,
    link_to_itself,
    run,
)
from iso_builder import FOLDER, PX, ROOT, SECTOR, descriptor, entry, record, sharing, twice

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.interop

ROCK_RIDGE = sharing()
IMAGES: dict[str, Callable[[], bytes]] = {
    "folder that is the root": lambda: iso_of(
        record(b"D", ROOT, SECTOR, flags=FOLDER), record(b"ONE", FILE_AT, len(ONE))
    ),
    "file beyond the end": lambda: iso_of(record(b"A", 1 << 30, len(ONE))),
    "file of 4 GiB": lambda: iso_of(record(b"A", FILE_AT, (1 << 32) - 1)),
    "folder of 4 GiB": lambda: iso_of(record(b"D", 24, (1 << 32) - 1, flags=FOLDER)),
    "root of 4 GiB": lambda: iso({16: descriptor(length=(1 << 32) - 1)}),
    "root beyond the end": lambda: iso({16: descriptor(root=(1 << 32) - 1)}),
    "no descriptor ends the set": lambda: iso({at: descriptor() for at in range(16, 39)}),
    "folders 1,200 deep": lambda: nested_iso(1200),
    "folders that overlap": lambda: overlapping_iso(1500),
    "100,000 names for one file": lambda: crowded_iso(100_000),
    "files that overlap": lambda: iso_of(
        *(record(b"%d" % at, FILE_AT, at) for at in range(1, 60)),
        record(b"ONE", FILE_AT, len(ONE)),
    ),
    "a long file before it": lambda: iso_of(record(b"A", 0, 70_000), record(b"B", FILE_AT, 5000)),
    "record of 34 bytes at the end of a sector": lambda: iso(
        {ROOT: many_records(1, record(b"A", FILE_AT, 5000)) + b"\x22"}
    ),
    "continuations that loop": lambda: continued_iso(20),
    "continuation beyond the end": lambda: iso_of(
        record(b"A", FILE_AT, 5000, extra=PX + entry(b"CE", b"\xff" * 24)), extra=ROCK_RIDGE
    ),
    "name without end": lambda: iso_of(
        record(b"A", FILE_AT, 5000, extra=PX + entry(b"NM", b"\x01" + b"x" * 150)), extra=ROCK_RIDGE
    ),
    "relocated folder that is its own child": lambda: iso_of(
        record(b"A", ROOT, SECTOR, extra=PX + entry(b"CL", twice("I", ROOT))), extra=ROCK_RIDGE
    ),
    "tar: names for names for names": lambda: (
        (tar_header(b"L", 2) + b"a\0".ljust(512, b"\0")) * 3000 + tar_of()
    ),
    "tar: attributes of 1 TiB": lambda: tar_header(b"x", 1 << 40) + tar_of(),
    "tar: file of 2^60 bytes": lambda: tar_header(b"0", 1 << 60) + tar_of(),
    "tar: name of 1 MB": lambda: tar_of("n" * 1_000_000),
    "tar: cut": lambda: tar_of()[:3000],
    "zip: 100,000 names for one member": lambda: zip_of(100_000),
    "zip: names of 64 kB": lambda: zip_of(250, b"n" * 65_000),
    "zip: directory beyond the end": lambda: zip_of(directory_at=0xFFFF_FFF0),
    "UDF": udf,
    "UDF: folder that is the root": udf_that_loops,
    "UDF: cut": lambda: udf()[: 530 * 1024],
    "UDF: long folder in many pieces": lambda: udf_of_long_folder(6),
}


@pytest.mark.parametrize("name", list(IMAGES))
def test_any_image_has_a_template_that_gives_it_back(work: Path, name: str) -> None:
    image = IMAGES[name]()
    Path("old.iso").write_bytes(image)

    made = run("make-template", *PAIR, "tree", more=10 * len(image))
    rebuilt = run("make-image", "-t", "new.template", "-i", "new.iso", "tree")

    assert made.status == 0, made.err
    assert_made(rebuilt, image)


@pytest.mark.parametrize("name", list(IMAGES))
def test_any_image_has_a_picture(work: Path, name: str) -> None:
    image = IMAGES[name]()
    Path("old.iso").write_bytes(image)
    packed = data(zlib.compress(image), len(image))
    Path("t.template").write_bytes(
        HEADER + packed + desc(unmatched(len(image)), image_entry(image))
    )

    drawn = run("map", *READERS["map"], more=20 * len(image))

    assert drawn.status == 0, drawn.err
    assert ET.fromstring(Path("new.svg").read_bytes()).tag.endswith("svg")


LONG_NAME = b"n" * 220


def file_at_the_end_of_a_long_path() -> bytes:
    """Folders of long names, in the last of which is one file under 30,000 names."""
    records = many_records(30_000, record(b"A", FILE_AT, len(ONE)))
    return nested_iso(120, LONG_NAME, records)


@pytest.mark.parametrize("command", ["make-template", "map"])
def test_long_paths_of_many_files_take_memory_as_the_image_is_long(
    work: Path, command: str
) -> None:
    image = file_at_the_end_of_a_long_path()
    Path("old.iso").write_bytes(image)
    packed = data(zlib.compress(image), len(image))
    Path("t.template").write_bytes(
        HEADER + packed + desc(unmatched(len(image)), image_entry(image))
    )
    arguments = READERS["map"] if command == "map" else (*PAIR, "tree")

    ended = run(command, *arguments, more=20 * len(image))

    assert ended.status == 0, ended.err


@pytest.mark.parametrize(
    "begin", [pytest.param(noise(1024), id="same block"), pytest.param(bytes(1100), id="zeros")]
)
def test_an_image_that_repeats_how_files_begin_is_read_in_time(work: Path, begin: bytes) -> None:
    for number in range(300):
        Path(f"tree/{number}").write_bytes(begin + noise(1000, number))
    image = (begin + noise(60)) * 1000 + begin + noise(1000, 7)
    Path("old.iso").write_bytes(image)

    made = run("make-template", *PAIR, "--match=content", "tree")
    rebuilt = run("make-image", "-t", "new.template", "-i", "new.iso", "tree")

    assert made.status == 0, made.err
    assert f"match of tree/7 at offset {len(image) - len(begin) - 1000}" in made.err
    assert_made(rebuilt, image)


@pytest.mark.parametrize("make", [make for make in ODD_FILES if make.values[0] is not fifo])
@pytest.mark.parametrize("command", ["verify", "map"])
def test_an_image_that_is_no_file_is_refused(
    work: Path, command: str, make: Callable[[Path], None]
) -> None:
    Path("old.iso").unlink()
    make(work / "old.iso")

    ended = run(command, *READERS[command])

    missing = command == "map" and make in {dangling, link_to_itself}  # drawn without it
    assert (ended.status, ended.errors) == ((0, 0) if missing else (3, 1)), ended.err


@pytest.mark.parametrize("name", ["t.template", "t.jigdo"])
@pytest.mark.parametrize("make", ODD_FILES)
def test_a_pair_that_is_no_files_is_refused(
    work: Path, make: Callable[[Path], None], name: str
) -> None:
    Path(name).unlink()
    make(work / name)

    ended = run("print-missing", *READERS["print-missing"])

    assert_refused(ended, 3, f"{name}: ")
