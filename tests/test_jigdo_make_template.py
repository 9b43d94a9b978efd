"""An image taken apart can be put together, whatever is said about it and whatever is wrong."""

from __future__ import annotations

import hashlib
import io
import os
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest
from builders import noise

from release_builder.digests import BLOCK, Digest
from release_builder.errors import IncompleteError
from release_builder.extents import Extent, Kind
from release_builder.jigdo.entries import ImageInfo, MatchedFile, Run, UnmatchedData
from release_builder.jigdo.file_index import FileIndex
from release_builder.jigdo.form import Form
from release_builder.jigdo.make_template import MadeTemplate, make_template
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.template import read_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

ONE, TWO = noise(9000, "one"), noise(BLOCK + 300_000, "two")
GAPS = noise(2000, "gap"), noise(700, "gap 2"), noise(5000, "gap 3")
IMAGE = GAPS[0] + ONE + GAPS[1] + TWO + GAPS[2]
AT_ONE = 2000
AT_TWO = AT_ONE + len(ONE) + 700
EXTENTS = (
    Extent(AT_ONE, len(ONE), Kind.FILE, "one"),
    Extent(AT_TWO, len(TWO), Kind.FILE, "sub/two"),
)
MD5 = Form(level=1)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as it was listed."""

    path: str
    name: str
    size: int


@dataclass(slots=True)
class Cache:
    """Digests in memory; remembers what was computed."""

    known: dict[int, Digest] = field(default_factory=dict)  # by inode
    told: list[Digest] = field(default_factory=list)
    computed: int = 0

    def get(self, status: os.stat_result, algorithm: str, /) -> Digest | None:
        found = self.known.get(status.st_ino)
        return found if found and found.algorithm == algorithm else None

    def put(self, status: os.stat_result, digest: Digest, /) -> None:
        self.known[status.st_ino] = digest
        self.told.append(digest)


@dataclass(frozen=True, slots=True)
class Made:
    """A template and what was told of it.

    Attributes:
        result: What make_template returned.
        template: The bytes.
        matches: As on_match was told: offset, name.
        bytes_told: The sum of what on_bytes was told.
        problems: Of the index.
    """

    result: MadeTemplate[Listed]
    template: bytes
    matches: list[tuple[int, str]]
    bytes_told: int
    problems: dict[str, str]

    @property
    def runs(self) -> tuple[Run, ...]:
        return read_template(io.BytesIO(self.template), "t").description.runs

    def rebuilt(self, contents: Iterable[bytes] = ()) -> bytes:
        """The image, from the template and ``contents``; the parts' files where there are none."""
        template = read_template(io.BytesIO(self.template), "t")
        algorithm = template.description.image.digest.algorithm
        contents = contents or (Path(file.path).read_bytes() for file in self.result.parts.values())
        by_digest = {digest_of(content, algorithm): content for content in contents}
        data = template.unmatched()
        pieces = []
        for run in template.description.runs:
            if isinstance(run, MatchedFile):
                pieces.append(by_digest[run.digest])
                assert rsync_sum(pieces[-1][: template.description.image.block_length]) == (
                    run.rsync_sum
                )
            else:
                left = run.length
                while left:
                    pieces.append(data.read(left))
                    left -= len(pieces[-1])
        data.finish()
        image = b"".join(pieces)
        assert digest_of(image, algorithm) == template.description.image.digest
        return image


def digest_of(content: bytes, algorithm: str = "md5") -> Digest:
    return Digest(algorithm, hashlib.new(algorithm, content).digest())


def matched(content: bytes, algorithm: str = "md5", block_length: int = 1024) -> MatchedFile:
    return MatchedFile(
        len(content), rsync_sum(content[:block_length]), digest_of(content, algorithm)
    )


def write(folder: Path, contents: Mapping[str, bytes]) -> list[Listed]:
    """Write files and list them."""
    files = []
    for name, content in contents.items():
        path = folder / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        files.append(Listed(str(path), name, len(content)))
    return files


def make(
    image: bytes | BinaryIO,
    files: Iterable[Listed],
    extents: Iterable[Extent] = EXTENTS,
    form: Form = MD5,
    *,
    cache: Cache | None = None,
    finder: Finder | None = None,
) -> Made:
    stream = io.BytesIO(image) if isinstance(image, bytes) else image
    index = FileIndex(files, form.algorithm, cache or Cache())
    out, matches, told = io.BytesIO(), list[tuple[int, str]](), list[int]()
    result = make_template(
        stream,
        out,
        index,
        extents,
        form,
        finder=finder,
        on_bytes=told.append,
        on_match=lambda offset, file, _digest: matches.append((offset, file.name)),
    )
    return Made(result, out.getvalue(), matches, sum(told), index.problems)


@dataclass(slots=True)
class Finder:
    """Says what it was told to say; remembers where it was asked.

    Attributes:
        places: Offset and file of each match.
        asked: The stretches.
    """

    places: Sequence[tuple[int, Listed]]
    asked: list[tuple[int, int]] = field(default_factory=list)

    def find(self, _image: BinaryIO, begin: int, end: int, /) -> Iterator[tuple[int, Listed]]:
        self.asked.append((begin, end))
        for offset, file in self.places:
            if begin <= offset and offset + file.size <= end:
                yield offset, file


@pytest.fixture
def files(workdir: Path) -> list[Listed]:
    return write(workdir, {"one": ONE, "sub/two": TWO})


@pytest.mark.parametrize(
    "compression", [pytest.param("gzip", id="gzip"), pytest.param("bzip2", id="bzip2")]
)
@pytest.mark.parametrize(
    "algorithm", [pytest.param("md5", id="md5"), pytest.param("sha256", id="sha256")]
)
def test_what_equals_a_file_becomes_a_part(
    files: list[Listed], algorithm: str, compression: str
) -> None:
    made = make(IMAGE, files, form=Form(algorithm, compression, 1, 1024))

    assert made.runs == (
        UnmatchedData(2000),
        matched(ONE, algorithm),
        UnmatchedData(700),
        matched(TWO, algorithm),
        UnmatchedData(5000),
    )
    assert made.rebuilt() == IMAGE
    assert made.result == MadeTemplate(
        image=ImageInfo(len(IMAGE), digest_of(IMAGE, algorithm), 1024),
        digest=digest_of(made.template, algorithm),
        parts={digest_of(ONE, algorithm): files[0], digest_of(TWO, algorithm): files[1]},
        bytes_matched=len(ONE) + len(TWO),
        bytes_unmatched=7700,
        bytes_spared=0,
    )
    assert made.problems == {}


def test_the_same_image_gives_the_same_bytes(files: list[Listed]) -> None:
    assert make(IMAGE, files).template == make(IMAGE, files).template


def test_the_image_is_read_from_its_first_byte_wherever_it_stands(files: list[Listed]) -> None:
    image = io.BytesIO(IMAGE)
    image.seek(12_345)

    assert make(image, files).rebuilt() == IMAGE


@pytest.mark.parametrize(
    "extents",
    [
        pytest.param(EXTENTS[::-1], id="out of order"),
        pytest.param(EXTENTS * 3, id="each three times"),
        pytest.param((Extent(AT_ONE + 5, 9000, Kind.FILE, "one"), *EXTENTS), id="overlapping"),
        pytest.param((*EXTENTS, Extent(0, 0, Kind.FILE, "one")), id="an empty one"),
        pytest.param((*EXTENTS, Extent(-5, 9000, Kind.FILE, "one")), id="before the image"),
        pytest.param((*EXTENTS, Extent(len(IMAGE), 9000, Kind.FILE, "one")), id="behind the image"),
        pytest.param(
            (*EXTENTS, Extent(len(IMAGE) - 8999, 9000, Kind.FILE, "one")), id="a byte too far"
        ),
        pytest.param((*EXTENTS, Extent(1 << 60, 9000, Kind.FILE, "one")), id="far away"),
        pytest.param((*EXTENTS, Extent(0, 1234, Kind.FILE, "one")), id="of no file's size"),
        pytest.param((Extent(0, len(IMAGE), Kind.SYSTEM_AREA), *EXTENTS), id="of another kind"),
    ],
)
def test_whatever_else_the_extents_say_the_files_are_found(
    files: list[Listed], extents: tuple[Extent, ...]
) -> None:
    made = make(IMAGE, files, extents)

    assert made.template == make(IMAGE, files).template
    assert made.bytes_told == len(IMAGE)


def test_extents_that_overlap_and_both_hold_files_give_one_of_them(workdir: Path) -> None:
    inner, outer = ONE[3000:6000], ONE
    files = write(workdir, {"outer": outer, "inner": inner})
    extents = (
        Extent(AT_ONE + 3000, 3000, Kind.FILE, "inner"),
        Extent(AT_ONE, 9000, Kind.FILE, "outer"),
    )

    made = make(IMAGE, files, extents)

    assert made.matches == [(AT_ONE, "outer")]
    assert made.rebuilt() == IMAGE


def test_extents_of_another_kind_hold_no_parts(files: list[Listed]) -> None:
    extents = (Extent(AT_ONE, 9000, Kind.DIRECTORY, "one"), Extent(AT_ONE, 9000, Kind.BOOT_IMAGE))

    made = make(IMAGE, files, extents)

    assert made.runs == (UnmatchedData(len(IMAGE)),)
    assert made.rebuilt() == IMAGE


def test_lying_extents_give_a_template_without_parts(files: list[Listed]) -> None:
    rng = random.Random("lies")
    extents = [
        Extent(
            rng.randrange(AT_ONE + 1, len(IMAGE)), rng.choice([9000, len(TWO)]), Kind.FILE, "one"
        )
        for _ in range(30)
    ]

    made = make(IMAGE, files, extents)

    assert made.matches == []
    assert made.rebuilt() == IMAGE
    assert made.bytes_told == len(IMAGE)


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(0, id="first byte"),
        pytest.param(500_000, id="in the first block"),
        pytest.param(BLOCK, id="first byte of the second block"),
        pytest.param(len(TWO) - 1, id="last byte"),
    ],
)
def test_a_file_that_differs_from_its_extent_is_no_part(files: list[Listed], at: int) -> None:
    patched = bytearray(TWO)
    patched[at] ^= 1
    Path(files[1].path).write_bytes(patched)

    made = make(IMAGE, files)

    assert made.matches == [(AT_ONE, "one")]
    assert made.rebuilt() == IMAGE
    assert made.problems == {}


def test_parts_behind_one_that_differs_have_their_own_digests(workdir: Path) -> None:
    """What was hashed of a file before it differed must not count for the next one."""
    large = [noise(BLOCK + 5, number) for number in range(6)]
    contents = {f"{number}": content for number, content in enumerate(large)}
    contents["1"] = large[1][:-1] + bytes([large[1][-1] ^ 1])
    contents["4"] = large[4][:BLOCK] + b"other"
    extents = [Extent(at * (BLOCK + 5), BLOCK + 5, Kind.FILE, f"{at}") for at in range(len(large))]

    made = make(b"".join(large), write(workdir, contents), extents)

    assert [name for _, name in made.matches] == ["0", "2", "3", "5"]
    assert made.rebuilt() == b"".join(large)


SAME_SIZE = [noise(3000, number) for number in range(4)]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["a", "b", "sub/c", "d"], id="their names"),
        pytest.param(["x/a", "x/b", "x/c", "x/d"], id="their leaves"),
        pytest.param(["", "", "", ""], id="no names"),
        pytest.param(["A.;1", "B.;1", "C.;1", "D.;1"], id="other names"),
        pytest.param(["b", "a", "d", "sub/c"], id="names of one another"),
    ],
)
def test_files_of_one_size_are_told_apart(workdir: Path, names: list[str]) -> None:
    files = write(workdir, dict(zip(["a", "b", "sub/c", "d"], SAME_SIZE, strict=True)))
    image = b"gap".join(SAME_SIZE)
    extents = [Extent(3003 * at, 3000, Kind.FILE, name) for at, name in enumerate(names)]

    made = make(image, files, extents)

    assert made.matches == [(0, "a"), (3003, "b"), (6006, "sub/c"), (9009, "d")]
    assert made.rebuilt() == image
    assert made.bytes_told == len(image)


def test_the_right_one_of_two_files_is_found_though_the_other_has_the_name(workdir: Path) -> None:
    patched = ONE[:-1] + b"?"
    files = write(workdir, {"one": patched, "other": ONE})

    made = make(IMAGE, files)

    assert made.matches == [(AT_ONE, "other")]
    assert made.rebuilt() == IMAGE


def shrink(path: Path) -> None:
    os.truncate(path, 8999)


def grow(path: Path) -> None:
    os.truncate(path, 9001)


def replace_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES = [
    pytest.param(shrink, "its size changed meanwhile", id="shrunk"),
    pytest.param(grow, "its size changed meanwhile", id="grown"),
    pytest.param(Path.unlink, "No such file or directory", id="vanished"),
    pytest.param(replace_by_fifo, "not a regular file", id="a FIFO now"),
    pytest.param(replace_by_folder, "not a regular file", id="a folder now"),
]


@pytest.mark.parametrize(("change", "problem"), CHANGES)
def test_a_file_that_changed_since_it_was_listed_is_a_problem_and_no_part(
    files: list[Listed], change: Callable[[Path], None], problem: str
) -> None:
    change(Path(files[0].path))

    made = make(IMAGE, files)

    assert made.problems == {files[0].path: problem}
    assert made.matches == [(AT_TWO, "sub/two")]
    assert made.rebuilt() == IMAGE


@pytest.mark.parametrize(("change", "problem"), CHANGES[2:])
def test_a_file_among_others_of_its_size_may_be_unreadable(
    workdir: Path, change: Callable[[Path], None], problem: str
) -> None:
    files = write(workdir, {"one": ONE, "other": noise(9000, "other"), "copy": ONE})
    change(Path(files[0].path))

    made = make(IMAGE, files)

    assert made.problems == {files[0].path: problem}
    assert made.matches == [(AT_ONE, "copy")]
    assert made.rebuilt() == IMAGE


@pytest.mark.parametrize(
    "algorithm", [pytest.param("md5", id="md5"), pytest.param("sha256", id="sha256")]
)
def test_an_empty_image_has_an_empty_template(files: list[Listed], algorithm: str) -> None:
    made = make(b"", files, form=Form(algorithm))

    assert made.runs == ()
    assert made.rebuilt() == b""
    assert made.result.image == ImageInfo(0, digest_of(b"", algorithm), 1024)
    assert (made.matches, made.bytes_told, dict(made.result.parts)) == ([], 0, {})


def test_without_files_or_extents_all_is_unmatched(files: list[Listed]) -> None:
    made = [make(IMAGE, []), make(IMAGE, files, [])]

    assert [each.runs for each in made] == [(UnmatchedData(len(IMAGE)),)] * 2
    assert [each.rebuilt() for each in made] == [IMAGE] * 2


def test_a_file_of_zeros_is_a_part_in_its_own_place_only(workdir: Path) -> None:
    image = bytes(8192) + noise(100) + bytes(4096) + noise(100) + bytes(8192)
    files = write(workdir, {"zeros": bytes(4096)})

    made = make(image, files, [Extent(8292, 4096, Kind.FILE, "zeros")])

    assert made.matches == [(8292, "zeros")]
    assert made.rebuilt() == image


@pytest.mark.parametrize("length", [pytest.param(each, id=f"{each}") for each in (256, 1024, 5000)])
def test_no_part_is_shorter_than_the_block_that_its_sum_covers(workdir: Path, length: int) -> None:
    long, short = noise(length, "long"), noise(length - 1, "short")
    files = write(workdir, {"long": long, "short": short})
    extents = (
        Extent(0, length, Kind.FILE, "long"),
        Extent(length, length - 1, Kind.FILE, "short"),
    )

    made = make(long + short + b"rest", files, extents, Form(level=1, block_length=length))

    assert made.runs == (matched(long, block_length=length), UnmatchedData(length + 3))
    assert made.rebuilt() == long + short + b"rest"


@pytest.mark.parametrize(
    "length",
    [
        pytest.param(1025, id="a byte more than usual"),
        pytest.param(1 << 17, id="the largest that readers take"),
        pytest.param(BLOCK + 1, id="more than is read at a time"),
    ],
)
def test_a_sum_covers_the_whole_first_block(files: list[Listed], length: int) -> None:
    made = make(IMAGE, files, form=Form(level=1, block_length=length))

    assert matched(TWO, block_length=length) in made.runs
    assert made.rebuilt() == IMAGE


class Dripping(io.BytesIO):
    """A stream that gives less than it is asked for, as raw ones may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 700))


def test_an_image_that_comes_in_drops_gives_the_same_template(files: list[Listed]) -> None:
    assert make(Dripping(IMAGE), files).template == make(IMAGE, files).template


def test_a_block_below_256_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="255 bytes is below 256"):
        Form(block_length=255)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        pytest.param({"algorithm": "sha1"}, "'sha1' is no algorithm", id="algorithm"),
        pytest.param({"compression": "xz"}, "'xz' is no compression", id="compression"),
        pytest.param({"level": 10}, "10 is not within 0 to 9", id="level"),
        pytest.param({"level": -1}, "-1 is not within 0 to 9", id="level below"),
    ],
)
def test_a_form_that_no_template_has_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Form(**wrong)


@pytest.mark.parametrize(
    ("sizes", "spared"),
    [
        pytest.param([2000], 0, id="one part"),
        pytest.param([9000, 2000, 5000], 1, id="three parts"),
        pytest.param([2000, 2000], 0, id="two of a size"),
        pytest.param([BLOCK + 1, BLOCK], 1, id="just small enough"),
    ],
)
def test_an_image_of_parts_alone_gets_its_smallest_into_the_template(
    workdir: Path, sizes: list[int], spared: int
) -> None:
    contents = [noise(size, number) for number, size in enumerate(sizes)]
    files = write(workdir, {f"{at}": content for at, content in enumerate(contents)})
    image, extents = b"".join(contents), list[Extent]()
    for number, size in enumerate(sizes):
        extents.append(Extent(sum(sizes[:number]), size, Kind.FILE, f"{number}"))

    made = make(image, files, extents)

    assert made.runs == tuple(
        UnmatchedData(len(content)) if number == spared else matched(content)
        for number, content in enumerate(contents)
    )
    assert (made.result.bytes_matched, made.result.bytes_unmatched) == (
        len(image) - sizes[spared],
        sizes[spared],
    )
    assert files[spared] not in made.result.parts.values()
    assert made.rebuilt() == image
    assert made.bytes_told == len(image)


def test_of_a_content_that_covers_the_image_twice_one_stays_a_part(workdir: Path) -> None:
    files = write(workdir, {"one": ONE})
    extents = [Extent(0, 9000, Kind.FILE, "one"), Extent(9000, 9000, Kind.FILE, "again")]

    made = make(ONE + ONE, files, extents)

    assert made.runs == (UnmatchedData(9000), matched(ONE))
    assert list(made.result.parts) == [digest_of(ONE)]
    assert made.rebuilt() == ONE + ONE


def test_large_parts_alone_are_all_parts(workdir: Path) -> None:
    large = noise(BLOCK + 1)
    files = write(workdir, {"large": large})

    made = make(large, files, [Extent(0, BLOCK + 1, Kind.FILE, "large")])

    assert made.runs == (matched(large),)
    assert made.rebuilt() == large


def test_files_of_one_content_are_one_part(workdir: Path) -> None:
    image = ONE + b"gap" + ONE + ONE
    files = write(workdir, {"first": ONE, "copy": ONE})
    extents = [
        Extent(offset, 9000, Kind.FILE, name)
        for offset, name in ((0, "copy"), (9003, "first"), (18_003, "third"))
    ]

    made = make(image, files, extents)

    assert made.runs == (matched(ONE), UnmatchedData(3), matched(ONE), matched(ONE))
    assert list(made.result.parts) == [digest_of(ONE)]
    assert made.rebuilt() == image


def test_digests_that_are_known_are_not_computed(files: list[Listed]) -> None:
    known = {Path(file.path).stat().st_ino: digest_of(file.name.encode()) for file in files}
    cache = Cache(dict(known))

    made = make(IMAGE, files, cache=cache)

    assert cache.told == []
    digests = [run.digest for run in made.runs if isinstance(run, MatchedFile)]
    assert digests == list(known.values())  # lies, so none was computed
    sums = [run.rsync_sum for run in made.runs if isinstance(run, MatchedFile)]
    assert sums == [rsync_sum(content[:1024]) for content in (ONE, TWO)]


def test_digests_that_were_computed_are_remembered(files: list[Listed]) -> None:
    cache = Cache()

    first = make(IMAGE, files, cache=cache)
    told = list(cache.told)
    second = make(IMAGE, files, cache=cache)

    assert told == [digest_of(ONE), digest_of(TWO)]
    assert cache.told == told
    assert second.template == first.template


def test_nothing_is_remembered_of_a_file_that_differs(files: list[Listed]) -> None:
    cache = Cache()
    Path(files[1].path).write_bytes(TWO[:-1] + b"?")

    make(IMAGE, files, cache=cache)

    assert cache.told == [digest_of(ONE)]


@pytest.mark.parametrize(
    "several", [pytest.param(False, id="alone"), pytest.param(True, id="one of two")]
)
def test_a_digest_that_is_known_counts_only_if_the_bytes_are_equal(
    workdir: Path, several: bool
) -> None:
    contents = {"one": ONE[:-1] + b"?"} | ({"two": noise(9000)} if several else {})
    files = write(workdir, contents)
    cache = Cache({Path(files[0].path).stat().st_ino: digest_of(ONE)})

    made = make(IMAGE, files, cache=cache)

    assert made.matches == []
    assert made.rebuilt() == IMAGE


def test_matches_are_told_in_image_order(workdir: Path) -> None:
    contents = [noise(2000 if number % 3 else 200_000, number) for number in range(12)]
    files = write(workdir, {f"{number}": content for number, content in enumerate(contents)})
    offsets = [sum(map(len, contents[:number])) + 10 for number in range(12)]
    extents = [
        Extent(offset, len(content), Kind.FILE, f"{number}")
        for number, (offset, content) in enumerate(zip(offsets, contents, strict=True))
    ]

    made = make(b"0123456789" + b"".join(contents), files, extents[::-1])

    assert made.matches == [(offset, f"{number}") for number, offset in enumerate(offsets)]


def test_a_match_is_told_with_the_digest_of_its_file(files: list[Listed]) -> None:
    told: list[Digest] = []
    index = FileIndex(files, "sha256", Cache())

    make_template(
        io.BytesIO(IMAGE),
        io.BytesIO(),
        index,
        EXTENTS,
        Form("sha256", level=1),
        on_match=lambda _offset, _file, digest: told.append(digest),
    )

    assert told == [digest_of(ONE, "sha256"), digest_of(TWO, "sha256")]


def test_an_image_that_becomes_shorter_is_incomplete_and_no_thread_is_left(
    files: list[Listed],
) -> None:
    before = threading.active_count()
    image = io.BytesIO(IMAGE)

    with pytest.raises(IncompleteError, match="became shorter while it was read"):
        make_template(
            image,
            io.BytesIO(),
            FileIndex(files, "md5", Cache()),
            EXTENTS,
            MD5,
            on_bytes=lambda _count: image.truncate(AT_TWO + 1000),
        )

    assert threading.active_count() == before


def test_a_template_that_cannot_be_written_is_an_error_and_no_thread_is_left(
    files: list[Listed],
) -> None:
    before = threading.active_count()

    with (
        Path(os.devnull).open("rb") as out,
        pytest.raises(OSError, match=r"write"),
    ):
        make_template(io.BytesIO(IMAGE), out, FileIndex(files, "md5", Cache()), EXTENTS, MD5)

    assert threading.active_count() == before


def test_a_finder_looks_through_what_the_extents_leave_over(files: list[Listed]) -> None:
    finder = Finder([(AT_TWO, files[1])])

    made = make(IMAGE, files, EXTENTS[:1], finder=finder)

    assert finder.asked == [(0, AT_ONE), (AT_ONE + 9000, len(IMAGE))]
    assert made.template == make(IMAGE, files).template
    assert made.bytes_told == len(IMAGE)


def test_a_finder_looks_through_an_extent_that_holds_no_file(workdir: Path) -> None:
    files = write(workdir, {"one": ONE[:-1] + b"?", "inner": ONE[1000:4000]})
    finder = Finder([(AT_ONE + 1000, files[1])])

    made = make(IMAGE, files, EXTENTS[:1], finder=finder)

    assert made.matches == [(AT_ONE + 1000, "inner")]
    assert made.rebuilt() == IMAGE


def test_what_a_finder_says_is_tried_and_not_believed(files: list[Listed]) -> None:
    finder = Finder([(100, files[0]), (AT_ONE, files[0]), (AT_TWO + 1, files[1])])

    made = make(IMAGE, files, [], finder=finder)

    assert made.matches == [(AT_ONE, "one")]
    assert made.rebuilt() == IMAGE
    assert made.bytes_told == len(IMAGE)


class Counting(io.BytesIO):
    """Counts the bytes that are read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def test_many_names_for_one_extent_cost_no_more_than_one(workdir: Path) -> None:
    files = write(workdir, {"a": noise(100_000, "a"), "b": noise(100_000, "b")})
    image = Counting(noise(100_000, "c"))

    made = make(image, files, [Extent(0, 100_000, Kind.FILE, f"f{n}") for n in range(500)])

    assert made.matches == []
    assert image.count <= 3 * 100_000


def test_of_many_names_for_one_extent_any_may_be_the_right_one(workdir: Path) -> None:
    files = write(workdir, {"a": noise(5000, "a"), "b": ONE})

    made = make(ONE + b"end", files, [Extent(0, len(ONE), Kind.FILE, name) for name in "xaby"])

    assert made.matches == [(0, "b")]


def test_extents_that_overlap_without_end_are_passed_over_at_last(workdir: Path) -> None:
    size = 1 << 20
    files = write(workdir, {"a": noise(size, "a"), "b": noise(size, "b")})
    image = Counting(noise(2 * size, "c"))

    made = make(image, files, [Extent(at, size, Kind.FILE, "x") for at in range(500)])

    assert made.matches == []
    assert image.count <= 80 * size
