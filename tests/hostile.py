"""Bytes that mean harm: templates and .jigdo files field by field, images no program writes.

And the programs under test in a process of their own that may take only so much.
"""

from __future__ import annotations

import binascii
import hashlib
import io
import os
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pycdlib
from builders import noise
from iso_builder import (
    FOLDER,
    PX,
    ROOT,
    SECTOR,
    continued,
    descriptor,
    entry,
    folder,
    image,
    record,
    sharing,
)

from release_builder.digests import Digest
from release_builder.jigdo.entries import parse_description
from release_builder.jigdo.unfinished import format_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LOOK_ALIKE = "release-builder-jigdo-file"
_SECONDS = 90  # that any run may take
_ADDRESSES = 400 << 20  # bytes
_LONGEST_FILE = 64 << 20  # bytes
_PEAK = 64 << 20  # bytes of memory that may be in use; numpy, rich and Jinja2 take half of it

# Runs a program and tells the most memory that it had: VmHWM begins anew with each exec.
_CONFINED = """
import atexit, os, resource, sys

def tell():
    with open("/proc/self/status") as status:
        peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    os.write({pipe}, peak.encode())

atexit.register(tell)
resource.setrlimit(resource.RLIMIT_AS, ({addresses}, {addresses}))
resource.setrlimit(resource.RLIMIT_FSIZE, ({longest}, {longest}))
sys.argv[0] = "{program}"
from release_builder.{module} import main
main()
"""
# Root may read all; without its capabilities it is a user as any.
UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


@dataclass(frozen=True, slots=True)
class Run:
    """How a program ended that was kept in bounds.

    Attributes:
        status: Its exit status.
        out: What it printed.
        err: What it complained of.
        errors: How many problems that is.
    """

    status: int
    out: bytes
    err: str
    errors: int


@dataclass(frozen=True, slots=True)
class _Program:
    module: str  # whose main it is, below release_builder
    name: str
    complaint: str  # what each problem begins with


_LOOK_ALIKE = _Program("cli.jigdo_file", LOOK_ALIKE, f"{LOOK_ALIKE}: ")
_WHOLE = _Program("cli", "release-builder", "error: ")


def jigdo_file(
    *arguments: str | Path, cwd: Path, before: tuple[str, ...] = (), more: int = 0
) -> Run:
    """The jigdo-file look-alike, in time, in bounds, without a traceback.

    Args:
        arguments: Of the command line.
        cwd: The folder to run in.
        before: A command line that the program's own is appended to.
        more: Bytes that it may take besides what every run takes.
    """
    return _run(_LOOK_ALIKE, [*before], arguments, cwd, more)


def draw_map(*arguments: str | Path, cwd: Path, more: int = 0) -> Run:
    """``release-builder jigdo map``, as jigdo_file."""
    return _run(_WHOLE, [], ("jigdo", "map", *arguments), cwd, more)


def _run(
    program: _Program, before: list[str], arguments: Iterable[str | Path], cwd: Path, more: int
) -> Run:
    reader, writer = os.pipe()
    code = _CONFINED.format(
        pipe=writer,
        addresses=_ADDRESSES,
        longest=_LONGEST_FILE,
        program=program.name,
        module=program.module,
    )
    try:
        ended = subprocess.run(
            [*before, sys.executable, "-c", code, *map(str, arguments)],
            cwd=cwd,
            # Each arena of malloc takes 64 MB of addresses, used or not.
            env={**os.environ, "MALLOC_ARENA_MAX": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            pass_fds=[writer],
        )
    finally:
        os.close(writer)
        with os.fdopen(reader, "rb") as told:
            peak = int(told.read() or 0) << 10
    err = ended.stderr.decode("utf-8", "surrogateescape")
    assert "Traceback" not in err, err[-2000:]
    assert "\x1b" not in err
    assert 0 < peak < _PEAK + more, f"{peak:,} bytes of memory"
    errors = sum(line.startswith(program.complaint) for line in err.splitlines())
    return Run(ended.returncode, ended.stdout, err, errors)


def contents(root: Path) -> dict[str, tuple[int, ...]]:
    """All that is below a folder, and what of it shows a change."""
    found: dict[str, tuple[int, ...]] = {}
    for path in root.rglob("*"):
        status = path.lstat()
        shown: tuple[int, ...] = (status.st_mode, status.st_ino)
        if not stat.S_ISDIR(status.st_mode):
            shown += (status.st_size, status.st_mtime_ns)
        found[str(path)] = shown
    return found


# A template, in the order of its bytes.

HEADER = b"JigsawDownload template 1.2 test/1\r\nany words\r\n\r\n"
ONE, TWO = noise(5000, "one"), noise(2000, "two")
GAP = noise(3000, "gap")
IMAGE = GAP[:1000] + ONE + GAP[1000:] + TWO + ONE


def u48(number: int) -> bytes:
    return number.to_bytes(6, "little")


def md5(content: bytes) -> Digest:
    return Digest("md5", hashlib.md5(content).digest())


def data(stream: bytes, unpacked: int, kind: bytes = b"DATA") -> bytes:
    return kind + u48(16 + len(stream)) + u48(unpacked) + stream


def unmatched(length: int) -> bytes:
    return b"\x02" + u48(length)


def part_entry(content: bytes, kind: int = 6, length: int | None = None) -> bytes:
    """The entry of a part; ``length`` lies about it. Its rsync sum is right in old types alone."""
    rsync_sum = b"" if kind == 3 else bytes(8)
    value = hashlib.sha256(content).digest() if kind in {9, 10} else md5(content).value
    return bytes([kind]) + u48(len(content) if length is None else length) + rsync_sum + value


def image_entry(
    content: bytes = IMAGE, kind: int = 5, length: int | None = None, block: int = 1024
) -> bytes:
    """The entry of the image; ``length`` lies about it."""
    value = hashlib.sha256(content).digest() if kind == 8 else md5(content).value
    whole = bytes([kind]) + u48(len(content) if length is None else length) + value
    return whole if kind == 1 else whole + block.to_bytes(4, "little")


def desc(*entries: bytes) -> bytes:
    length = u48(16 + len(b"".join(entries)))
    return b"DESC" + length + b"".join(entries) + length


RUNS = (unmatched(1000), part_entry(ONE), unmatched(2000), part_entry(TWO), part_entry(ONE))
DATA = data(zlib.compress(GAP), len(GAP))
DESC = desc(*RUNS, image_entry())
TEMPLATE = HEADER + DATA + DESC
BOMB = zlib.compress(bytes(300_000_000), 9)


def unfinished(image_bytes: bytes, *written: int) -> bytes:
    """An unfinished image of TEMPLATE that says of the runs ``written`` that it has them."""
    return image_bytes + format_unfinished(parse_description(DESC), written)


# A .jigdo file.

IMAGE_SECTION = "[Jigdo]\nVersion=1.1\n[Image]\nFilename=cd.iso\nTemplate=cd.template\n"
SERVERS = "[Servers]\nAny=http://mirror.example/\n"


def parts_section(one: str = "Any:one") -> str:
    return f"[Parts]\n{md5(ONE).jigdo}={one}\n{md5(TWO).jigdo}=Any:two\n"


JIGDO = IMAGE_SECTION + parts_section() + SERVERS


# Images; all that can have it have the file ONE at FILE_AT, found by its content if not otherwise.

FILE_AT = 30  # sector


def iso(sectors: dict[int, bytes], count: int = 40) -> bytes:
    """An ISO 9660 image with ONE in its place."""
    return image({FILE_AT: ONE, **sectors}, count)


def iso_of(*records: bytes, extra: bytes = b"") -> bytes:
    return iso({ROOT: folder(ROOT, *records, extra=extra)})


def nested_iso(depth: int, name: bytes = b"D", last: bytes = b"") -> bytes:
    """Folders inside one another; the innermost has the records ``last``, whole sectors."""
    first = 40
    sectors = {}
    for number in range(depth):
        at = first + number - 1 if number else ROOT
        size = SECTOR + (len(last) if number == depth - 2 else 0)
        sectors[at] = folder(at, record(name, first + number, size, flags=FOLDER))
    at = first + depth - 1
    sectors[at] = folder(at, length=SECTOR + len(last)).ljust(SECTOR, b"\0") + last
    return iso(sectors, at + 1 + len(last) // SECTOR)


def many_records(count: int, each: bytes) -> bytes:
    """``count`` times the same record, so that none crosses a sector."""
    in_sector = SECTOR // len(each)
    return (each * in_sector).ljust(SECTOR, b"\0") * -(-count // in_sector)


def crowded_iso(count: int) -> bytes:
    """``count`` names for one and the same extent."""
    records = many_records(count, record(b"A", FILE_AT, len(ONE)))
    root = folder(40, length=SECTOR + len(records)).ljust(SECTOR, b"\0") + records
    return iso({16: descriptor(root=40, length=len(root)), 40: root}, 40 + len(root) // SECTOR)


def overlapping_iso(count: int) -> bytes:
    """``count`` folders, each from its own sector to the end of them all."""
    root = 40 + count
    records = [record(b"%d" % at, at, (root - at) * SECTOR, flags=FOLDER) for at in range(40, root)]
    listing = folder(root, *records)
    size = -(-len(listing) // SECTOR) * SECTOR
    inside = many_records(1, record(b"F", FILE_AT, 1)) * count
    return iso(
        {16: descriptor(root=root, length=size), 40: inside, root: folder(root, *records)},
        root + size // SECTOR,
    )


def continued_iso(count: int) -> bytes:
    """Records whose Rock Ridge entries go on in one place, which goes on in itself."""
    area = entry(b"XX", b"") * 500 + continued(29, 0, SECTOR)
    records = [
        record(b"%d" % number, FILE_AT, len(ONE), extra=PX + continued(29, 0, SECTOR))
        for number in range(count)
    ]
    return iso({ROOT: folder(ROOT, *records, extra=sharing()), 29: area})


def tar_header(kind: bytes, size: int, name: str = "x") -> bytes:
    header = tarfile.TarInfo(name)
    header.type, header.size = kind, size
    return header.tobuf(tarfile.GNU_FORMAT)


def tar_of(name: str = "one", content: bytes = ONE) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def zip_of(count: int = 1, name: bytes = b"one", directory_at: int | None = None) -> bytes:
    """A zip archive that names its only member ``count`` times."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("one", ONE)
    plain = out.getvalue()
    at, end = plain.rindex(b"PK\1\2"), plain.rindex(b"PK\5\6")
    each = plain[at : at + 28] + struct.pack("<H", len(name)) + plain[at + 30 : at + 46] + name
    told = min(count, 0xFFFF)
    size, begin = len(each) * count, at if directory_at is None else directory_at
    tail = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, told, told, size, begin, 0)
    return plain[:at] + each * count + tail + plain[end + 22 :]


_ANCHOR = 256  # sector of UDF that tells where all begins; its like is the last sector
_PARTITION = 257  # sector where pycdlib lets the partition begin
_ROOT_ENTRY = _PARTITION + 2  # sector of the root's file entry
_ROOT_BLOCK = 3  # of the partition; one identifier for the root itself, then one for its folder d
_IDENTIFIER = 40  # bytes of each


def udf() -> bytes:
    """A UDF image with a folder."""
    disc = pycdlib.PyCdlib()
    disc.new(udf="2.60")
    disc.add_directory("/D", udf_path="/d")
    out = io.BytesIO()
    disc.write_fp(out)
    both = out.getvalue()  # without the volume descriptors of ISO 9660 it is UDF alone
    mark = both[18 * SECTOR : 21 * SECTOR].ljust(5 * SECTOR, b"\0")
    return both[: 16 * SECTOR] + mark + both[21 * SECTOR :]


def udf_that_loops() -> bytes:
    """The folder of the root is the root."""
    content = bytearray(udf())
    at = (_PARTITION + _ROOT_BLOCK) * SECTOR + _IDENTIFIER
    struct.pack_into("<I", content, at + 24, 2)
    return bytes(_sealed(content, at))


def udf_of_long_folder(pieces: int) -> bytes:
    """The root lies in many pieces, all of them the same 4 MiB full of entries for itself."""
    content = bytearray(udf())
    first = content[(_PARTITION + _ROOT_BLOCK) * SECTOR :][:_IDENTIFIER]
    block = len(content) // SECTOR - _PARTITION
    length = (4 << 20) // _IDENTIFIER * _IDENTIFIER
    at = _ROOT_ENTRY * SECTOR
    struct.pack_into("<Q", content, at + 56, pieces * length)
    struct.pack_into("<I", content, at + 172, 8 * pieces)
    content[at + 176 : at + 176 + 8 * pieces] = struct.pack("<II", length, block) * pieces
    struct.pack_into("<H", content, at + 10, 160 + 8 * pieces)
    _sealed(content, at)
    for offset in range(0, length, _IDENTIFIER):
        struct.pack_into("<I", first, 12, block + offset // SECTOR)
        content += _sealed(first, 0)
    content += bytes(2 * length * pieces // 3 - len(content))  # so that all may be read
    content += bytes(-len(content) % SECTOR)
    anchor = content[_ANCHOR * SECTOR :][:SECTOR]
    struct.pack_into("<I", anchor, 12, len(content) // SECTOR)
    return bytes(content + _sealed(anchor, 0))


def _sealed(content: bytearray, at: int) -> bytearray:
    """``content`` with the sums of the UDF descriptor at ``at`` put right (ECMA-167, 3/7.2)."""
    (length,) = struct.unpack_from("<H", content, at + 10)
    crc = binascii.crc_hqx(content[at + 16 : at + 16 + length], 0)
    struct.pack_into("<H", content, at + 8, crc)
    content[at + 4] = 0
    content[at + 4] = sum(content[at : at + 16]) & 0xFF
    return content
