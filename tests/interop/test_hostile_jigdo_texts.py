""".jigdo files without sense, measure or end."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import noise
from hostile import (
    HEADER,
    IMAGE,
    IMAGE_SECTION,
    JIGDO,
    ONE,
    contents,
    desc,
    image_entry,
    md5,
    part_entry,
    parts_section,
)
from hostile_pairs import PAIR, READERS, WANTED, assert_refused, run

if TYPE_CHECKING:
    from release_builder.digests import Digest

pytestmark = pytest.mark.interop

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
    "empty": (b"", "t.jigdo: no .jigdo file: it has no [Image]"),
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
