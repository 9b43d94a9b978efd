"""Parts among the files of an older image: its file system tells where, their bytes whether."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from builders import noise

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.extents import Extent, Kind
from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.extent_source import ExtentSource
from release_builder.jigdo.rsync_sum import rsync_sum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SIZE = 5000
CONTENT = noise(SIZE, "part")
TWIN = CONTENT[:1024] + noise(SIZE - 1024, "twin")  # begins alike
GAP = b"gap"


def md5(content: bytes) -> Digest:
    return Digest("md5", hashlib.md5(content).digest())


def part(content: bytes = CONTENT, first: bytes | None = None) -> MatchedFile:
    """The part that ``content`` is; its rsync sum is of ``first`` if that is given."""
    return MatchedFile(len(content), rsync_sum(first or content[:1024]), md5(content))


def write(image: Path, *contents: bytes) -> list[Extent]:
    """An image of files with something between them, and where they lie."""
    image.write_bytes(b"".join(GAP + content for content in contents))
    extents = []
    offset = 0
    for content in contents:
        extents.append(Extent(offset + len(GAP), len(content), Kind.FILE))
        offset += len(GAP) + len(content)
    return extents


def source(
    image: Path, extents: Iterable[Extent], sum_length: int | None = 1024, length: int = SIZE
) -> ExtentSource:
    return ExtentSource(image, extents, [length], sum_length)


def offsets(found: ExtentSource, wanted: MatchedFile) -> list[int]:
    return [
        int(each.where.rsplit(maxsplit=1)[1].replace(",", "")) for each in found.candidates(wanted)
    ]


def spoil(image: Path, extent: Extent, begin: int = 1024) -> None:
    """Change what lies behind the first bytes of a file, so that its digest is another."""
    with image.open("r+b") as stream:
        stream.seek(extent.offset + begin)
        stream.write(bytes(extent.length - begin))


def test_a_part_is_read_from_where_the_file_system_says(workdir: Path) -> None:
    image = workdir / "old\n.iso"
    extents = write(image, noise(SIZE, 1), CONTENT, noise(SIZE, 2))

    (candidate,) = source(image, extents).candidates(part())
    with candidate.open() as stream:
        pieces = [stream.read(count) for count in (1, 4000, 9000, 1)]

    assert b"".join(pieces) == CONTENT
    assert candidate.where == f"{workdir}/old\\x0a.iso at byte 5,006"


def test_only_the_begin_of_the_only_likely_file_is_read(workdir: Path) -> None:
    image = workdir / "old.iso"
    extents = write(image, noise(SIZE, 1), CONTENT)
    spoil(image, extents[1])  # who had hashed it would not offer it

    found = next(source(image, extents).candidates(part()))

    assert found.where == f"{image} at byte 5,006"


@pytest.mark.parametrize(
    ("wanted", "sum_length"),
    [
        pytest.param(part(), 1024, id="files begin alike"),
        pytest.param(part(first=b"of no file"), 1024, id="sum of no file"),
        pytest.param(part(), None, id="sums of no use"),
        pytest.param(MatchedFile(SIZE, None, md5(CONTENT)), 1024, id="an old template"),
    ],
)
def test_where_sums_leave_a_choice_the_digest_chooses(
    workdir: Path, wanted: MatchedFile, sum_length: int | None
) -> None:
    image = workdir / "old.iso"
    extents = write(image, TWIN, CONTENT, CONTENT)

    found = offsets(source(image, extents, sum_length), wanted)

    assert found == [extents[1].offset, extents[2].offset]


def test_behind_a_likely_file_that_is_wrong_come_those_with_the_digest(workdir: Path) -> None:
    image = workdir / "old.iso"
    likely = noise(SIZE, "likely")
    extents = write(image, CONTENT, likely)

    found = offsets(source(image, extents), part(first=likely[:1024]))

    assert found == [extents[1].offset, extents[0].offset]


def test_a_file_that_was_found_wrong_is_not_read_again(workdir: Path) -> None:
    image = workdir / "old.iso"
    extents = write(image, CONTENT)
    found = source(image, extents)
    wanted = MatchedFile(SIZE, part().rsync_sum, md5(TWIN))
    candidates = found.candidates(wanted)
    next(candidates).confirm(md5(b"what it turned out to be"))

    rest = list(candidates)
    again = MatchedFile(SIZE, rsync_sum(b"unlike"), md5(b"what it turned out to be"))

    assert rest == []
    assert offsets(found, again) == [extents[0].offset]  # by what it was told: unread


def test_each_file_is_hashed_once_however_many_parts_are_asked_for(workdir: Path) -> None:
    image = workdir / "old.iso"
    extents = write(image, TWIN, CONTENT)
    found = source(image, extents)
    before = offsets(found, part())
    image.unlink()

    after = [offsets(found, part(content)) for content in (CONTENT, TWIN)]

    assert before == [extents[1].offset]
    assert after == [[extents[1].offset], [extents[0].offset]]
    assert found.problems == {}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.FILE])
def test_what_is_no_file_is_no_part(workdir: Path, kind: Kind) -> None:
    image = workdir / "old.iso"
    (extent,) = write(image, CONTENT)

    assert offsets(source(image, [Extent(extent.offset, SIZE, kind)]), part()) == []


def test_a_file_with_several_names_is_one(workdir: Path) -> None:
    image = workdir / "old.iso"
    (extent,) = write(image, CONTENT)
    names = [Extent(extent.offset, SIZE, Kind.FILE, name) for name in "abc"]

    assert offsets(source(image, names, None), part()) == [extent.offset]


def test_files_of_another_length_are_no_parts(workdir: Path) -> None:
    image = workdir / "old.iso"
    extents = write(image, CONTENT + b"x", CONTENT[:-1])

    assert offsets(source(image, extents), part()) == []
    assert offsets(source(image, extents), part(CONTENT + b"x")) == []  # not announced


def test_the_image_is_not_looked_into_before_a_part_is(workdir: Path) -> None:
    image = workdir / "old.iso"
    (extent,) = write(image, CONTENT)
    asked = []

    def extents() -> Iterator[Extent]:
        asked.append("extents")
        yield extent

    found = source(image, extents())
    before = list(asked)
    places = [offsets(found, part()) for _ in range(2)]

    assert before == []
    assert places == [[extent.offset]] * 2
    assert asked == ["extents"]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        pytest.param(
            WrongBytesError("a record is broken", hint="no"), "a record is broken", id="broken"
        ),
        pytest.param(OSError(5, "Input/output error"), "Input/output error", id="unreadable"),
        pytest.param(OSError("odd"), "odd", id="without strerror"),
    ],
)
def test_an_image_that_breaks_midway_has_what_was_told_before(
    workdir: Path, error: Exception, why: str
) -> None:
    image = workdir / "old.iso"
    (extent,) = write(image, CONTENT)

    def extents() -> Iterator[Extent]:
        yield extent
        raise error

    found = source(image, extents())

    assert offsets(found, part()) == [extent.offset]
    assert found.problems == {str(image): why}


@pytest.mark.parametrize("sum_length", [1024, None])
def test_of_an_image_that_is_cut_off_the_begin_is_used(
    workdir: Path, sum_length: int | None
) -> None:
    image = workdir / "old.iso"
    extents = write(image, TWIN, CONTENT, CONTENT)
    os.truncate(image, extents[2].offset + SIZE - 1)
    found = source(image, extents, sum_length)

    places = offsets(found, part(first=b"of no file"))

    assert places == [extents[1].offset]
    assert found.problems == {str(image): "it ends at byte 15,008, before the part does"}


def test_a_candidate_in_an_image_that_was_cut_off_since_cannot_be_read(workdir: Path) -> None:
    image = workdir / "old.iso"
    (candidate,) = source(image, write(image, CONTENT)).candidates(part())
    os.truncate(image, SIZE)

    with pytest.raises(OSError, match="it ends at byte 5,000, before the part does"):
        candidate.open()


@pytest.mark.parametrize("sum_length", [1024, None])
def test_a_pipe_in_the_place_of_the_image_is_not_waited_for(
    workdir: Path, sum_length: int | None
) -> None:
    image = workdir / "old.iso"
    extents = write(image, CONTENT, TWIN)
    image.unlink()
    os.mkfifo(image)
    found = source(image, extents, sum_length)

    assert offsets(found, part()) == []
    assert found.problems == {str(image): "not a regular file"}


def test_images_may_share_their_problems(workdir: Path) -> None:
    problems: dict[str, str] = {}
    images = [workdir / "one.iso", workdir / "two.iso"]

    for image in images:
        found = ExtentSource(image, [Extent(0, SIZE, Kind.FILE)], [SIZE], 1024, problems)
        assert offsets(found, part()) == []

    assert problems == dict.fromkeys(map(str, images), "No such file or directory")


def test_the_sum_of_a_short_file_may_be_padded(workdir: Path) -> None:
    image = workdir / "old.iso"
    extents = write(image, b"SHORT", b"short")
    wanted = MatchedFile(5, rsync_sum(b"short".ljust(1024, b"\0")), md5(b"unlike"))

    assert offsets(source(image, extents, length=5), wanted) == [extents[1].offset]


def test_many_files_take_little_memory(workdir: Path) -> None:
    image = workdir / "old.iso"
    with image.open("wb") as stream:
        stream.truncate(1 << 40)
    count = 50_000
    extents = (
        Extent(number << 20, SIZE + number, Kind.FILE, f"Packages/{number}")
        for number in range(2 * count)
    )
    lengths = range(SIZE, SIZE + count)

    tracemalloc.start()
    found = ExtentSource(image, extents, lengths, 1024)
    places = offsets(found, MatchedFile(SIZE + 7, rsync_sum(bytes(1024)), md5(b"")))
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert places == [7 << 20]
    assert kept < 12e6
    assert peak < 15e6


@pytest.mark.slow
def test_a_file_system_that_tells_of_files_without_end_is_left_in_time(workdir: Path) -> None:
    image = workdir / "old.iso"
    (extent,) = write(image, CONTENT)
    os.truncate(image, 1 << 40)
    told = 0

    def extents() -> Iterator[Extent]:
        nonlocal told
        yield extent
        while True:
            told += 1
            yield Extent(told, 7, Kind.FILE)

    found = ExtentSource(image, extents(), [7, SIZE], 1024)

    assert offsets(found, part()) == [extent.offset]
    assert told == 1_000_000
    assert found.problems == {
        str(image): "it has more files than any real image: the last are left out"
    }


def test_files_that_lie_over_each_other_are_not_all_read(workdir: Path) -> None:
    image = workdir / "old.iso"
    size = 1 << 20
    image.write_bytes(bytes(size))
    extents = (Extent(number, size - 1000, Kind.FILE) for number in range(1000))
    found = ExtentSource(image, extents, [size - 1000], None)

    places = offsets(found, MatchedFile(size - 1000, None, md5(bytes(size - 1000))))

    assert places == [0, 1, 2]
    assert found.problems == {str(image): "its files lie over each other: the last are left out"}
