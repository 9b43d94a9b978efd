"""Few bytes that would become many: each is set off in a process that may take only so much.

A bomb is a function of this module. It must end by an error of ours, or by itself; what it says is
what ``Ground.set_off`` returns.
"""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import json
import lzma
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import traceback
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from bad_server import GOOD, Trouble
from fetching import release_of, site
from hostile import (
    continued_iso,
    crowded_iso,
    nested_iso,
    overlapping_iso,
    tar_header,
    udf_that_loops,
    zip_of,
)
from iso_builder import SECTOR, image
from rpm_builder import LEAD, header, intro

from release_builder import process
from release_builder.api.fetched_image import FetchOptions
from release_builder.api.fetches import fetch_image
from release_builder.errors import ReleaseBuilderError
from release_builder.jigdo.location import parse_jigdo
from release_builder.loader import load, load_profile
from release_builder.media import find_layout
from release_builder.media.el_torito import read_catalog
from release_builder.media.image import Image
from release_builder.media.repodata import read_primary, read_repomd
from release_builder.media.rpm import read_package
from release_builder.media.rpm_fit_traits import read_traits
from release_builder.media.squashfs import DEFINITIONS, parse_definitions, parse_sizes
from release_builder.media.treeinfo import parse_treeinfo
from release_builder.monitor import Monitor
from release_builder.repository.configuration import parse_configuration
from release_builder.repository.description import parse_meta
from release_builder.steps.record import read_record
from release_builder.telling.bounded import run_bounded
from release_builder.transport.http import HttpError, HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.listing import HttpLister, parse_page
from release_builder.transport.rsync_output import OutputReader
from release_builder.trust.expected import expectations_from_sums
from release_builder.trust.rpm_keys import key_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from release_builder.digests import Readable

ADDRESSES: Final = 400 << 20  # bytes that a bomb may have
MEMORY: Final = 200 << 20  # bytes that it may use; the interpreter and our modules take 45 MB
SECONDS: Final = 30  # of processor time; all but the largest take one or two
_BIG: Final = 10 << 30  # bytes of a file that has none on disk
_ENDLESS: Final = "yes | tr -d '\\n'"


@dataclass(frozen=True, slots=True)
class Blast:
    """How a bomb went off.

    Attributes:
        words: Of the error; empty if there was none.
        peak: The most memory that was used, bytes.
    """

    words: str
    peak: int


class Ground:
    """Where bombs go off: a process that has all modules, and a copy of it for each bomb."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "import bombs; bombs.main()"],
            cwd=Path(__file__).parent,
            env={
                **os.environ,
                "PYTHONPATH": f"{Path(__file__).parents[1]}",
                "MALLOC_ARENA_MAX": "1",  # each takes 64 MB of addresses, used or not
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()

    def set_off(self, name: str) -> Blast:
        """Run the bomb called ``name`` within the limits above.

        Raises:
            AssertionError: It ended by another error than ours, or not in time.
        """
        assert self._process.stdin
        assert self._process.stdout
        print(name, file=self._process.stdin, flush=True)
        told = json.loads(self._process.stdout.readline())
        assert "peak" in told, told
        return Blast(told["words"], told["peak"])


def main() -> None:
    """What runs in the process of all bombs."""
    for name in sys.stdin:
        if not (child := os.fork()):
            _run(name.strip())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            _tell({"status": status})


def _run(name: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    signal.alarm(6 * SECONDS)
    told: dict[str, object] = {"words": ""}
    try:
        globals()[name]()
    except (ReleaseBuilderError, HttpError) as error:
        told = {"words": str(error)[:2000]}
    except BaseException:
        _tell({"error": traceback.format_exc()[-2000:]})
        return
    status = Path("/proc/self/status").read_text("utf-8").splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    _tell({**told, "peak": peak << 10})


def _tell(told: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


class _Endless:
    """A stream of ``first`` and then of ``again`` for ever."""

    def __init__(self, first: bytes, again: bytes) -> None:
        self._pieces = itertools.chain([first], itertools.repeat(again * ((1 << 20) // len(again))))

    def read(self, _count: int = -1, /) -> bytes:
        return next(self._pieces)


def _primary(stream: Readable, name: str = "p.xml", most: int = 64 << 20) -> None:
    for _ in read_primary(stream, name, most):  # type: ignore[arg-type] # what is read is enough
        pass


def xml_packed_by_gzip() -> None:
    _primary(io.BytesIO(gzip.compress(b" " * (16 << 20)) * 10), "p.xml.gz")


def xml_packed_by_bzip2() -> None:
    _primary(io.BytesIO(bz2.compress(b" " * (16 << 20)) * 10), "p.xml.bz2")


def xml_packed_by_xz() -> None:
    _primary(io.BytesIO(lzma.compress(b" " * (80 << 20), preset=0)), "p.xml.xz")


def xz_of_a_huge_dictionary() -> None:
    packed = bytearray(lzma.compress(b" ", check=lzma.CHECK_NONE, preset=0))
    packed[12 + 4] = 39  # 3 GiB (the .xz file format, 5.3.1)
    packed[12 + 8 : 12 + 12] = struct.pack("<I", zlib.crc32(packed[12 : 12 + 8]))
    _primary(io.BytesIO(packed), "p.xml.xz")


def xml_of_many_entities() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><metadata>&e11;</metadata>'
    _primary(io.BytesIO(text.encode()))


def xml_of_another_file() -> None:
    text = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><repomd>&e;</repomd>'
    read_repomd(io.BytesIO(text.encode()))


def xml_without_bottom() -> None:
    _primary(_Endless(b"<metadata>", b"<a>"))


def xml_of_one_tag() -> None:
    _primary(_Endless(b"<metadata><a b='", b"b"))


def xml_of_one_comment() -> None:
    _primary(_Endless(b"<metadata><!--", b"b"))


def treeinfo_of_wrong_lines() -> None:
    parse_treeinfo(b"[general]\n" + b"a\n" * (1 << 19))


def _rpm(tags: Iterable[int], kind: int, count: int, data: bytes) -> io.BytesIO:
    index = b"".join(struct.pack(">IIII", tag, kind, 0, count) for tag in tags)
    main_header = intro(len(index) // 16, len(data)) + index + data
    return io.BytesIO(LEAD + header({}) + main_header)


def rpm_of_shared_strings() -> None:
    data = b"a" * (20 << 20) + bytes(1 << 17)
    read_traits(_rpm((1047, 1049, 1050, 1054, 1055, 1090, 1113, 1115), 8, 1 << 17, data), "a.rpm")


def rpm_of_long_strings() -> None:
    data = b"a" * (15 << 20) + b"\0"
    read_traits(_rpm((1001, 1002, 1022, 1044, 1125), 6, 1, data), "a.rpm")


def rpm_of_many_values() -> None:
    read_package(_rpm((1003,), 4, (1 << 32) - 1, bytes(4)), "a.rpm")


def rpm_of_a_huge_header() -> None:
    read_package(io.BytesIO(LEAD + intro((1 << 32) - 1, (1 << 32) - 1)), "a.rpm")


def squashfs_of_many_files() -> None:
    row = f"-rw-r--r-- 0/0 0 2022-01-20 17:32 root/{DEFINITIONS}"
    parse_sizes("\n".join(f"{row}/{number}.json" for number in range(100_000)), Path("a.img"))


def _yaml(text: bytes, read: Callable[[Path], object] = load) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "d.yaml")
        path.write_bytes(text)
        read(path)


def yaml_of_aliases() -> None:
    rows = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    _yaml(b"a0: &a0 [x]\n" + rows.encode())


def yaml_of_aliases_in_a_profile() -> None:
    _yaml(b"a: &a [*a, *a]\n", load_profile)


def yaml_without_bottom() -> None:
    _yaml(b"[" * ((1 << 20) - 1))


def yaml_of_keys_without_bottom() -> None:
    _yaml(b"? " * (1 << 19))


def yaml_of_many_values() -> None:
    _yaml(b"arch: [" + b"a," * 500_000 + b"]")


def yaml_of_a_large_file() -> None:
    with tempfile.TemporaryDirectory() as folder:
        load(_of_zeros(folder))


def _of_zeros(folder: str) -> Path:
    path = Path(folder, "x.iso.md5")
    path.touch()
    os.truncate(path, _BIG)
    return path


def json_without_bottom_in_meta() -> None:
    parse_meta(b'{"a":' * (1 << 20), "meta")


def json_without_bottom_in_a_configuration() -> None:
    parse_configuration("[" * (1 << 20), Path("a.json"))


def json_without_bottom_in_a_record() -> None:
    read_record(b'{"schema":' * (1 << 20), "release.json")


def json_without_bottom_in_definitions() -> None:
    parse_definitions(b"[" * (1 << 20), "a.img: d")


def json_of_a_long_number_in_meta() -> None:
    parse_meta(b'{"s":' + b"9" * (8 << 20) + b"}", "meta")


def json_of_a_large_number_in_meta() -> None:
    parse_meta(b'{"s": {"images": [1e999999999]}}', "meta")


def _extents(content: bytes) -> None:
    layout = find_layout(io.BytesIO(content))
    assert layout
    for _ in layout.extents:
        pass


def iso_of_folders_without_bottom() -> None:
    _extents(nested_iso(1200))


def iso_of_overlapping_folders() -> None:
    _extents(overlapping_iso(500))


def iso_of_names_that_never_end() -> None:
    _extents(continued_iso(3))


def iso_of_many_names_for_one_file() -> None:
    _extents(crowded_iso(100_000))


def udf_of_a_folder_in_itself() -> None:
    _extents(udf_that_loops())


def el_torito_of_many_images() -> None:
    entry = b"\x91\0\xff\xff".ljust(32, b"\0")
    catalog = b"\1".ljust(30, b"\0") + b"\x55\xaa" + b"\x88".ljust(32, b"\0") + entry
    read_catalog(Image(io.BytesIO(image({20: (catalog + entry * 60)[:SECTOR]}))), 20 * SECTOR)


def tar_of_a_long_name() -> None:
    _extents(tar_header(b"L", 8 << 30) + bytes(1024))


def tar_of_a_large_file() -> None:
    _extents(tar_header(b"0", 8 << 30) + bytes(1024))


def zip_of_a_large_directory() -> None:
    _extents(zip_of(400_000))


def zip64_of_many_members() -> None:
    tail = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1 << 60, 1 << 60, 1 << 62, 4)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, 30, 1)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", *[0xFFFF] * 4, *[0xFFFFFFFF] * 2, 0)
    _extents(b"PK\3\4".ljust(30, b"\0") + tail + locator + end)


def _told_of_sums(write: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.iso.md5")
        write(path)
        raise ReleaseBuilderError("\n".join(expectations_from_sums([path], "x.iso").problems))


def sums_of_ten_gigabytes() -> None:
    _told_of_sums(lambda path: _of_zeros(str(path.parent)))


def sums_of_one_line() -> None:
    _told_of_sums(lambda path: path.write_bytes(b"a" * (8 << 20)))


def keys_of_ten_gigabytes() -> None:
    with tempfile.TemporaryDirectory() as folder:
        key_ids([_of_zeros(folder)])


def jigdo_packed_by_gzip() -> None:
    parse_jigdo(gzip.compress(b" " * (16 << 20)) * 600, "t")


def jigdo_of_many_lines() -> None:
    parse_jigdo(b"[Image]\n[Parts]\n" + b"A=B\n" * 10_000_000, "t")


def jigdo_of_labels_that_double() -> None:
    servers = "".join(f"L{n}=L{n + 1}:a\nL{n}=L{n + 1}:b\n" for n in range(25))
    parse_jigdo(f"[Image]\n[Servers]\n{servers}".encode(), "t").urls("L0:x")


def rsync_says_a_line_without_end() -> None:
    process.run(["sh", "-c", _ENDLESS], on_output=OutputReader(Monitor()).feed)


def program_that_prints_without_end() -> None:
    process.run(["sh", "-c", _ENDLESS])


def program_that_complains_at_length() -> None:
    said = process.run(["sh", "-c", f"{_ENDLESS} | head -c 100000000 >&2; echo end >&2"]).stderr
    assert said.endswith("end\n")
    assert len(said) <= 1 << 20


def hook_that_prints_without_end() -> None:
    ended = run_bounded(["sh", "-c", _ENDLESS], b"", process.environment(), patience=1)
    assert ended.status is None
    assert len(ended.words) <= 2000


def page_of_tags_without_end() -> None:
    for piece in ("<a ", "<a href=", "<a href='", "</", "<!--", "<?", "<![", "<a href=x ", "<"):
        parse_page((piece * (4 << 20))[: 4 << 20], "http://h/")


def page_of_many_links() -> None:
    parse_page("".join(f'<a href="{number:x}">' for number in range(200_000)), "http://h/")


def _serve(first: bytes, again: bytes) -> Iterator[str]:
    """The URL of a server that says ``first``, and then ``again`` for ever."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_answer, args=(door, first, again), daemon=True).start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}/"


def _answer(door: socket.socket, first: bytes, again: bytes) -> None:
    while True:
        client, _ = door.accept()
        try:
            client.sendall(first)
            while True:
                client.sendall(again * (65536 // len(again)))
        except OSError:
            client.close()


def _listed(first: bytes, again: bytes) -> None:
    for url in _serve(first, again):
        options = HttpOptions(timeout=2, retries=0, named=(url,), deadline=4)
        with HttpClient(options, {}) as client:
            HttpLister(client, url).folders([""])


_OK: Final = b"HTTP/1.1 200 OK\r\n"
_CHUNKED: Final = _OK + b"Transfer-Encoding: chunked\r\n\r\n"


def http_page_without_end() -> None:
    _listed(_OK + b"\r\n", b"<a href=x>")


def http_chunks_without_end() -> None:
    _listed(_CHUNKED, b"1\r\na\r\n")


def http_chunk_with_a_size_without_end() -> None:
    _listed(_CHUNKED, b"1")


def http_trailers_without_end() -> None:
    _listed(_CHUNKED + b"0\r\n", b"A: b\r\n")


def http_headers_without_end() -> None:
    _listed(_OK, b"A: b\r\n")


def http_header_without_end() -> None:
    _listed(_OK + b"A: ", b"b")


def http_headers_of_many_connections() -> None:
    release = release_of(32)
    long = Trouble(raw=_OK + b"".join(b"A: %b\r\n" % (b"b" * 60_000) for _ in range(90)) + b"\r\n")
    with tempfile.TemporaryDirectory() as folder, site(release) as server:
        server.everywhere = long
        server.troubles = dict.fromkeys(("/cd.jigdo", "/cd.template"), GOOD)
        options = FetchOptions(http=HttpOptions(retries=0, deadline=20))
        made = fetch_image(f"{server.url}/cd.jigdo", Path(folder), options)
    raise ReleaseBuilderError("; ".join(sorted({each.tries[0].detail for each in made.missing})))


def http_status_without_end() -> None:
    _listed(b"HTTP/1.1 200 ", b"b")


def http_answers_that_are_none() -> None:
    _listed(b"", b"HTTP/1.1 100 Continue\r\n\r\n")
