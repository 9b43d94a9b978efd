"""Releases that mean harm, and odd ones that do not, through the real program."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import os
import shutil
import subprocess
import zlib
from typing import TYPE_CHECKING

import pytest
from builders import noise
from program import PROGRAM, Ended

from release_builder.digests import Digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.interop

LIMIT = 10  # seconds that any of these may take
HEADER = b"JigsawDownload template 1.2 test/1\r\nany words\r\n\r\n"
NAME = "smeserver-1.0-x86_64.iso"
ONE, TWO = noise(5000, "one"), noise(2000, "two")
GAP = noise(3000, "gap")
IMAGE = GAP[:1000] + ONE + GAP[1000:] + TWO + ONE


def u48(number: int) -> bytes:
    return number.to_bytes(6, "little")


def md5(data: bytes) -> Digest:
    return Digest("md5", hashlib.md5(data).digest())


def unmatched(length: int) -> bytes:
    return b"\x02" + u48(length)


def part_entry(content: bytes, kind: int = 6, length: int | None = None) -> bytes:
    """The entry of a part; ``length`` lies about it."""
    rsync_sum = b"" if kind == 3 else bytes(8)
    value = hashlib.sha256(content).digest() if kind == 9 else md5(content).value
    return bytes([kind]) + u48(len(content) if length is None else length) + rsync_sum + value


def image_entry(
    content: bytes = IMAGE, kind: int = 5, length: int | None = None, block: int = 1024
) -> bytes:
    value = hashlib.sha256(content).digest() if kind == 8 else md5(content).value
    whole = bytes([kind]) + u48(len(content) if length is None else length) + value
    return whole if kind == 1 else whole + block.to_bytes(4, "little")


def desc(*entries: bytes) -> bytes:
    length = u48(16 + len(b"".join(entries)))
    return b"DESC" + length + b"".join(entries) + length


def data(stream: bytes, unpacked: int, kind: bytes = b"DATA") -> bytes:
    return kind + u48(16 + len(stream)) + u48(unpacked) + stream


RUNS = (
    unmatched(1000),
    part_entry(ONE),
    unmatched(2000),
    part_entry(TWO),
    part_entry(ONE),
)
DATA = data(zlib.compress(GAP), len(GAP))
DESC = desc(*RUNS, image_entry())
TEMPLATE = HEADER + DATA + DESC
IMAGE_SECTION = f"[Jigdo]\nVersion=1.1\n[Image]\nFilename={NAME}\nTemplate=t.template\n"
SERVERS = "[Servers]\nAny=http://mirror.example/\n"
PARTS = {"RPMS/one.rpm": ONE, "RPMS/two.rpm": TWO}


def parts_section(one: str = "Any:RPMS/one.rpm") -> str:
    return f"[Parts]\n{md5(ONE).jigdo}={one}\n{md5(TWO).jigdo}=Any:RPMS/two.rpm\n"


JIGDO = IMAGE_SECTION + parts_section() + SERVERS


def lay_out(
    root: Path,
    *,
    template: bytes = TEMPLATE,
    jigdo: str | bytes = JIGDO,
    parts: dict[str, bytes] | None = None,
) -> Path:
    """A release as a mirror has it, in ``root``."""
    pair, tree = root / "iso/x86_64", root / "smeos/x86_64"
    pair.mkdir(parents=True)
    (pair / "t.template").write_bytes(template)
    content = jigdo if isinstance(jigdo, bytes) else jigdo.encode("utf-8", "surrogateescape")
    (pair / "smeserver-1.0-x86_64.jigdo").write_bytes(content)
    for name, part in (PARTS if parts is None else parts).items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part)
    return root


def run(workdir: Path, *arguments: str | Path, mirror: Path | None = None) -> Ended:
    """The program, in time, without a traceback and without a control character."""
    descriptor = workdir / "any.yaml"
    descriptor.write_text(
        f"version: 1.0\narch: x86_64\nmirror: {mirror or 'none/'}\nworkdir: .\n"
        "servers: {Any: {beta: 'http://h/b/', final: 'http://h/f/'}}\n"
    )
    ended = subprocess.run(
        [*PROGRAM, *map(str, arguments), str(descriptor)],
        cwd=workdir,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=LIMIT,
    )
    said = (ended.stdout + ended.stderr).decode("utf-8", "surrogateescape")
    assert "Traceback" not in said
    assert "\x1b" not in said
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def assemble(workdir: Path, *more: str | Path) -> Ended:
    return run(workdir, "assemble", "--offline", *more)


def build(workdir: Path, mirror: Path) -> Ended:
    return run(workdir, "build", mirror=mirror)


def outside(workdir: Path) -> dict[Path, bytes | None]:
    """All files beside the workdir and the state, with their bytes."""
    ours = (workdir, workdir.parent / "state")
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in workdir.parent.rglob("*")
        if not any(path.is_relative_to(each) for each in ours)
    }


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file outside, with the bytes of a part."""
    path = tmp_path / "secret"
    path.write_bytes(ONE)
    return path


def image_of(workdir: Path) -> Path:
    return workdir / "image" / NAME


def assert_right(ended: Ended, workdir: Path, image: bytes = IMAGE) -> None:
    assert ended.status == 0, ended.stdout + ended.stderr
    assert image_of(workdir).read_bytes() == image
    assert sorted(path.name for path in (workdir / "image").iterdir()) == [NAME]


def assert_refused(ended: Ended, workdir: Path, status: int, words: str) -> None:
    """One error that says ``words``, and nothing under the image's name."""
    assert ended.status == status, ended.stdout + ended.stderr
    assert words in ended.stderr
    assert ended.stderr.count("error:") == 1
    assert not os.path.lexists(image_of(workdir))


BOMB = zlib.compress(bytes(300_000_000), 9)
SMALL = desc(unmatched(10), image_entry(GAP[:10]))


@pytest.mark.parametrize(
    ("template", "words"),
    [
        # 1: the frame
        pytest.param(TEMPLATE[:-1], "cut short or damaged", id="cut by 1"),
        pytest.param(TEMPLATE[:-40], "cut short or damaged", id="cut by 40"),
        pytest.param(b"", "is not a jigdo template", id="empty"),
        pytest.param(HEADER, "too short", id="header only"),
        pytest.param(TEMPLATE[:-6] + u48(1 << 47), "damaged", id="trailing length 2^47"),
        pytest.param(TEMPLATE[:-6] + u48(20), "begin with DESC", id="trailing length 20"),
        pytest.param(
            TEMPLATE.replace(DESC[:10], b"DESC" + u48(99)), "but says 99", id="leading length"
        ),
        # 2: the data
        pytest.param(HEADER + data(BOMB, 10) + SMALL, "more than the claimed 10", id="zip bomb"),
        pytest.param(HEADER + data(BOMB, 1 << 47) + SMALL, "claim 140,737", id="claim 2^47"),
        pytest.param(HEADER + b"DATA" + u48(0) + u48(3000) + DESC, "cannot be right", id="part 0"),
        pytest.param(HEADER + data(b"x" * 99, 3000) + DESC, "is broken", id="zlib"),
        pytest.param(HEADER + data(b"x" * 99, 3000, b"BZIP") + DESC, "is broken", id="bzip2"),
        pytest.param(HEADER + data(b"x" * 99, 3000, b"LZMA") + DESC, "no kind of", id="other part"),
        pytest.param(
            HEADER + data(zlib.compress(GAP[:-1]), 3000) + DESC, "holds 2,999", id="data short"
        ),
        pytest.param(
            HEADER + data(zlib.compress(GAP + b"x"), 3000) + DESC, "more than", id="data long"
        ),
        # 3, 4: the whole
        pytest.param(
            HEADER + DATA + desc(*RUNS, image_entry(length=1)), "has 1", id="image length"
        ),
        pytest.param(HEADER + DATA + desc(*RUNS), "no entry for the image", id="no image"),
        pytest.param(
            HEADER + DATA + desc(image_entry(), *RUNS), "must be the last", id="image first"
        ),
        pytest.param(
            HEADER + DATA + desc(*RUNS, image_entry(), image_entry()), "last", id="two images"
        ),
        pytest.param(
            HEADER + DATA + desc(*RUNS, image_entry(bytes(13_000), length=15_000)),
            "though every part is right",
            id="image digest",
        ),
        pytest.param(
            HEADER
            + DATA
            + desc(unmatched(3000), part_entry(ONE, length=6000), image_entry(length=9000)),
            "found 5,000 bytes",
            id="length of a part",
        ),
        # 5: huge counts
        pytest.param(
            HEADER + DATA + desc(unmatched(1 << 40), image_entry(length=1 << 40)),
            "claim 3,000 bytes, but the image needs 1,099,511,627,776",
            id="unmatched 1 TiB",
        ),
        pytest.param(
            HEADER + DATA + desc(*[unmatched((1 << 48) - 1)] * 65537, image_entry(length=65535)),
            "18,447,025,548,686,196,735 bytes, but",
            id="65537 x 2^48",
        ),
        # 6: types
        *(
            pytest.param(
                HEADER + DATA + desc(*RUNS, part_entry(ONE, kind), image_entry()),
                words,
                id=f"type {kind}",
            )
            for kind, words in (
                (4, "unfinished images"),
                (7, "unfinished images"),
                (10, "unfinished images"),
                (11, "unknown type 11"),
                (0, "unknown type 0"),
            )
        ),
        pytest.param(
            HEADER + DATA + desc(*RUNS, image_entry(block=0)), "block length of 0", id="blockLen 0"
        ),
        pytest.param(
            HEADER + DATA + desc(*RUNS, image_entry(kind=8)),
            "the image by sha256",
            id="mixed types",
        ),
        # 11: versions
        pytest.param(TEMPLATE.replace(b" 1.2 ", b" 3.0 "), "needs a newer", id="version 3"),
        pytest.param(TEMPLATE.replace(b"\r\n", b"\n"), "CR LF", id="fetched as text"),
    ],
)
def test_a_hostile_template_is_refused(workdir: Path, template: bytes, words: str) -> None:
    lay_out(workdir / "tree", template=template)
    before = outside(workdir)

    ended = assemble(workdir)

    assert_refused(ended, workdir, 2, words)
    assert outside(workdir) == before


def test_an_image_that_no_disk_has_room_for(workdir: Path) -> None:
    length = 1 << 47
    entries = (unmatched(3000), part_entry(ONE, length=length - 3000), image_entry(length=length))
    lay_out(workdir / "tree", template=HEADER + DATA + desc(*entries))

    ended = assemble(workdir)

    assert_refused(ended, workdir, 3, "the image still needs 140,737,488,355,328 bytes")


@pytest.mark.parametrize(
    ("jigdo", "status", "words"),
    [
        # 7, 8: names
        *(
            pytest.param(
                IMAGE_SECTION + parts_section(location), 2, "would lead out", id=f"part {location}"
            )
            for location in ("Any:../../../../secret", "Any:RPMS/../../x")
        ),
        pytest.param(JIGDO.replace("t.template", ".."), 2, "lead out", id="template .."),
        pytest.param(JIGDO.replace("t.template", "http://h/"), 2, "lead out", id="template folder"),
        pytest.param(
            JIGDO.replace("t.template", "../../../secret"), 1, "its template is not", id="template"
        ),
        pytest.param(
            JIGDO.replace("t.template", ""), 1, "its template is not", id="template not named"
        ),
        # 10: the text
        pytest.param(b"", 2, "no [Image] section", id="empty"),
        pytest.param(noise(5000), 2, "no .jigdo file", id="random bytes"),
        pytest.param(JIGDO + "# \0\n", 2, "a line with a NUL", id="NUL"),
        pytest.param(JIGDO + "#" * 20_000_000, 2, "more than 65,536 bytes", id="line of 20 MB"),
        pytest.param(gzip.compress(bytes(300_000_000)), 2, "larger than", id="gzip bomb"),
        pytest.param(gzip.compress(JIGDO.encode())[:-9], 2, "gzip stream is broken", id="gzip cut"),
        # 11: versions
        *(
            pytest.param(
                JIGDO.replace("Version=1.1", f"Version={version}"),
                2,
                "needs a newer program",
                id=f"version {version}",
            )
            for version in ("3", "99999999999", "2147483648.1")
        ),
        pytest.param(
            JIGDO.replace("t.template", f"t.template\nTemplate-MD5Sum={md5(b'').jigdo}"),
            2,
            "is not the template that",
            id="template digest",
        ),
    ],
)
def test_a_hostile_jigdo_is_refused(
    workdir: Path, secret: Path, jigdo: str | bytes, status: int, words: str
) -> None:
    lay_out(workdir / "tree", jigdo=jigdo)
    before = outside(workdir)

    ended = assemble(workdir)

    assert_refused(ended, workdir, status, words)
    assert outside(workdir) == before


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("{}", id="absolute"),
        pytest.param("Any:{}", id="absolute behind a label"),
        pytest.param("file:{}", id="file"),
        pytest.param("file://{}", id="file URL"),
        pytest.param("Local:secret", id="server that is a folder here"),
    ],
)
def test_a_file_outside_is_never_a_part(workdir: Path, secret: Path, location: str) -> None:
    servers = f"[Servers]\nLocal=file:{secret.parent}/\nLocal=file://{secret.parent}/\n"
    jigdo = IMAGE_SECTION + parts_section(location.format(secret)) + servers
    lay_out(workdir / "tree", jigdo=jigdo, parts={"RPMS/two.rpm": TWO})

    ended = assemble(workdir)

    assert_refused(ended, workdir, 1, "missing: ")


@pytest.mark.parametrize("name", ["RPMS/one.rpm", "other"])
def test_a_link_that_leads_out_of_the_tree_is_no_part(
    workdir: Path, secret: Path, name: str
) -> None:
    lay_out(workdir / "tree", parts={"RPMS/two.rpm": TWO})
    (workdir / "tree/smeos/x86_64" / name).symlink_to(secret)

    ended = assemble(workdir)

    assert_refused(ended, workdir, 1, "missing: RPMS/one.rpm")


def test_a_link_on_the_mirror_leads_nowhere_here(
    workdir: Path, tmp_path: Path, secret: Path
) -> None:
    mirror = lay_out(tmp_path / "mirror", parts={"RPMS/two.rpm": TWO})
    (mirror / "smeos/x86_64/RPMS/one.rpm").symlink_to(secret)
    (mirror / "smeos/x86_64/etc").symlink_to("/etc")

    ended = build(workdir, mirror)

    assert_refused(ended, workdir, 1, "missing: RPMS/one.rpm")


def test_what_is_no_file_makes_nobody_wait(workdir: Path, tmp_path: Path) -> None:
    lay_out(workdir / "tree", parts={"RPMS/two.rpm": TWO})
    os.mkfifo(workdir / "tree/smeos/x86_64/RPMS/one.rpm")
    scanned = tmp_path / "scanned"
    scanned.mkdir()
    os.mkfifo(scanned / "fifo")
    (scanned / "zero").symlink_to("/dev/zero")
    (scanned / "loop").symlink_to("loop")
    (scanned / "up").symlink_to("..")

    short = assemble(workdir, "--scan", scanned)
    made_early = image_of(workdir).exists()
    (scanned / "renamed").write_bytes(ONE)
    whole = assemble(workdir, "--scan", scanned)

    assert (short.status, made_early) == (1, False)
    assert "missing: RPMS/one.rpm" in short.stderr
    assert_right(whole, workdir)


def linked(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def dangling(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("nowhere"))


def folder(path: Path, _victim: Path) -> None:
    path.mkdir()
    (path / "something").write_bytes(b"")


def fifo(path: Path, _victim: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "suffix"),
    [
        *(pytest.param(make, "", id=make.__name__) for make in (linked, dangling, fifo, folder)),
        *(
            pytest.param(make, ".partial", id=f"{make.__name__}, unfinished")
            for make in (linked, dangling, fifo, folder)
        ),
    ],
)
def test_whatever_stands_in_the_images_place_is_not_written_through(
    workdir: Path, secret: Path, make: Callable[[Path, Path], None], suffix: str
) -> None:
    lay_out(workdir / "tree")
    (workdir / "image").mkdir()
    make(image_of(workdir).with_name(NAME + suffix), secret)
    before = outside(workdir)

    ended = assemble(workdir)

    assert_right(ended, workdir)
    assert not image_of(workdir).is_symlink()
    assert outside(workdir) == before


def test_a_right_image_behind_a_link_is_made_anew(workdir: Path, tmp_path: Path) -> None:
    """What the link leads to may change under the name."""
    lay_out(workdir / "tree")
    (workdir / "image").mkdir()
    (tmp_path / "elsewhere").write_bytes(IMAGE)
    image_of(workdir).symlink_to(tmp_path / "elsewhere")

    ended = assemble(workdir)

    assert_right(ended, workdir)
    assert not image_of(workdir).is_symlink()


def test_names_with_control_characters_stay_harmless(workdir: Path, tmp_path: Path) -> None:
    """On the mirror, in the .jigdo, in a finding."""
    odd = "\x1b[31mred\x07.rpm"
    jigdo = (
        IMAGE_SECTION + parts_section(f"Any:{odd}") + "[Servers]\n\x1b]0;x\x07=http://\x1b[2J/\n"
        "[\x1b[5m]\nno sense \x1b[7m\n"
    )
    mirror = lay_out(tmp_path / "mirror", jigdo=jigdo, parts={odd: ONE})

    built = run(workdir, "build", "-v", mirror=mirror)
    planned = run(workdir, "plan", "-v", "--workdir", "other", mirror=mirror)
    shutil.rmtree(workdir / "image")
    (workdir / "tree/smeos/x86_64" / odd).write_bytes(ONE[::-1])
    wrong = run(workdir, "assemble", "--offline")

    assert (built.status, planned.status, wrong.status) == (1, 0, 2)
    assert "missing: " in built.stderr
    assert "\\x1b[31mred\\x07.rpm is not what [Parts] says" in wrong.stderr


def test_json_has_no_control_characters_either(workdir: Path) -> None:
    lay_out(workdir / "tree", jigdo=IMAGE_SECTION + parts_section("Any:\x1b[31m"), parts={})

    ended = run(workdir, "assemble", "--offline", "--json")

    assert ended.status == 1
    assert "missing: \\x1b[31m" in ended.messages()


CHAIN = "".join(f"L{i}=L{i + 1}:\n" for i in range(60_000))
DOUBLING = "".join(f"L{i}=L{i + 1}:a\nL{i}=L{i + 1}:b\n" for i in range(25))


@pytest.mark.parametrize(
    "jigdo",
    [
        # 8: names for the image are the descriptor's matter
        *(
            pytest.param(JIGDO.replace(f"Filename={NAME}", f"Filename={name}"), id=f"image {name}")
            for name in ("../../esc.iso", "/esc.iso", "'o $(touch PWN) x.iso'", "-o.iso", "..")
        ),
        pytest.param(
            JIGDO.replace("t.template", "http://localhost/../t.template"), id="template by its leaf"
        ),
        # 9: labels
        pytest.param(JIGDO + "Any=B:\nB=Any:\n", id="label loop"),
        pytest.param(JIGDO + "Any=Any:x/\n", id="label of itself"),
        pytest.param(JIGDO + CHAIN, id="chain of 60,000 labels"),
        pytest.param(JIGDO + DOUBLING, id="2^25 alternatives"),
        # 10: the text
        pytest.param(JIGDO.replace("\n", "\r\n"), id="CR LF"),
        pytest.param("\ufeff" + JIGDO, id="BOM"),
        pytest.param("\ufeff" + JIGDO.replace("\n", "\r\n"), id="BOM and CR LF"),
        pytest.param(gzip.compress(JIGDO.encode()), id="gzip"),
        pytest.param(JIGDO.rstrip("\n"), id="no LF at the end"),
        pytest.param(JIGDO + "[Parts]\nx=\n=\nAAAAAAAAAAAAAAAAAAAAAA=\n", id="empty values"),
        pytest.param(JIGDO + "[Parts]\nx='\nAAAAAAAAAAAAAAAAAAAAAA='a b\n", id="quote without end"),
        pytest.param(JIGDO + "[Include http://h/x.jigdo]\n[x\n[]\n", id="odd sections"),
    ],
)
def test_an_odd_jigdo_gives_the_right_image(workdir: Path, jigdo: str | bytes) -> None:
    lay_out(workdir / "tree", jigdo=jigdo)
    before = outside(workdir)

    ended = assemble(workdir)
    rewritten = run(workdir, "rewrite", "--offline")

    assert_right(ended, workdir)
    assert rewritten.status == 0, rewritten.stderr
    assert outside(workdir) == before


def test_names_in_latin_1_are_found(workdir: Path, tmp_path: Path) -> None:
    name = b"caf\xe9 #1.rpm".decode("utf-8", "surrogateescape")
    jigdo = IMAGE_SECTION + parts_section(f"'Any:{name}'") + SERVERS
    mirror = lay_out(tmp_path / "mirror", jigdo=jigdo, parts={name: ONE, "RPMS/two.rpm": TWO})

    ended = build(workdir, mirror)

    assert_right(ended, workdir)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("[servers]\nX=http://h/\n", "it is spelt [Servers]", id="lower-case section"),
        pytest.param("[Parts]\nno digest=Any:x\n", "is no digest of a part", id="no digest"),
        pytest.param("[Servers\n", "a broken [section] line is ignored", id="broken section"),
    ],
)
def test_lines_that_say_nothing_are_noted(workdir: Path, line: str, words: str) -> None:
    lay_out(workdir / "tree", jigdo=JIGDO + line)

    ended = run(workdir, "rewrite", "--offline", "-v")

    assert ended.status == 0
    assert words in ended.stderr


ZEROS = bytes(30_000_000)
SHORT = noise(300, "short")


@pytest.mark.parametrize(
    ("template", "image", "parts"),
    [
        pytest.param(
            HEADER + DATA + desc(*RUNS, image_entry(block=(1 << 32) - 1)), IMAGE, {}, id="blockLen"
        ),
        pytest.param(
            HEADER
            + data(zlib.compress(GAP), 3000)
            + desc(unmatched(3000), part_entry(SHORT), image_entry(GAP + SHORT)),
            GAP + SHORT,
            {"short": SHORT},
            id="part shorter than a block, as libjte has it",
        ),
        pytest.param(
            HEADER + DATA + desc(unmatched(3000), part_entry(ONE, 3), image_entry(GAP + ONE, 1)),
            GAP + ONE,
            {},
            id="types of before 0.6.3",
        ),
        pytest.param(
            HEADER.replace(b"1.2", b"2.0")
            + DATA
            + desc(unmatched(3000), part_entry(ONE, 9), image_entry(GAP + ONE, 8)),
            GAP + ONE,
            {},
            id="SHA-256",
        ),
        pytest.param(
            HEADER
            + data(zlib.compress(GAP[:1]), 1)
            + data(zlib.compress(b""), 0)
            + data(bz2.compress(GAP[1:]), 2999, b"BZIP")
            + desc(unmatched(0), *RUNS, unmatched(0), image_entry()),
            IMAGE,
            {},
            id="empty runs, empty data, zlib and bzip2",
        ),
        pytest.param(
            HEADER + desc(part_entry(ONE), part_entry(TWO), image_entry(ONE + TWO)),
            ONE + TWO,
            {},
            id="no unmatched bytes at all",
        ),
        pytest.param(
            HEADER
            + data(bytes.fromhex("78da030000000001"), 0)
            + desc(part_entry(ONE), image_entry(ONE)),
            ONE,
            {},
            id="no unmatched bytes, as jigdo-file has it",
        ),
        pytest.param(
            HEADER
            + data(zlib.compress(ZEROS, 9), len(ZEROS))
            + desc(unmatched(len(ZEROS)), image_entry(ZEROS)),
            ZEROS,
            {},
            id="30 MB in one part of 29 kB",
        ),
        pytest.param(HEADER + desc(image_entry(b"")), b"", {}, id="an image of 0 bytes"),
    ],
)
def test_an_odd_template_gives_the_right_image(
    workdir: Path, template: bytes, image: bytes, parts: dict[str, bytes]
) -> None:
    lay_out(workdir / "tree", template=template, parts={**PARTS, **parts})

    ended = assemble(workdir)

    assert_right(ended, workdir, image)
