"""Where parts are looked for, and what is never read for one."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from builders import noise

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.jigdo.entries import Description, ImageInfo, MatchedFile, UnmatchedData
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.sources import ImageSource, digest_of_file
from release_builder.jigdo.tree_source import TreeSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.jigdo.sources import PartSource

CONTENT = noise(3000)
DIGEST = Digest("md5", hashlib.md5(CONTENT).digest())
PART = MatchedFile(3000, rsync_sum(CONTENT[:1024]), DIGEST)


@dataclass(slots=True)
class Memory:
    """A cache of digests that knows what it is told, by inode."""

    known: dict[int, Digest] = field(default_factory=dict)
    computed: int = 0

    def get(self, status: os.stat_result, algorithm: str, /) -> Digest | None:
        digest = self.known.get(status.st_ino)
        return digest if digest and digest.algorithm == algorithm else None

    def put(self, status: os.stat_result, digest: Digest, /) -> None:
        self.known[status.st_ino] = digest


def source(
    root: Path,
    *locations: str,
    scanned: Sequence[Path] | None = None,
    cache: Memory | None = None,
) -> TreeSource:
    """Parts below ``root``, [Parts] saying ``locations`` of the one part."""
    return TreeSource(
        {DIGEST: locations},
        (root,),
        (root,) if scanned is None else scanned,
        (PART.length,),
        1024,
        cache or Memory(),
    )


def found(where: PartSource) -> list[bytes]:
    """The contents of all candidates, in order."""
    contents = []
    for candidate in where.candidates(PART):
        with candidate.open() as stream:
            contents.append(stream.read(PART.length))
    return contents


def write(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("Any:RPMS/a.rpm", id="label"),
        pytest.param("Any:/RPMS/a.rpm", id="slash behind the colon"),
        pytest.param("Any:RPMS//a.rpm", id="two slashes"),
    ],
)
def test_the_file_that_parts_names_comes_first_and_unread(workdir: Path, location: str) -> None:
    write(workdir / "RPMS" / "a.rpm", noise(3000, "damaged"))
    write(workdir / "AAA" / "copy.rpm")
    cache = Memory()

    contents = found(source(workdir, location, cache=cache))

    assert contents == [noise(3000, "damaged"), CONTENT]


def test_a_file_of_another_length_is_no_candidate_but_is_named(workdir: Path) -> None:
    path = write(workdir / "a.rpm", CONTENT + b"x")

    tree = source(workdir, "Any:a.rpm")

    assert found(tree) == []
    assert tree.named(DIGEST) == (path,)


def test_a_renamed_file_is_found_by_its_digest(workdir: Path) -> None:
    write(workdir / "deep" / "renamed")

    assert found(source(workdir, "Any:a.rpm")) == [CONTENT]


def test_a_file_is_told_from_others_of_its_length_by_its_first_block(workdir: Path) -> None:
    write(workdir / "renamed")
    write(workdir / "longer", CONTENT + b"x")
    write(workdir / "other", CONTENT[::-1])
    cache = Memory()

    candidate = next(source(workdir, "Any:a.rpm", cache=cache).candidates(PART))

    assert candidate.where == str(workdir / "renamed")
    assert cache.known == {}  # nothing was hashed for that


def test_when_what_parts_names_is_wrong_all_copies_are_tried(workdir: Path) -> None:
    write(workdir / "a.rpm", noise(3000, "damaged"))
    write(workdir / "copy")
    write(workdir / "other copy")

    assert found(source(workdir, "Any:a.rpm")) == [noise(3000, "damaged"), CONTENT, CONTENT]


def test_files_with_the_same_first_block_are_told_apart_by_their_digests(workdir: Path) -> None:
    same = write(workdir / "same beginning", CONTENT[:-1] + b"x"), write(workdir / "the part")
    write(workdir / "longer", CONTENT + b"x")
    cache = Memory()

    contents = found(source(workdir, "Any:a.rpm", cache=cache))

    assert contents == [CONTENT]
    assert set(cache.known) == {path.stat().st_ino for path in same}


def test_a_wrong_sum_in_the_template_hides_no_file(workdir: Path) -> None:
    write(workdir / "renamed")
    tree = source(workdir, "Any:a.rpm")

    candidates = tree.candidates(dataclasses.replace(PART, rsync_sum=bytes(8)))

    assert [candidate.where for candidate in candidates] == [str(workdir / "renamed")]


def test_what_the_cache_knows_is_not_read(workdir: Path) -> None:
    path = write(workdir / "renamed", noise(3000, "nobody looks"))
    cache = Memory({path.stat().st_ino: DIGEST})
    tree = source(workdir, "Any:a.rpm", cache=cache)

    assert found(tree) == [noise(3000, "nobody looks")]


def test_a_candidate_that_was_right_is_remembered(workdir: Path) -> None:
    path, cache = write(workdir / "a.rpm"), Memory()
    candidate = next(source(workdir, "Any:a.rpm", cache=cache).candidates(PART))
    with candidate.open():
        before = dict(cache.known)

    candidate.confirm(DIGEST)

    assert before == {}
    assert cache.known == {path.stat().st_ino: DIGEST}


def test_a_single_file_may_be_scanned(workdir: Path, tmp_path: Path) -> None:
    one = write(tmp_path / "elsewhere" / "one")

    assert found(source(workdir, "Any:a.rpm", scanned=[one, tmp_path / "absent"])) == [CONTENT]


@pytest.mark.parametrize("location", ["Any:../a.rpm", "Any:a/../../b", "Any:a\0b"])
def test_a_location_that_leads_out_is_refused(workdir: Path, location: str) -> None:
    with pytest.raises(WrongBytesError, match=r"\[Parts\] \S+: the name .* would lead out"):
        source(workdir, location)


@pytest.mark.parametrize(
    "location",
    ["{}/secret", "file:{}/secret", "file://{}/secret", "http://{}/secret", ":{}/secret"],
)
def test_a_location_outside_is_not_read(workdir: Path, tmp_path: Path, location: str) -> None:
    write(tmp_path / "secret")

    tree = source(workdir, location.format(tmp_path))

    assert (found(tree), tree.named(DIGEST)) == ([], ())


def test_a_link_within_the_tree_is_followed(workdir: Path) -> None:
    write(workdir / "real.rpm")
    (workdir / "a.rpm").symlink_to("real.rpm")

    assert found(source(workdir, "Any:a.rpm", scanned=[])) == [CONTENT]


@pytest.mark.parametrize("name", ["a.rpm", "renamed"])
def test_a_link_that_leads_out_of_the_tree_is_not_read(
    workdir: Path, tmp_path: Path, name: str
) -> None:
    write(tmp_path / "secret")
    (workdir / name).symlink_to(tmp_path / "secret")

    tree = source(workdir, "Any:a.rpm")

    assert (found(tree), tree.named(DIGEST)) == ([], ())


def test_a_linked_folder_outside_is_not_read(workdir: Path, tmp_path: Path) -> None:
    write(tmp_path / "other" / "a.rpm")
    (workdir / "RPMS").symlink_to(tmp_path / "other")

    assert found(source(workdir, "Any:RPMS/a.rpm")) == []


def test_links_that_go_in_circles_end(workdir: Path) -> None:
    (workdir / "loop").symlink_to(".")
    (workdir / "a.rpm").symlink_to("a.rpm")
    write(workdir / "renamed")

    assert found(source(workdir, "Any:a.rpm")) == [CONTENT]


def test_what_is_no_regular_file_is_passed_by(workdir: Path) -> None:
    os.mkfifo(workdir / "a.rpm")
    os.mkfifo(workdir / "fifo")
    (workdir / "zero").symlink_to("/dev/zero")
    write(workdir / "renamed")

    assert found(source(workdir, "Any:a.rpm")) == [CONTENT]


def test_an_older_image_has_parts_where_its_template_says(workdir: Path) -> None:
    image = write(workdir / "old.iso", b"head" + CONTENT + b"tail" + CONTENT)
    runs = (UnmatchedData(4), PART, UnmatchedData(4), PART)
    info = ImageInfo(6008, Digest("md5", bytes(16)), 1024)
    older = ImageSource(image, Description(info, runs), [DIGEST])

    (candidate,) = older.candidates(PART)
    with candidate.open() as stream:
        pieces = [stream.read(count) for count in (1000, 1000, 9000, 1)]

    assert b"".join(pieces) == CONTENT
    assert pieces[-1] == b""
    assert candidate.where == f"{image} at byte 4"
    other = MatchedFile(3000, bytes(8), Digest("md5", bytes(16)))
    assert list(older.candidates(other)) == []


def test_who_waits_for_a_digest_is_told_of_the_bytes_that_are_read(workdir: Path) -> None:
    path, cache, told = write(workdir / "a.rpm"), Memory(), list[int]()

    digests = [digest_of_file(str(path), "md5", cache, told.append) for _ in range(2)]

    assert digests == [DIGEST] * 2
    assert told == [3000]  # the second one was known
