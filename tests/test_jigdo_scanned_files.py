"""Parts among files of any name: read as little as will do, believe nothing but digests."""

from __future__ import annotations

import hashlib
import itertools
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from builders import noise

from release_builder.digests import Digest
from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.scanned_files import Listed, ScannedFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SIZE = 5000
CONTENT = noise(SIZE, "part")
TWIN = CONTENT[:1024] + noise(SIZE - 1024, "twin")  # begins alike


@dataclass(slots=True)
class Cache:
    """Digests in memory; remembers what was computed."""

    known: dict[int, Digest] = field(default_factory=dict)  # by inode
    told: list[Digest] = field(default_factory=list)
    computed: int = 0

    def get(self, status: os.stat_result, algorithm: str, /) -> Digest | None:
        return self.known.get(status.st_ino)

    def put(self, status: os.stat_result, digest: Digest, /) -> None:
        self.known[status.st_ino] = digest
        self.told.append(digest)


def md5(content: bytes) -> Digest:
    return Digest("md5", hashlib.md5(content).digest())


def part(content: bytes = CONTENT) -> MatchedFile:
    return MatchedFile(len(content), rsync_sum(content[:1024]), md5(content))


def write(folder: Path, **contents: bytes) -> list[tuple[str, int]]:
    """Write files; their paths and sizes in this order."""
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [(str(folder / name), len(content)) for name, content in contents.items()]


def scanned(
    files: Iterable[tuple[str, int]], cache: Cache | None = None, sum_length: int | None = 1024
) -> ScannedFiles:
    return ScannedFiles(itertools.starmap(Listed, files), [SIZE], sum_length, cache or Cache())


def test_a_file_is_found_whatever_its_name(workdir: Path) -> None:
    files = write(workdir, other=noise(SIZE), odd_name=CONTENT, longer=CONTENT + b"x")

    found = scanned(files).find(part())

    assert found == str(workdir / "odd_name")


def test_the_only_file_that_begins_like_the_part_is_not_hashed(workdir: Path) -> None:
    cache = Cache()
    files = write(workdir, one=noise(SIZE, 1), two=CONTENT, three=noise(SIZE, 3))

    found = scanned(files, cache).find(part())

    assert found == str(workdir / "two")
    assert cache.told == []


def test_among_files_that_begin_alike_the_digest_chooses(workdir: Path) -> None:
    cache = Cache()
    files = scanned(write(workdir, twin=TWIN, right=CONTENT, again=CONTENT), cache)

    found = [files.find(part(content)) for content in (CONTENT, TWIN, CONTENT)]

    assert found == [str(workdir / name) for name in ("right", "twin", "right")]
    assert len(cache.told) == 3  # each file once, however often one asks


@pytest.mark.parametrize(
    "rsync_sum_of_part",
    [
        pytest.param(bytes(8), id="a sum of no file"),
        pytest.param(rsync_sum(TWIN[:100]), id="a sum over fewer bytes"),
    ],
)
def test_a_part_with_an_unknown_sum_is_found_by_its_digest(
    workdir: Path, rsync_sum_of_part: bytes
) -> None:
    files = write(workdir, other=noise(SIZE), right=CONTENT)

    found = scanned(files).find(MatchedFile(SIZE, rsync_sum_of_part, md5(CONTENT)))

    assert found == str(workdir / "right")


@pytest.mark.parametrize(
    ("sum_length", "wanted"),
    [
        pytest.param(1024, MatchedFile(SIZE, None, md5(CONTENT)), id="an old template"),
        pytest.param(None, part(), id="sums of no use"),
    ],
)
def test_without_sums_the_digest_chooses(
    workdir: Path, sum_length: int | None, wanted: MatchedFile
) -> None:
    files = write(workdir, other=noise(SIZE), right=CONTENT)

    found = scanned(files, sum_length=sum_length).find(wanted)

    assert found == str(workdir / "right")


@pytest.mark.parametrize(
    "first",
    [pytest.param(b"short", id="as it is"), pytest.param(b"short".ljust(1024, b"\0"), id="padded")],
)
def test_the_sum_of_a_short_file_may_be_padded(workdir: Path, first: bytes) -> None:
    cache = Cache()
    files = write(workdir, other=b"SHORT", right=b"short")

    found = ScannedFiles(itertools.starmap(Listed, files), [5], 1024, cache).find(
        MatchedFile(5, rsync_sum(first), md5(b"short"))
    )

    assert found == str(workdir / "right")
    assert cache.told == []


def test_what_no_file_has_is_not_found(workdir: Path) -> None:
    files = scanned(write(workdir, other=noise(SIZE), twin=TWIN))

    assert files.find(part(noise(SIZE, "missing"))) is None
    assert list(files.candidates(part(noise(SIZE, "missing")))) == []


def test_a_part_of_another_length_than_announced_is_not_found(workdir: Path) -> None:
    files = scanned(write(workdir, longer=CONTENT + b"x"))

    assert files.find(part(CONTENT + b"x")) is None


def test_files_that_cannot_be_read_are_passed_over(workdir: Path) -> None:
    os.mkfifo(workdir / "fifo")
    unreadable = [(str(workdir / "gone"), SIZE), (str(workdir / "fifo"), SIZE)]
    files = [*unreadable, *write(workdir, right=CONTENT)]

    assert scanned(files).find(part()) == str(workdir / "right")
    assert scanned(files, sum_length=None).find(part()) == str(workdir / "right")


def test_a_digest_that_was_known_before_is_not_computed(workdir: Path) -> None:
    files = write(workdir, one=CONTENT, two=TWIN)
    cache = Cache({(workdir / "two").stat().st_ino: md5(b"what it never had")})

    found = scanned(files, cache).find(
        MatchedFile(SIZE, part().rsync_sum, md5(b"what it never had"))
    )

    assert found == files[1][0]
    assert md5(TWIN) not in cache.told


def test_the_files_are_not_looked_for_before_a_part_is(workdir: Path) -> None:
    asked = []

    def files() -> Iterator[tuple[str, int]]:
        asked.append("files")
        yield from write(workdir, right=CONTENT)

    source = scanned(files())
    before = list(asked)
    found = [source.find(part()), source.find(part())]

    assert before == []
    assert found == [str(workdir / "right")] * 2
    assert asked == ["files"]


def test_a_candidate_is_read_from_its_first_byte_and_its_digest_remembered(workdir: Path) -> None:
    cache = Cache()
    write(workdir, **{"right\n": CONTENT})
    source = scanned([(str(workdir / "right\n"), SIZE)], cache)

    (candidate,) = source.candidates(part())
    with candidate.open() as stream:
        content = stream.read()
    candidate.confirm(md5(CONTENT))

    assert content == CONTENT
    assert candidate.where == f"{workdir}/right\\x0a"
    assert cache.known == {(workdir / "right\n").stat().st_ino: md5(CONTENT)}


def test_a_candidate_that_vanished_is_an_error_of_the_system(workdir: Path) -> None:
    source = scanned(write(workdir, right=CONTENT))
    (candidate,) = source.candidates(part())
    (workdir / "right").unlink()

    with pytest.raises(FileNotFoundError):
        candidate.open()


def test_all_equal_files_are_candidates_in_turn(workdir: Path) -> None:
    source = scanned(write(workdir, one=CONTENT, twin=TWIN, two=CONTENT))

    candidates = [candidate.where for candidate in source.candidates(part())]

    assert candidates == [str(workdir / "one"), str(workdir / "two")]


def test_behind_the_only_likely_file_come_those_with_the_digest(workdir: Path) -> None:
    """A template's rsync sum may be wrong, and be that of another file."""
    source = scanned(write(workdir, right=CONTENT, likely=noise(SIZE), again=CONTENT))
    wanted = MatchedFile(SIZE, rsync_sum(noise(1024)), md5(CONTENT))

    candidates = [candidate.where for candidate in source.candidates(wanted)]

    assert candidates == [str(workdir / name) for name in ("likely", "right", "again")]


def test_a_file_with_another_digest_than_the_cache_says_corrects_the_cache(workdir: Path) -> None:
    files = write(workdir, one=CONTENT, two=TWIN)
    inode = (workdir / "two").stat().st_ino
    cache = Cache({inode: md5(b"what it never had")})
    wanted = MatchedFile(SIZE, part().rsync_sum, md5(b"what it never had"))
    (candidate,) = scanned(files, cache).candidates(wanted)

    with candidate.open():
        candidate.confirm(md5(TWIN))

    assert cache.known[inode] == md5(TWIN)


@pytest.mark.parametrize(
    "content",
    [pytest.param(CONTENT + b"x", id="longer"), pytest.param(CONTENT[:-1], id="shorter")],
)
def test_a_file_whose_size_changed_since_it_was_listed_is_not_read(
    workdir: Path, content: bytes
) -> None:
    cache = Cache()
    candidate = next(scanned(write(workdir, right=CONTENT), cache).candidates(part()))
    (workdir / "right").write_bytes(content)

    with pytest.raises(OSError, match="its size changed meanwhile"):
        candidate.open()
    candidate.confirm(md5(CONTENT))

    assert cache.known == {}
