"""A file is found by what an extent tells, and read only when that leaves a choice."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from builders import noise

from release_builder.digests import Digest
from release_builder.extents import Extent, Kind
from release_builder.jigdo.file_index import FileIndex

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as it was listed."""

    path: str
    name: str
    size: int


@dataclass(slots=True)
class Cache:
    """Digests in memory; remembers what it was asked and told."""

    known: dict[int, Digest] = field(default_factory=dict)  # by inode
    asked: list[int] = field(default_factory=list)
    told: list[Digest] = field(default_factory=list)
    computed: int = 0

    def get(self, status: os.stat_result, algorithm: str, /) -> Digest | None:
        self.asked.append(status.st_ino)
        found = self.known.get(status.st_ino)
        return found if found and found.algorithm == algorithm else None

    def put(self, status: os.stat_result, digest: Digest, /) -> None:
        self.known[status.st_ino] = digest
        self.told.append(digest)


def listed(folder: Path, name: str, content: bytes) -> Listed:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Listed(str(path), name, len(content))


def ghost(name: str, size: int = 5) -> Listed:
    """A file that is nowhere: whoever reads it gets an error."""
    return Listed(f"nowhere/{name}", name, size)


def index_of(*files: Listed, cache: Cache | None = None) -> FileIndex[Listed]:
    return FileIndex(files, "md5", cache or Cache())


def extent(name: str, length: int = 5) -> Extent:
    return Extent(0, length, Kind.FILE, name)


def md5(content: bytes) -> Digest:
    return Digest("md5", hashlib.md5(content).digest())


def test_sizes_are_known_and_whether_several_files_share_one() -> None:
    index = index_of(ghost("a", 5), ghost("b", 5), ghost("c", 7))

    assert [index.has_size(size) for size in (5, 6, 7)] == [True, False, True]
    assert [index.has_several(size) for size in (5, 6, 7)] == [True, False, False]


def test_files_of_one_size_keep_their_order() -> None:
    files = [ghost("z", 5), ghost("y", 7), ghost("b", 5), ghost("a", 5)]

    listing = list(index_of(*files).files())

    assert set(listing) == set(files)
    assert [file for file in listing if file.size == 5] == [files[0], files[2], files[3]]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("os/a.rpm", "os/a.rpm", id="its whole name"),
        pytest.param("os/b.rpm", "os/b.rpm", id="another whole name"),
        pytest.param("Packages/b.rpm", "os/b.rpm", id="its leaf, the first that has it"),
        pytest.param("c.rpm", "updates/c.rpm", id="a leaf alone"),
        pytest.param("os/c.rpm", "updates/c.rpm", id="a leaf elsewhere"),
        pytest.param("b", "b", id="a name that is a leaf"),
        pytest.param("os/d.rpm", None, id="no such name"),
        pytest.param("", None, id="no name"),
    ],
)
def test_among_files_of_one_size_the_name_chooses(name: str, found: str | None) -> None:
    names = ("os/a.rpm", "os/b.rpm", "updates/b.rpm", "updates/a.rpm", "updates/c.rpm", "b")
    index = index_of(*(ghost(each) for each in names), ghost("os/d.rpm", 7))

    likely = index.likely(extent(name))

    assert (likely and likely.name) == found


def test_the_only_file_of_a_size_is_likely_whatever_its_name() -> None:
    index = index_of(ghost("here"), ghost("other", 7))

    likely = index.likely(extent("THERE.;1"))

    assert likely == ghost("here")


def test_of_two_files_with_one_name_the_first_is_likely() -> None:
    first, second = Listed("one/a", "a", 5), Listed("two/a", "a", 5)

    assert index_of(first, second).likely(extent("a")) is first


def test_a_digest_finds_the_first_of_equal_files(workdir: Path) -> None:
    one, two = listed(workdir, "one", b"aaaaa"), listed(workdir, "two", b"bbbbb")
    index = index_of(one, two, listed(workdir, "three", b"bbbbb"))

    assert index.with_digest(5, md5(b"bbbbb")) == two
    assert index.with_digest(5, md5(b"aaaaa")) == one
    assert index.with_digest(5, md5(b"ccccc")) is None
    assert index.problems == {}


def test_files_are_read_once_at_most_and_only_those_of_the_size(workdir: Path) -> None:
    cache = Cache()
    files = [listed(workdir, f"{number}", noise(5, number)) for number in range(3)]
    index = index_of(*files, listed(workdir, "other", b"longer"), cache=cache)

    for number in (0, 1, 2, 0):
        assert index.with_digest(5, md5(noise(5, number))) == files[number]

    assert cache.told == [md5(noise(5, number)) for number in range(3)]
    assert len(cache.asked) == 3


def test_a_digest_that_was_known_before_is_not_computed(workdir: Path) -> None:
    file = listed(workdir, "one", b"aaaaa")
    cache = Cache({(workdir / "one").stat().st_ino: md5(b"what it never had")})
    index = index_of(file, cache=cache)

    assert index.with_digest(5, md5(b"what it never had")) == file
    assert cache.told == []


def test_what_cannot_be_read_is_a_problem_and_the_rest_is_found(workdir: Path) -> None:
    good = listed(workdir, "good", b"aaaaa")
    os.mkfifo(workdir / "fifo")
    fifo = Listed(str(workdir / "fifo"), "fifo", 5)
    index = index_of(ghost("gone"), fifo, good)

    found = index.with_digest(5, md5(b"aaaaa"))

    assert found == good
    assert index.problems == {
        "nowhere/gone": "No such file or directory",
        fifo.path: "not a regular file",
    }


def test_what_was_read_elsewhere_is_remembered(workdir: Path) -> None:
    listed(workdir, "one", b"aaaaa")
    status = (workdir / "one").stat()
    index = index_of()

    before = index.known(status)
    index.remember(status, md5(b"aaaaa"))

    assert before is None
    assert index.known(status) == md5(b"aaaaa")
