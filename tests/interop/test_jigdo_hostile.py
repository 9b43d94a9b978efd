"""The jigdo commands on input that means harm, through the real program and kept in bounds."""

from __future__ import annotations

import bz2
import gzip
import os
import random
import socket
import sqlite3
import threading
import xml.etree.ElementTree as ET
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import noise
from hostile import (
    BOMB,
    DATA,
    DESC,
    FILE_AT,
    GAP,
    HEADER,
    IMAGE,
    IMAGE_SECTION,
    JIGDO,
    ONE,
    RUNS,
    SERVERS,
    TEMPLATE,
    TWO,
    UNPRIVILEGED,
    Run,
    contents,
    continued_iso,
    crowded_iso,
    data,
    desc,
    draw_map,
    image_entry,
    iso,
    iso_of,
    jigdo_file,
    many_records,
    md5,
    nested_iso,
    overlapping_iso,
    part_entry,
    parts_section,
    tar_header,
    tar_of,
    u48,
    udf,
    udf_of_long_folder,
    udf_that_loops,
    unfinished,
    unmatched,
    zip_of,
)
from iso_builder import FOLDER, PX, ROOT, SECTOR, descriptor, entry, record, sharing, twice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from release_builder.digests import Digest

pytestmark = pytest.mark.interop

WANTED = ("-t", "t.template", "-i", "new.iso")  # of an image that is not there
READERS = {
    "make-image": (*WANTED, "tree"),
    "print-missing": (*WANTED, "-j", "t.jigdo"),
    "verify": ("-t", "t.template", "-i", "old.iso"),
    "list-template": ("-t", "t.template"),
    "map": ("old.iso", "new.svg", "-t", "t.template"),
}
PAIR = ("-i", "old.iso", "-t", "new.template", "-j", "new.jigdo")


@pytest.fixture
def work(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an image, its pair and its parts; tests run in it."""
    monkeypatch.chdir(workdir)
    Path("tree").mkdir()
    Path("tree/one").write_bytes(ONE)
    Path("tree/two").write_bytes(TWO)
    Path("old.iso").write_bytes(IMAGE)
    Path("t.template").write_bytes(TEMPLATE)
    Path("t.jigdo").write_text(JIGDO)
    return workdir


def run(command: str, *arguments: str, more: int = 0) -> Run:
    if command == "map":
        return draw_map(*arguments, cwd=Path.cwd(), more=more)
    return jigdo_file(command, *arguments, cwd=Path.cwd(), more=more)


def assert_refused(ended: Run, status: int, words: str) -> None:
    assert (ended.status, ended.errors) == (status, 1), ended.err
    assert words in ended.err
    assert ended.out == b""


def assert_made(ended: Run, image: bytes = IMAGE) -> None:
    assert ended.status == 0, ended.err
    assert Path("new.iso").read_bytes() == image
    assert not Path("new.iso").is_symlink()
    assert not os.path.lexists("new.iso.tmp")


# Templates.

FIRST_LINE = len(b"JigsawDownload template 1.2 test/1\r\n")
# Where one field ends and the next begins.
BOUNDARIES = {
    "nothing": 0,
    "magic": 24,
    "first line": FIRST_LINE,
    "second line": FIRST_LINE + len(b"any words\r\n"),
    "header": len(HEADER),
    "DATA": len(HEADER) + 4,
    "length of the part": len(HEADER) + 10,
    "length unpacked": len(HEADER) + 16,
    "half the stream": len(HEADER) + len(DATA) // 2,
    "data": len(HEADER + DATA),
    "DESC": len(HEADER + DATA) + 4,
    "length of DESC": len(HEADER + DATA) + 10,
    "type of a run": len(HEADER + DATA) + 11,
    "unmatched run": len(HEADER + DATA) + 17,
    "length of a part": len(HEADER + DATA) + 24,
    "rsync sum": len(HEADER + DATA) + 32,
    "digest": len(HEADER + DATA) + 48,
    "runs": len(TEMPLATE) - 33,
    "image without block length": len(TEMPLATE) - 10,
    "image": len(TEMPLATE) - 6,
    "all but 1": len(TEMPLATE) - 1,
}


@pytest.mark.parametrize("name", list(BOUNDARIES))
def test_a_template_that_ends_too_early_is_refused(work: Path, name: str) -> None:
    Path("t.template").write_bytes(TEMPLATE[: BOUNDARIES[name]])
    before = contents(work)

    ended = run("make-image", *READERS["make-image"])

    in_header = BOUNDARIES[name] < len(HEADER)
    assert_refused(ended, 3, "t.template: " + ("i" if in_header else ""))
    assert in_header or " at offset " in ended.err
    assert contents(work) == before


BAD_TEMPLATES = {
    # the frame
    "cut by 40": (TEMPLATE[:-40], "its last 6 bytes, at offset "),
    "trailing length 2^47": (TEMPLATE[:-6] + u48(1 << 47), "claim a DESC part of 140,737,488,355,"),
    "trailing length 20": (TEMPLATE[:-6] + u48(20), "does not begin with DESC"),
    "leading length": (TEMPLATE.replace(DESC[:10], b"DESC" + u48(99)), "says 99 at offset 4"),
    # the data, as far as it is told without unpacking
    "part claims 10": (HEADER + data(zlib.compress(GAP), 10) + DESC, "claim 10 bytes"),
    "part claims 2^47": (HEADER + data(zlib.compress(GAP), 1 << 47) + DESC, "claim 140,737,488"),
    "part of 0 bytes": (HEADER + b"DATA" + u48(0) + u48(3000) + DESC, "part 1 at offset 49"),
    "part longer than the file": (
        HEADER + b"DATA" + u48(1 << 40) + u48(3000) + DESC,
        "1,099,511,627,776 bytes cannot be right",
    ),
    "other kind of part": (HEADER + data(b"x" * 99, 3000, b"LZMA") + DESC, "no kind of part"),
    # the whole
    "image length": (HEADER + DATA + desc(*RUNS, image_entry(length=1)), "the image has 1"),
    "no image": (HEADER + DATA + desc(*RUNS), "no entry for the image"),
    "image first": (HEADER + DATA + desc(image_entry(), *RUNS), "entry 2 at offset 37"),
    "two images": (HEADER + DATA + desc(*RUNS, image_entry(), image_entry()), "must be the last"),
    # huge counts
    "unmatched 1 TiB": (
        HEADER + DATA + desc(unmatched(1 << 40), image_entry(length=1 << 40)),
        "the image needs 1,099,511,627,776",
    ),
    "65,537 x 2^48": (
        HEADER + DATA + desc(*[unmatched((1 << 48) - 1)] * 65537, image_entry(length=65535)),
        "18,447,025,548,686,196,735 bytes",
    ),
    # types
    "type 4": (HEADER + DATA + desc(*RUNS, part_entry(ONE, 4), image_entry()), "of type 4, which"),
    "type 7": (HEADER + DATA + desc(*RUNS, part_entry(ONE, 7), image_entry()), "of type 7, which"),
    "type 10": (HEADER + DATA + desc(*RUNS, part_entry(ONE, 10), image_entry()), "of type 10, wh"),
    "type 11": (HEADER + DATA + desc(*RUNS, part_entry(ONE, 11), image_entry()), "unknown type 11"),
    "block length 0": (HEADER + DATA + desc(*RUNS, image_entry(block=0)), "block length of 0"),
    "part of the image that is empty": (
        HEADER + DATA + desc(*RUNS, part_entry(b""), image_entry()),
        "a matched file of 0 bytes",
    ),
    # versions
    "version 3": (TEMPLATE.replace(b" 1.2 ", b" 3.0 "), "version 3 needs a newer program"),
    "version 99999999999": (
        TEMPLATE.replace(b" 1.2 ", b" 99999999999 "),
        "version 99999999999 needs a newer program",
    ),
    "fetched as text": (TEMPLATE.replace(b"\r\n", b"\n"), "in binary mode"),
    "some other file": (noise(5000), "is not a jigdo template"),
    "gzip": (gzip.compress(TEMPLATE), "is not a jigdo template"),
}


@pytest.mark.parametrize("command", list(READERS))
@pytest.mark.parametrize("name", list(BAD_TEMPLATES))
def test_every_command_refuses_a_bad_template(work: Path, name: str, command: str) -> None:
    template, words = BAD_TEMPLATES[name]
    Path("t.template").write_bytes(template)
    before = contents(work)

    ended = run(command, *READERS[command])

    assert_refused(ended, 2 if command == "map" else 3, words)
    assert "t.template: " in ended.err
    assert contents(work) == before


SMALL = desc(unmatched(10), part_entry(ONE), image_entry(GAP[:10] + ONE))
# what is seen only when it is unpacked
BAD_DATA = {
    "zlib": (HEADER + data(b"x" * 99, 3000) + DESC, "stream is broken"),
    "bzip2": (HEADER + data(b"x" * 99, 3000, b"BZIP") + DESC, "stream is broken"),
    "zip bomb": (HEADER + data(BOMB, 10) + SMALL, "holds more than the claimed 10"),
    "bzip2 bomb": (
        HEADER + data(bz2.compress(bytes(30_000_000)), 10, b"BZIP") + SMALL,
        "holds more than the claimed 10",
    ),
    "zlib in BZIP": (HEADER + data(zlib.compress(GAP), 3000, b"BZIP") + DESC, "stream is broken"),
    "short": (HEADER + data(zlib.compress(GAP[:-1]), 3000) + DESC, "holds 2,999 bytes, not 3,000"),
    "long": (HEADER + data(zlib.compress(GAP + b"x"), 3000) + DESC, "more than the claimed 3,000"),
    "cut": (HEADER + data(zlib.compress(GAP)[:-9], 3000) + DESC, "stream is cut short"),
    "wrong sum": (HEADER + data(zlib.compress(GAP)[:-4] + b"abcd", 3000) + DESC, "is broken"),
    "more behind": (HEADER + data(zlib.compress(GAP) + b"x", 3000) + DESC, "1 bytes follow its"),
    "claimed 32 MiB": (
        HEADER
        + data(zlib.compress(GAP), 1 << 25)
        + desc(unmatched(1 << 25), part_entry(ONE), image_entry(length=(1 << 25) + 5000)),
        "holds 3,000 bytes, not 33,554,432",
    ),
}


@pytest.mark.parametrize("image", ["new.iso", "-"])
@pytest.mark.parametrize("name", list(BAD_DATA))
def test_data_that_is_not_what_it_claims_is_refused(work: Path, name: str, image: str) -> None:
    template, words = BAD_DATA[name]
    Path("t.template").write_bytes(template)
    before = contents(work)

    ended = run("make-image", "-t", "t.template", "-i", image, "tree")

    assert_refused(ended, 3, words)
    assert "t.template: part 1 at offset 49: " in ended.err
    assert contents(work) == before


@pytest.mark.parametrize("name", list(BAD_DATA))
def test_verify_reads_no_more_of_broken_data_than_it_needs(work: Path, name: str) -> None:
    Path("t.template").write_bytes(BAD_DATA[name][0])
    Path("old.iso").write_bytes(bytes(20_000))

    ended = run("verify", *READERS["verify"])

    assert ended.status == 2, ended.err
    assert "old.iso is wrong: " in ended.err


# what is wrong though it reads well
WRONG_DIGEST = HEADER + DATA + desc(*RUNS, image_entry(bytes(13_000), length=15_000))


@pytest.mark.parametrize("image", ["new.iso", "-"])
def test_an_image_with_another_digest_is_not_made(work: Path, image: str) -> None:
    Path("t.template").write_bytes(WRONG_DIGEST)

    ended = run("make-image", "-t", "t.template", "-i", image, "tree")

    assert_refused(ended, 2, "t.template: every part is right, but the image has md5:")
    assert not os.path.lexists("new.iso")


def test_after_a_wrong_template_the_right_one_makes_the_image(work: Path) -> None:
    Path("t.template").write_bytes(WRONG_DIGEST)
    run("make-image", *READERS["make-image"])
    Path("t.template").write_bytes(TEMPLATE)

    ended = run("make-image", *READERS["make-image"])

    assert_made(ended)


@pytest.mark.parametrize("length", [4999, 5001, 1 << 20])
def test_a_part_of_another_length_than_the_file_is_missing(work: Path, length: int) -> None:
    entries = (unmatched(3000), part_entry(TWO), part_entry(ONE, length=length))
    whole = image_entry(GAP + TWO + ONE, length=5000 + length)
    Path("t.template").write_bytes(HEADER + DATA + desc(*entries, whole))

    ended = run("make-image", *READERS["make-image"])

    assert ended.status == 1
    assert "1 of 2 parts are in new.iso.tmp" in ended.err
    assert not os.path.lexists("new.iso")


def test_an_image_of_another_length_is_not_right(work: Path) -> None:
    """Its digest is, so the template contradicts itself: whoever made it, made a mistake."""
    Path("t.template").write_bytes(
        HEADER + DATA + desc(*RUNS, part_entry(ONE), image_entry(length=20_000))
    )

    ended = run("verify", *READERS["verify"])

    assert ended.status == 2
    assert "old.iso has 15,000 bytes, it should have 20,000" in ended.err


# room


HUGE = (unmatched(3000), part_entry(ONE), part_entry(TWO, length=1 << 46))
HUGE_TEMPLATE = HEADER + DATA + desc(*HUGE, image_entry(length=8000 + (1 << 46)))


@pytest.mark.parametrize("image", ["new.iso", "-"])
def test_room_is_looked_for_before_anything_is_written(work: Path, image: str) -> None:
    Path("t.template").write_bytes(HUGE_TEMPLATE)
    before = contents(work)

    ended = run("make-image", "-t", "t.template", "-i", image, "tree")

    assert_refused(ended, 3, "the image needs 70,368,744,185,664 bytes more")
    assert contents(work) == before


def test_an_image_that_may_not_become_so_long_is_named(work: Path) -> None:
    """There is room, but ulimit -f forbids it."""
    length = 1 << 30
    entries = (unmatched(3000), part_entry(ONE), part_entry(TWO, length=length))
    Path("t.template").write_bytes(
        HEADER + DATA + desc(*entries, image_entry(length=8000 + length))
    )
    before = contents(work)

    ended = run("make-image", *READERS["make-image"])

    assert_refused(ended, 3, "new.iso")
    assert contents(work) == before


def test_verify_against_a_huge_template_says_what_is_wrong(work: Path) -> None:
    entries = (part_entry(TWO, length=1 << 46), unmatched(3000), part_entry(ONE))
    whole = image_entry(b"", length=8000 + (1 << 46))
    Path("t.template").write_bytes(HEADER + DATA + desc(*entries, whole))

    ended = run("verify", *READERS["verify"])

    assert ended.status == 2, ended.err
    assert "old.iso has 15,000 bytes, it should have 70,368,744,185,664" in ended.err


def test_list_and_map_of_a_huge_template_cost_nothing(work: Path) -> None:
    Path("t.template").write_bytes(HUGE_TEMPLATE)

    listed = run("list-template", "-t", "t.template")
    drawn = run("map", "none.iso", "new.svg", "-t", "t.template")

    assert (listed.status, drawn.status) == (0, 0), listed.err + drawn.err
    assert b" 70368744177664 " in listed.out


@pytest.mark.parametrize("command", list(READERS))
def test_a_template_of_runs_without_bytes_takes_time_and_memory_as_it_is_long(
    work: Path, command: str
) -> None:
    template = HEADER + desc(*[unmatched(0)] * 200_000, image_entry(b""))
    Path("t.template").write_bytes(template)
    Path("old.iso").write_bytes(b"")

    ended = run(command, *READERS[command], more=20 * len(template))

    assert ended.status == 0, ended.err


def test_a_lack_of_memory_is_no_status_of_a_missing_part(work: Path) -> None:
    """The longest description that is read, in 400 MB of addresses."""
    runs = unmatched(0) * (((16 << 20) - 100) // 7)
    Path("t.template").write_bytes(HEADER + desc(runs, image_entry(b"")))

    ended = run("make-image", *READERS["make-image"], more=400 << 20)

    assert ended.status in {0, 3}


def test_parts_that_are_shorter_than_a_block_take_no_time(work: Path) -> None:
    """Their sums cover zeros up to the length of a block, which the template tells."""
    Path("tree/x").write_bytes(b"x")
    parts = [part_entry(b"%d" % number, length=1) for number in range(4000)]
    entries = (unmatched(1), part_entry(b"x"), *parts)
    whole = image_entry(b"", length=4002, block=128 << 10)
    Path("t.template").write_bytes(HEADER + data(zlib.compress(b"y"), 1) + desc(*entries, whole))

    ended = run("make-image", *READERS["make-image"])

    assert ended.status == 1
    assert "1 of 4,001 parts are in new.iso.tmp" in ended.err


# what is odd and good


@pytest.mark.parametrize(
    ("template", "image"),
    [
        pytest.param(
            HEADER + DATA + desc(unmatched(3000), part_entry(ONE, 3), image_entry(GAP + ONE, 1)),
            GAP + ONE,
            id="types of before 0.6.3",
        ),
        pytest.param(
            HEADER
            + DATA
            + desc(unmatched(3000), part_entry(ONE), part_entry(ONE), image_entry(GAP + ONE * 2)),
            GAP + ONE * 2,
            id="no right rsync sum",
        ),
        pytest.param(
            HEADER + DATA + desc(*RUNS, image_entry(block=(1 << 32) - 1)), IMAGE, id="blockLen"
        ),
        pytest.param(HEADER + desc(image_entry(b"")), b"", id="an image of 0 bytes"),
        pytest.param(
            HEADER + desc(part_entry(ONE), image_entry(ONE)), ONE, id="no unmatched bytes"
        ),
        pytest.param(
            HEADER
            + data(zlib.compress(bytes(30_000_000), 9), 30_000_000)
            + desc(unmatched(30_000_000), image_entry(bytes(30_000_000))),
            bytes(30_000_000),
            id="30 MB in 29 kB",
        ),
    ],
)
def test_an_odd_template_gives_the_right_image(work: Path, template: bytes, image: bytes) -> None:
    Path("t.template").write_bytes(template)

    made = run("make-image", *READERS["make-image"])
    verified = run("verify", "-t", "t.template", "-i", "new.iso")
    listed = run("list-template", "-t", "t.template")

    assert_made(made, image)
    assert (verified.status, listed.status) == (0, 0), verified.err + listed.err


# Names.


@pytest.mark.parametrize(
    ("location", "printed"),
    [
        pytest.param("Any:../../etc/passwd", "http://mirror.example/../../etc/passwd", id="up"),
        pytest.param("/etc/passwd", "/etc/passwd", id="absolute"),
        pytest.param("file:///etc/shadow", "///etc/shadow", id="file URL"),
        pytest.param("'Any:a b $(id)'", "http://mirror.example/a b $(id)", id="shell"),
        pytest.param("-rf", "-rf", id="dash"),
    ],
)
def test_print_missing_prints_a_place_as_it_stands(work: Path, location: str, printed: str) -> None:
    """As jigdo-file does: whoever fetches from there has to judge it."""
    Path("t.jigdo").write_text(IMAGE_SECTION + parts_section(location) + SERVERS)
    before = contents(work)

    ended = run("print-missing", *READERS["print-missing"])

    assert ended.status == 0, ended.err
    assert printed.encode() in ended.out.splitlines()
    assert contents(work) == before


def test_print_missing_prints_a_file_server_as_a_path(work: Path) -> None:
    Path("t.jigdo").write_text(IMAGE_SECTION + parts_section() + "[Servers]\nAny=file:/etc/\n")

    ended = run("print-missing", *READERS["print-missing"])

    assert sorted(ended.out.splitlines()) == [b"/etc/one", b"/etc/two"]


@pytest.mark.parametrize(
    "filename",
    ["../../esc.iso", "/esc.iso", "'o $(touch PWN) x.iso'", "-o.iso", "..", "'a\tb'", ""],
)
@pytest.mark.parametrize("command", ["make-image", "print-missing-all", "verify", "map"])
def test_the_name_of_the_image_in_a_jigdo_file_is_never_a_path(
    work: Path, command: str, filename: str
) -> None:
    jigdo = JIGDO.replace("Filename=cd.iso", f"Filename={filename}")
    Path("t.jigdo").write_text(jigdo.replace("cd.template", "../../t.template"))
    before = contents(work.parent)
    arguments = {**READERS, "print-missing-all": READERS["print-missing"]}[command]

    ended = run(command, *arguments, "-j", "t.jigdo")

    assert ended.status == 0, ended.err
    made = {"make-image": {"new.iso"}, "map": {"new.svg"}}.get(command, set())
    state = str(work.parent / "state")
    new = {path for path in contents(work.parent).keys() - before if not path.startswith(state)}
    assert {Path(path).name for path in new} == made


def test_the_name_of_an_image_is_deduced_from_the_name_of_the_jigdo_file(work: Path) -> None:
    Path("t.jigdo").write_text(JIGDO.replace("Filename=cd.iso", "Filename=../esc.iso"))

    ended = run("make-image", "-j", "t.jigdo", "tree")

    assert ended.status == 0, ended.err
    assert Path("t").read_bytes() == IMAGE


def test_names_of_parts_cannot_add_to_a_picture(work: Path) -> None:
    names = ("</title><script>alert(1)</script>", "]]>&amp;<!--\x01\x7f\ufffe", "\x1b[2J\udce9")
    for name in names:
        Path("t.jigdo").write_bytes(
            (IMAGE_SECTION + parts_section(f"'Any:{name}'")).encode("utf-8", "surrogateescape")
        )

        ended = run("map", *READERS["map"], "-j", "t.jigdo", "--force")

        assert ended.status == 0, ended.err
        drawn = ET.fromstring(Path("new.svg").read_bytes())
        assert not [each.tag for each in drawn.iter() if each.tag.endswith("script")]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def unix_socket(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(path.name)  # the whole name may be too long for it


ODD_FILES = [
    pytest.param(make, id=make.__name__)
    for make in (fifo, folder, dangling, link_to_itself, link_to_zeros, unix_socket)
]


@pytest.mark.parametrize("make", ODD_FILES)
def test_a_list_of_files_that_is_none_is_told(work: Path, make: Callable[[Path], None]) -> None:
    make(work / "odd")

    ended = run("make-image", *WANTED, "--files-from=odd", "tree")

    assert_made(ended)
    assert ended.errors == 1, ended.err
    assert "--files-from=odd: " in ended.err


@pytest.mark.parametrize("make", ODD_FILES)
def test_a_list_may_name_what_is_no_file(work: Path, make: Callable[[Path], None]) -> None:
    make(work / "odd")
    Path("list").write_bytes(b"odd\n/dev/zero\n/dev/null\nx\0y\ntree\n\nnever read\n")

    ended = run("make-image", *WANTED, "--files-from=list")

    assert_made(ended)
    assert "never read" not in ended.err


def test_a_list_without_end_is_refused(work: Path) -> None:
    with Path("list").open("wb") as out:
        out.truncate(1 << 40)

    ended = run("make-image", *WANTED, "--files-from=list", "tree")

    assert_refused(ended, 3, "the list of files has a name of 65,536 bytes or more")


@pytest.mark.parametrize("make", ODD_FILES)
@pytest.mark.parametrize("command", ["md5sum", "scan"])
def test_what_is_no_file_has_no_digest(
    work: Path, command: str, make: Callable[[Path], None]
) -> None:
    make(work / "odd")

    ended = run(command, "odd", "tree")

    assert ended.status == 0
    assert ended.out.count(b"\n") == (2 if command == "md5sum" else 0)


# The text of a .jigdo file.

CHAIN = "".join(f"L{i}=L{i + 1}:\n" for i in range(60_000))
DOUBLING = "".join(f"L{i}=L{i + 1}:a\nL{i}=L{i + 1}:b\n" for i in range(25))


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        pytest.param("Any=B:\nB=Any:\n", "lead in a circle: Any → B → Any", id="loop"),
        pytest.param("Any=Any:x/\n", "lead in a circle: Any → Any", id="of itself"),
        pytest.param("Any=L0:\n" + CHAIN, "more than 64 labels", id="chain of 60,000"),
        pytest.param("Any=L0:\n" + DOUBLING, "leads to more than 256 URLs", id="2^25 URLs"),
    ],
)
@pytest.mark.parametrize("command", ["print-missing", "print-missing-all"])
def test_labels_without_end_are_refused(work: Path, command: str, servers: str, words: str) -> None:
    Path("t.jigdo").write_text(IMAGE_SECTION + parts_section() + "[Servers]\n" + servers)

    ended = run(command, *READERS["print-missing"])

    assert_refused(ended, 3, words)
    assert "t.jigdo: " in ended.err


def test_urls_do_not_outgrow_the_text(work: Path) -> None:
    """Each of 60 labels adds 60 kB, and the first eight of them double what there is."""
    long = "x" * 60_000
    lines = [f"L{number}=L{number + 1}:{long}\n" for number in range(60)]
    lines += [f"L{number}=L{number + 1}:y{long}\n" for number in range(8)]
    text = IMAGE_SECTION + parts_section("L0:x") + "[Servers]\n" + "".join(lines)
    Path("t.jigdo").write_text(text)

    ended = run("print-missing", *READERS["print-missing"], more=4 * len(text))

    assert ended.status in {0, 3}


def template_of_parts(count: int) -> tuple[bytes, list[Digest]]:
    """A template of ``count`` parts of a byte each."""
    contents_ = [b"%d" % number for number in range(count)]
    entries = [part_entry(each, length=1) for each in contents_]
    whole = image_entry(b"", length=count)
    return HEADER + desc(*entries, whole), [md5(each) for each in contents_]


def test_many_servers_of_many_parts_take_no_time(work: Path) -> None:
    template, digests = template_of_parts(30_000)
    servers = "".join(f"S{number}=http://h/\n" for number in range(30_000))
    parts = "".join(f"{each.jigdo}=S{number}:x\n" for number, each in enumerate(digests))
    Path("t.template").write_bytes(template)
    Path("t.jigdo").write_text(f"{IMAGE_SECTION}[Servers]\n{servers}[Parts]\n{parts}")

    ended = run("print-missing", *READERS["print-missing"])

    assert ended.out == b"http://h/x\n" * 30_000


def test_long_labels_in_a_row_take_no_time(work: Path) -> None:
    """Their names are put together for a message that nobody may need."""
    template, digests = template_of_parts(200)
    labels = [f"{number}{'L' * 30_000}" for number in range(60)]
    chain = zip(labels, [*labels[1:], "http"], strict=True)
    servers = f"A={labels[0]}:\n" + "".join(f"{one}={other}:\n" for one, other in chain)
    parts = "".join(f"{each.jigdo}=A:x\n" for each in digests)
    Path("t.template").write_bytes(template)
    Path("t.jigdo").write_text(f"{IMAGE_SECTION}[Servers]\n{servers}[Parts]\n{parts}")

    ended = run("print-missing", *READERS["print-missing"])

    assert ended.out == b"http:x\n" * 200


BAD_TEXTS = {
    "empty": (b"", "t.jigdo: no .jigdo file: it has no [Image] section"),
    "random": (noise(5000), ": a line with a NUL: no .jigdo file"),
    "NUL": (JIGDO.encode() + b"# \0\n", "t.jigdo:11: a line with a NUL"),
    "line of 20 MB": (JIGDO.encode() + b"#" * 20_000_000, "t.jigdo:11: a line with more than"),
    "gzip bomb": (gzip.compress(bytes(300_000_000)), "t.jigdo is larger than 67,108,864 bytes"),
    "gzip cut": (gzip.compress(JIGDO.encode())[:-9], "t.jigdo: its gzip stream is broken"),
    "gzip damaged": (b"\x1f\x8b\x08\0" + noise(500), "t.jigdo: its gzip stream is broken"),
    "version 3": (JIGDO.replace("=1.1", "=3").encode(), "t.jigdo:2: format version 3 needs a"),
    "version 99999999999": (
        JIGDO.replace("=1.1", "=99999999999").encode(),
        "t.jigdo:2: format version 99999999999 needs a newer program",
    ),
}


@pytest.mark.parametrize("command", ["print-missing", "print-missing-all", "map"])
@pytest.mark.parametrize("name", list(BAD_TEXTS))
def test_a_jigdo_file_that_is_none_is_refused(work: Path, name: str, command: str) -> None:
    content, words = BAD_TEXTS[name]
    Path("t.jigdo").write_bytes(content)
    before = contents(work)
    arguments = READERS["map"] if command == "map" else WANTED

    ended = run(command, *arguments, "-j", "t.jigdo", more=3 * (64 << 20))

    assert_refused(ended, 2 if command == "map" else 3, words)
    assert contents(work) == before


@pytest.mark.parametrize(
    "name", [name for name in BAD_TEXTS if name != "empty" and "random" not in name]
)
def test_what_is_merged_must_be_a_jigdo_file(work: Path, name: str) -> None:
    content, words = BAD_TEXTS[name]
    Path("t.jigdo").write_bytes(content)
    before = contents(work)

    ended = run(
        "make-template", *PAIR, "--merge=t.jigdo", "-r", "quiet", "tree", more=3 * (64 << 20)
    )

    assert_refused(ended, 3, words.replace("t.jigdo", "--merge"))
    assert contents(work) == before


@pytest.mark.parametrize(
    ("command", "status"),
    [
        pytest.param(("print-missing", *WANTED, "-j", "t.jigdo"), 3, id="print-missing"),
        pytest.param(("map", *READERS["map"], "-j", "t.jigdo"), 2, id="map"),
        pytest.param(
            ("make-template", *PAIR, "--merge=t.jigdo", "-r", "quiet", "tree"), 3, id="merge"
        ),
    ],
)
def test_a_jigdo_file_without_end_is_not_read_to_its_end(
    work: Path, command: tuple[str, ...], status: int
) -> None:
    with Path("t.jigdo").open("wb") as out:
        out.truncate(1 << 40)
    before = contents(work)

    ended = run(*command, more=3 * (64 << 20))

    assert_refused(ended, status, "is larger than 67,108,864 bytes")
    assert contents(work) == before


def test_verify_does_without_a_jigdo_file_that_has_no_end(work: Path) -> None:
    Path("old.iso").write_bytes(IMAGE[::-1])
    with Path("t.jigdo").open("wb") as out:
        out.truncate(1 << 40)

    ended = run("verify", *READERS["verify"], more=3 * (64 << 20))

    assert ended.status == 2
    assert f"which should be {md5(ONE).jigdo}" in ended.err


LONG = 60_000  # characters: a line may have them


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(JIGDO + f"[Include{' ' * LONG}x\n", id="Include that does not end"),
        pytest.param(JIGDO + f"[{' ' * LONG}x y\n", id="section that does not end"),
        pytest.param(JIGDO + f"[{'[' * LONG}\n", id="brackets"),
        pytest.param(JIGDO.replace("=1.1", f"={'0' * LONG}x"), id="version of zeros"),
        pytest.param(JIGDO.replace("=1.1", f"=1{'.1' * (LONG // 2)}."), id="version of dots"),
        pytest.param(JIGDO + "'\"" * (LONG // 2) + "=x\n", id="quotes in a key"),
        pytest.param(JIGDO + "x=" + "'\"" * (LONG // 2) + "\n", id="quotes"),
        pytest.param(JIGDO + 'x="' + "\\" * LONG + "\n", id="backslashes"),
        pytest.param(JIGDO + "x=" + "''" * (LONG // 2) + "'\n", id="empty words"),
        pytest.param(JIGDO + "x" + " " * LONG + "\n", id="blanks"),
        pytest.param(JIGDO + "=" * LONG + "\n", id="equals signs"),
    ],
)
@pytest.mark.parametrize("command", ["print-missing", "merge"])
def test_a_long_line_takes_no_time(work: Path, command: str, text: str) -> None:
    Path("t.jigdo").write_text(text)

    if command == "merge":
        ended = run("make-template", *PAIR, "--merge=t.jigdo", "tree")
    else:
        ended = run(command, *READERS[command])

    assert ended.status == 0, ended.err[-300:]


@pytest.mark.parametrize("line", ["a=b\n", "[x]\n"])
@pytest.mark.parametrize("command", ["print-missing", "merge"])
def test_many_lines_take_memory_and_time_within_reason(work: Path, command: str, line: str) -> None:
    """As many as may be, and gzip makes a few bytes of them."""
    Path("t.jigdo").write_bytes(gzip.compress((JIGDO + line * 1_048_000).encode(), 1))

    if command == "merge":
        ended = run("make-template", *PAIR, "--merge=t.jigdo", "tree", more=256 << 20)
    else:
        ended = run(command, *READERS[command], more=256 << 20)

    assert ended.status in {0, 3}, ended.err[-300:]


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        pytest.param(JIGDO.replace("\n", "\r\n").encode(), 0, id="CR LF"),
        pytest.param(b"\xef\xbb\xbf" + JIGDO.encode(), 0, id="BOM"),
        pytest.param(gzip.compress(JIGDO.encode()), 0, id="gzip"),
        pytest.param(JIGDO.rstrip("\n").encode(), 0, id="no LF at the end"),
        pytest.param(JIGDO.encode() + b"[Parts]\nx=\n=\n", 2, id="empty value"),
        pytest.param(JIGDO.encode() + b"A='http://h/\n", 1, id="quote without end"),
        pytest.param(JIGDO.encode() + b"[x\n[]\n[Include http://h/]\n", 3, id="odd sections"),
        pytest.param(JIGDO.encode() + b"\xe9=\xff\xfe\n", 0, id="latin-1"),
        pytest.param(JIGDO.encode() + b"\x1b[2J\n" * 300, 100, id="no sense, 300 times"),
    ],
)
def test_an_odd_jigdo_file_is_read_and_each_odd_line_told(
    work: Path, content: bytes, notes: int
) -> None:
    Path("t.jigdo").write_bytes(content)

    ended = run("print-missing", *READERS["print-missing"])

    assert (ended.status, ended.errors) == (0, notes), ended.err
    assert sorted(ended.out.splitlines()) == [
        b"http://mirror.example/one",
        b"http://mirror.example/two",
    ]


def test_names_in_latin_1_keep_their_bytes(work: Path) -> None:
    Path("t.jigdo").write_bytes(
        JIGDO.replace("Any:one", "Any:caf~").encode().replace(b"~", b"\xe9")
    )

    ended = run("print-missing", *READERS["print-missing"])

    assert b"http://mirror.example/caf\xe9" in ended.out.splitlines()


# What lies there already.


@pytest.mark.parametrize("make", ODD_FILES)
@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "forced"])
def test_whatever_lies_where_an_unfinished_image_goes_stays(
    work: Path, make: Callable[[Path], None], force: tuple[str, ...]
) -> None:
    make(work / "new.iso.tmp")
    before = contents(work)

    ended = run("make-image", *READERS["make-image"], *force)

    assert_refused(ended, 3, "new.iso.tmp ")
    assert contents(work) == before


def test_an_unfinished_image_behind_a_link_is_not_written(work: Path) -> None:
    Path("victim").write_bytes(unfinished(bytes(len(IMAGE))))
    Path("new.iso.tmp").symlink_to("victim")
    before = contents(work)

    ended = run("make-image", *READERS["make-image"])

    assert_refused(ended, 3, "new.iso.tmp ")
    assert contents(work) == before


@pytest.mark.parametrize("make", ODD_FILES)
def test_print_missing_never_waits_for_an_unfinished_image(
    work: Path, make: Callable[[Path], None]
) -> None:
    make(work / "new.iso.tmp")

    ended = run("print-missing", *READERS["print-missing"])

    assert ended.status in {0, 3}
    assert ended.errors == (0 if make is dangling else 1), ended.err


LIES = {
    "says it has all": unfinished(bytes(len(IMAGE)), 1, 3, 4),
    "has all, wrong": unfinished(noise(len(IMAGE)), 1, 3, 4),
    "has all, says nothing": unfinished(IMAGE),
}


@pytest.mark.parametrize("name", list(LIES))
def test_an_unfinished_image_is_not_believed(work: Path, name: str) -> None:
    Path("new.iso.tmp").write_bytes(LIES[name])

    ended = run("make-image", *READERS["make-image"])

    assert_made(ended)


# As long as one whose run was stopped at its begin or end.
SILENT = {
    "cut": unfinished(noise(len(IMAGE)), 1, 3, 4)[:-1],
    "length 2^47": noise(len(IMAGE)) + b"DESC" + u48(1 << 47),
    "length of nothing": noise(len(IMAGE)) + b"DESC" + u48(0),
    "noise": noise(len(IMAGE)),
}


@pytest.mark.parametrize("name", list(SILENT))
def test_a_file_that_does_not_say_what_it_has_becomes_the_image_or_stays(
    work: Path, name: str
) -> None:
    Path("new.iso.tmp").write_bytes(SILENT[name])
    before = contents(work)

    ended = run("make-image", *READERS["make-image"])

    if ended.status:
        assert_refused(ended, 3, "new.iso.tmp")
        assert contents(work) == before
        ended = run("make-image", *READERS["make-image"], "--force")
    assert_made(ended)


STALE = {
    "too short": unfinished(bytes(100)),
    "another": bytes(10) + desc(unmatched(10), image_entry(bytes(10))),
    "too long": unfinished(noise(30_000)),
    "length beyond": noise(30_000) + b"DESC" + u48(1 << 23),
    "unknown type": IMAGE + desc(*RUNS, part_entry(ONE, 11), image_entry()),
    "noise": noise(30_000),
    "text": b"precious\n" * 100,
}


@pytest.mark.parametrize("name", list(STALE))
def test_another_unfinished_image_is_replaced_with_force_alone(work: Path, name: str) -> None:
    Path("new.iso.tmp").write_bytes(STALE[name])
    before = contents(work)

    refused = run("make-image", *READERS["make-image"])
    kept = contents(work)
    forced = run("make-image", *READERS["make-image"], "--force")

    assert_refused(refused, 3, "new.iso.tmp")
    assert kept == before
    assert_made(forced)


def test_an_unfinished_image_without_end_is_refused(work: Path) -> None:
    with Path("new.iso.tmp").open("wb") as out:
        out.truncate(1 << 40)

    made = run("make-image", *READERS["make-image"])
    printed = run("print-missing", *READERS["print-missing"])

    assert_refused(made, 3, "new.iso.tmp: no unfinished image")
    assert (printed.status, printed.errors) == (0, 1)


@pytest.mark.parametrize("make", ODD_FILES)
def test_whatever_lies_where_the_image_goes_stays(work: Path, make: Callable[[Path], None]) -> None:
    make(work / "new.iso")
    before = contents(work)

    ended = run("make-image", *READERS["make-image"])

    assert_refused(ended, 3, "new.iso is there already")
    assert contents(work) == before


@pytest.mark.parametrize("make", [make for make in ODD_FILES if make.values[0] is not folder])
def test_force_replaces_what_lies_where_the_image_goes(
    work: Path, make: Callable[[Path], None]
) -> None:
    make(work / "new.iso")

    ended = run("make-image", *READERS["make-image"], "--force")

    assert_made(ended)


def test_force_replaces_no_folder(work: Path) -> None:
    Path("new.iso").mkdir()
    before = contents(work)

    ended = run("make-image", *READERS["make-image"], "--force")

    assert_refused(ended, 3, "new.iso")
    assert contents(work) == before


@pytest.mark.parametrize("make", ODD_FILES)
@pytest.mark.parametrize("name", [".new.template.new", ".new.jigdo.new", ".new.svg.new"])
def test_what_lies_where_an_output_is_written_first_is_never_waited_for(
    work: Path, name: str, make: Callable[[Path], None]
) -> None:
    make(work / name)

    if "svg" in name:
        ended = run("map", *READERS["map"])
    else:
        ended = run("make-template", *PAIR, "-r", "quiet", "tree")

    assert ended.status in {0, 3}
    assert not os.path.lexists("nowhere")
    assert (ended.status == 0) == (Path("new.svg").exists() or Path("new.template").exists())


CACHE_MARK = 0x6A646463
CACHE_TABLE = """CREATE TABLE digests (file TEXT NOT NULL, algorithm TEXT NOT NULL,
stamp TEXT NOT NULL, value BLOB NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (file, algorithm))
WITHOUT ROWID;"""
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"


def cache_of(script: str) -> Callable[[Path], None]:
    """What makes a file that bears the mark of our caches, and holds what ``script`` says."""

    def make(path: Path) -> None:
        with closing(sqlite3.connect(path)) as database:
            database.executescript(script)
            database.execute(f"PRAGMA application_id = {CACHE_MARK}")

    return make


def damaged(path: Path) -> None:
    cache_of(CACHE_TABLE)(path)
    path.write_bytes(path.read_bytes()[:100] + noise(8000))


@pytest.mark.parametrize(
    "make",
    [
        *(each for each in ODD_FILES if each.values[0] is not dangling),
        pytest.param(lambda path: path.write_bytes(noise(5000)), id="noise"),
        pytest.param(lambda path: path.write_bytes(b"SQLite format 3\0"), id="cut"),
        pytest.param(damaged, id="damaged"),
        pytest.param(cache_of("CREATE TABLE digests (x)"), id="another table"),
        pytest.param(
            cache_of(f"CREATE VIEW digests AS {ENDLESS} x AS file, x AS used FROM c"),
            id="endless view",
        ),
        pytest.param(
            cache_of(
                f"{CACHE_TABLE} CREATE TRIGGER t AFTER INSERT ON digests BEGIN"
                f" SELECT count(*) FROM ({ENDLESS} x FROM c); END"
            ),
            id="endless trigger",
        ),
    ],
)
def test_a_cache_that_is_none_of_ours_is_told_and_stops_nothing(
    work: Path, make: Callable[[Path], None]
) -> None:
    make(work / "cache")

    ended = run("md5sum", "--cache=cache", "tree")

    assert (ended.status, ended.errors) == (0, 1), ended.err
    assert "cache" in ended.err
    assert ended.out.splitlines() == [
        f"{md5(ONE).jigdo}  tree/one".encode(),
        f"{md5(TWO).jigdo}  tree/two".encode(),
    ]


@pytest.mark.parametrize("name", ["none/cache", "tree/one/cache", "/dev/zero", "x" * 300])
def test_a_cache_that_cannot_be_is_told_and_stops_nothing(work: Path, name: str) -> None:
    ended = run("md5sum", f"--cache={name}", "tree")

    assert (ended.status, ended.errors) == (0, 1), ended.err
    assert ended.out.count(b"\n") == 2


def test_a_cache_in_a_folder_without_permission_is_told_and_stops_nothing(work: Path) -> None:
    Path("locked").mkdir(mode=0o500)

    ended = jigdo_file("md5sum", "--cache=locked/cache", "tree", cwd=work, before=UNPRIVILEGED)

    assert (ended.status, ended.errors) == (0, 1), ended.err
    assert "locked/cache: " in ended.err
    assert ended.out.count(b"\n") == 2


def test_a_damaged_cache_of_all_commands_is_told_by_none(work: Path) -> None:
    state = work.parent / "state"
    state.mkdir()
    damaged(state / "digests.sqlite")

    ended = run("md5sum", "tree")

    assert ended.status == 0
    assert ended.out.count(b"\n") == 2


# Hostile images.

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


# Hostile trees.


@pytest.fixture
def odd_tree(work: Path) -> Path:
    """Files of odd names between all that is no file; some folders are too deep for a path."""
    tree = work / "tree"
    for make in (fifo, dangling, link_to_itself, link_to_zeros):
        make(tree / make.__name__)
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind("tree/socket")
    (tree / "loop").symlink_to(".")
    (tree / "above").symlink_to("../tree")
    (tree / "memory").symlink_to("/proc/self/mem")
    for name in (b"\xff\r", b"\x1b[31m", b" '\"\\#", b"-rf"):
        (tree / os.fsdecode(name)).write_bytes(noise(3000, name))
    at = os.open(tree, os.O_RDONLY)
    for _ in range(21):
        os.mkdir("d" * 200, dir_fd=at)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("deep", os.O_WRONLY | os.O_CREAT, dir_fd=at))
    os.close(at)
    return tree


@pytest.mark.parametrize("command", ["md5sum", "scan"])
def test_all_files_of_an_odd_tree_are_found_once(odd_tree: Path, command: str) -> None:
    ended = run(command, "tree")

    assert ended.status == 0
    assert ended.out.count(b"\n") == (6 if command == "md5sum" else 0)
    # The folder that is too deep and two links that lead nowhere, each told once.
    assert ended.errors == 3, ended.err


def test_a_pair_of_an_odd_tree_gives_the_image_back(odd_tree: Path) -> None:
    image = b"".join(path.read_bytes() for path in sorted(odd_tree.iterdir()) if _is_plain(path))
    Path("old.iso").write_bytes(image)

    made = run("make-template", *PAIR, "tree//")
    rebuilt = run("make-image", "-t", "new.template", "-i", "new.iso", "tree")

    assert made.status == 0, made.err
    assert "17,000 are in 5 files" in made.err  # the smallest is spared: see make_template
    assert_made(rebuilt, image)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def test_a_name_with_a_line_feed_is_told_and_left_out(work: Path) -> None:
    name = f"a\n{md5(b'').jigdo}=http://evil/"
    Path("tree", name).mkdir(parents=True)
    Path("tree", name, "x").write_bytes(noise(3000))
    Path("old.iso").write_bytes(noise(3000) + ONE)

    made = run("make-template", *PAIR, "--match=content", "tree//")
    rebuilt = run("make-image", "-t", "new.template", "-i", "new.iso", "tree")

    assert (made.status, made.errors) == (0, 1), made.err
    assert f"tree/a\\x0a{md5(b'').jigdo}=" in made.err
    assert b"evil" not in Path("new.jigdo").read_bytes()
    assert_made(rebuilt, noise(3000) + ONE)


def test_unreadable_folders_and_files_are_told_and_passed_over(work: Path) -> None:
    for name in ("tree/locked", "tree/closed"):
        Path(name).mkdir()
        Path(name, "one").write_bytes(ONE)
    Path("tree/secret").write_bytes(TWO)
    Path("tree/locked").chmod(0)
    Path("tree/closed").chmod(0o400)  # may be listed, not entered
    Path("tree/secret").chmod(0)

    ended = jigdo_file("md5sum", "tree", cwd=work, before=UNPRIVILEGED)
    made = jigdo_file("mi", *READERS["make-image"], cwd=work, before=UNPRIVILEGED)

    assert ended.status == 0
    assert ended.out.count(b"\n") == 2
    assert ended.errors == 3, ended.err
    assert_made(made)


@pytest.fixture
def restless(work: Path) -> Iterator[Path]:
    """A file of 2 to 4 MB that grows, shrinks and changes all the time."""
    path = work / "tree/restless"
    path.write_bytes(noise(4 << 20))
    stopped = threading.Event()

    def change() -> None:
        chance = random.Random(0)
        with path.open("r+b", buffering=0) as out:
            while not stopped.is_set():
                os.truncate(path, chance.randrange(2 << 20, 4 << 20))
                out.seek(chance.randrange(4 << 20))
                out.write(noise(5000))

    changing = threading.Thread(target=change)
    changing.start()
    yield path
    stopped.set()
    changing.join()


def test_a_tree_that_changes_meanwhile_does_no_harm(restless: Path) -> None:
    """Whatever the pair says of that file, the parts that are right give the image back."""
    image = noise(4 << 20) + ONE
    Path("old.iso").write_bytes(image)
    Path("tree/copy").write_bytes(noise(4 << 20))

    made = run("make-template", *PAIR, "tree")
    rebuilt = run("make-image", "-t", "new.template", "-i", "new.iso", "tree")
    summed = run("md5sum", "tree")

    assert made.status == 0, made.err
    assert_made(rebuilt, image)
    assert summed.status == 0, summed.err


def test_an_image_that_changes_meanwhile_is_never_taken_for_right(restless: Path) -> None:
    ended = run("make-template", "-i", "tree/restless", *PAIR[2:], "-r", "quiet", "tree/one")
    verified = run("verify", "-i", "tree/restless", "-t", "t.template")

    assert ended.status in {0, 1, 3}
    assert ended.errors <= 2
    assert verified.status == 2
