"""Files found in an image by their bytes: which, where, and at what price."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import noise

from release_builder.jigdo.match_content import ContentIndex, rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

BLOCK = 1024
MEBIBYTE = 1 << 20
PERIOD = noise(BLOCK, "period")


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as it was when the list was made."""

    path: str
    size: int

    @property
    def name(self) -> str:
        return Path(self.path).name


@pytest.fixture(params=[pytest.param(False, id="plain"), pytest.param(True, id="numpy")])
def numpy(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def write(folder: Path, contents: Mapping[str, bytes]) -> list[Listed]:
    """Write files; they are listed in the given order."""
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [Listed(str(folder / name), len(content)) for name, content in contents.items()]


def search(
    index: ContentIndex[Listed], image: Path, begin: int = 0, end: int | None = None
) -> list[tuple[int, str]]:
    """Offset and name of each file that is found in ``image``."""
    with image.open("rb") as stream:
        last = image.stat().st_size if end is None else end
        return [(offset, file.name) for offset, file in index.find(stream, begin, last)]


def found(
    folder: Path,
    contents: Mapping[str, bytes],
    image: bytes,
    *,
    greedy: bool = False,
    numpy: bool = False,
) -> list[tuple[int, str]]:
    """Offset and name of each of some files that is found in an image of these bytes."""
    index = ContentIndex(write(folder, contents), BLOCK, greedy=greedy, numpy=numpy)
    (folder / "image").write_bytes(image)
    return search(index, folder / "image")


class Reading:
    """Counts the bytes that this process reads."""

    def __init__(self) -> None:
        self._begin = self._total()

    @property
    def count(self) -> int:
        return self._total() - self._begin

    @staticmethod
    def _total() -> int:
        # What the kernel counted: nothing between has to be replaced.
        return int(Path("/proc/self/io").read_text().split()[1])


def test_files_are_found_wherever_they_begin_and_end(workdir: Path, numpy: bool) -> None:
    sizes = {"first": 1024, "second": 5001, "large": 3 * MEBIBYTE + 17, "third": 1031, "last": 2000}
    contents = {name: noise(size, name) for name, size in sizes.items()}
    first, second, large, third, last = contents.values()
    gap = noise(1, "gap")

    places = found(
        workdir,
        contents,
        # From the first byte on; side by side; after one byte; across some MiB; to the last byte.
        first + second + gap + third + bytes(MEBIBYTE - 8000) + large + gap * 7 + second + last,
        numpy=numpy,
    )

    end = 1024 + 5001 + 1 + 1031 + MEBIBYTE - 8000 + 3 * MEBIBYTE + 17
    assert places == [
        (0, "first"),
        (1024, "second"),
        (1024 + 5001 + 1, "third"),
        (end - 3 * MEBIBYTE - 17, "large"),
        (end + 7, "second"),
        (end + 7 + 5001, "last"),
    ]


@pytest.mark.parametrize("shift", range(9))
@pytest.mark.parametrize("boundary", [1 << 16, MEBIBYTE])
def test_a_file_is_found_across_a_boundary_of_what_is_read(
    workdir: Path, boundary: int, shift: int
) -> None:
    content = noise(1500)
    offset = boundary - 1030 + shift

    for greedy in (False, True):
        places = found(workdir, {"file": content}, bytes(offset) + content, greedy=greedy)

        assert places == [(offset, "file")]


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        pytest.param(100, 2100, [(100, "file")], id="just the file"),
        pytest.param(101, 2100, [], id="without its first byte"),
        pytest.param(100, 2099, [], id="without its last byte"),
        pytest.param(2099, 9000, [(6000, "file")], id="the second time"),
        pytest.param(0, 9000, [(100, "file"), (6000, "file")], id="the whole image"),
        pytest.param(0, 1 << 40, [(100, "file"), (6000, "file")], id="more than the image"),
        pytest.param(9000, 1 << 40, [], id="behind the image"),
        pytest.param(500, 500, [], id="nothing"),
    ],
)
def test_a_file_has_to_be_within_the_bytes_that_are_searched(
    workdir: Path, begin: int, end: int, expected: list[tuple[int, str]]
) -> None:
    content = noise(2000)
    index = ContentIndex(write(workdir, {"file": content}), BLOCK, greedy=False)
    image = workdir / "image"
    image.write_bytes(bytes(100) + content + bytes(3900) + content + bytes(1000))

    assert search(index, image, begin, end) == expected


@pytest.mark.parametrize("cut", [1, 900, 1999])
def test_a_file_is_not_found_where_the_image_is_cut(workdir: Path, cut: int) -> None:
    whole = noise(2000)

    assert found(workdir, {"file": whole}, whole + whole[:-cut]) == [(0, "file")]


@pytest.mark.parametrize(
    ("contents", "default", "greedy"),
    [
        pytest.param(
            {"short": noise(3000)[:1024], "long": noise(3000), "middle": noise(3000)[:2000]},
            [(0, "long")],
            [(0, "short")],
            id="of one beginning",
        ),
        pytest.param(
            {"outer": noise(9000), "inner": noise(9000)[3000:5000]},
            [(0, "outer")],
            [(3000, "inner")],
            id="one inside of another",
        ),
        pytest.param(
            {
                "outer": noise(9000),
                "second": noise(9000)[3000:5000],
                "third": noise(9000)[5000:6100],
                "first": noise(9000)[500:2500],
            },
            [(0, "outer")],
            [(500, "first"), (3000, "second"), (5000, "third")],
            id="several inside of another",
        ),
        pytest.param(
            {"outer": noise(9000), "tail": noise(9000)[7000:]},
            [(0, "outer")],
            [(0, "outer")],
            id="of one end",
        ),
        pytest.param(
            {"left": noise(9000)[:5000], "right": noise(9000)[3000:]},
            [(0, "left")],
            [(0, "left")],
            id="one half in another",
        ),
        pytest.param(
            {"other": noise(3000, "other"), "one": noise(9000), "two": noise(9000)},
            [(0, "one")],
            [(0, "one")],
            id="equal ones",
        ),
    ],
)
def test_of_files_in_one_place_the_right_one_is_found(
    workdir: Path,
    contents: Mapping[str, bytes],
    default: Sequence[tuple[int, str]],
    greedy: Sequence[tuple[int, str]],
) -> None:
    assert found(workdir, contents, noise(9000)) == default
    assert found(workdir, contents, noise(9000), greedy=True) == greedy


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(noise(1023), id="shorter than a block"),
        pytest.param(b"", id="empty"),
        pytest.param(bytes(5000), id="zeros"),
        pytest.param(b"\xff" * (MEBIBYTE + 5000), id="the same byte all along"),
    ],
)
def test_some_files_are_never_found(workdir: Path, content: bytes) -> None:
    other = noise(2000)

    places = found(workdir, {"never": content, "other": other}, content + other)

    assert places == [(len(content), "other")]


@pytest.mark.parametrize("padding", [0, 1, 5, 8, 2047, 70_000])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bytes(1015) + noise(2000), id="a run, shorter than any window"),
        pytest.param(bytes(1016) + noise(2000), id="a run of one window"),
        pytest.param(bytes(1019) + noise(2000), id="a run of some windows"),
        pytest.param(bytes(1024) + noise(2000), id="a run of a block"),
        pytest.param(bytes(70_000) + noise(2000), id="a long run"),
        pytest.param(bytes(5000) + b"\1", id="a run and one byte"),
        pytest.param(b"\1" + bytes(5000), id="one byte and a run"),
        pytest.param(b"1234567" + bytes(70_000) + b"\1", id="some bytes and a run"),
        pytest.param(b"\xff" * 5000 + bytes(5000), id="a run after another"),
    ],
)
def test_a_file_with_a_run_is_found_between_runs(
    workdir: Path, numpy: bool, content: bytes, padding: int
) -> None:
    gap = bytes(padding)

    places = found(workdir, {"file": content}, (gap + content) * 2 + gap, numpy=numpy)

    assert places == [(padding, "file"), (2 * padding + len(content), "file")]


@pytest.mark.parametrize("run", [0, 1, 7, 8, 500, 1014, 1015, 1016, 1023, 1024, 1025])
def test_a_run_hides_no_file_that_begins_in_it_or_behind(workdir: Path, run: int) -> None:
    contents = {"led by zeros": bytes(9000) + noise(1500, "led"), "file": bytes(run) + noise(2000)}
    image = bytes(5000) + noise(2000)

    assert found(workdir, contents, image) == [(5000 - run, "file")]


def test_files_with_runs_of_several_lengths_end_one_run(workdir: Path) -> None:
    tail = noise(2000)
    contents = {f"{run}": bytes(run) + tail for run in (3000, 1500, 9000)}

    assert found(workdir, contents, bytes(5000) + tail) == [(2000, "3000")]
    assert found(workdir, contents, bytes(20_000) + tail) == [(11_000, "9000")]


def make_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(lambda path: path.unlink(), "No such file", id="gone"),
        pytest.param(lambda path: path.write_bytes(noise(4999)), "4,999 bytes now", id="shorter"),
        pytest.param(lambda path: path.write_bytes(noise(5001)), "5,001 bytes now", id="longer"),
        pytest.param(make_fifo, "not a regular file", id="a FIFO"),
    ],
)
def test_a_file_that_is_not_as_it_was_listed_is_reported(
    workdir: Path, change: Callable[[Path], object], why: str, when: str
) -> None:
    contents = {"changed": noise(5000), "other": noise(2000, "other")}
    files = write(workdir, contents)
    (workdir / "image").write_bytes(b"".join(contents.values()))

    if when == "before":
        change(workdir / "changed")
    index = ContentIndex(files, BLOCK, greedy=False)
    if when == "after":
        change(workdir / "changed")
    places = search(index, workdir / "image")

    assert places == [(5000, "other")]
    assert list(index.unreadable) == [files[0].path]
    assert why in index.unreadable[files[0].path]


def test_a_file_that_is_too_short_is_not_even_opened(workdir: Path) -> None:
    index = ContentIndex([Listed(str(workdir / "gone"), 1023)], BLOCK, greedy=False)

    assert index.unreadable == {}


def test_a_file_that_got_other_bytes_of_the_same_number_is_not_found(workdir: Path) -> None:
    content = noise(5000)
    index = ContentIndex(write(workdir, {"file": content}), BLOCK, greedy=False)
    (workdir / "image").write_bytes(content)

    (workdir / "file").write_bytes(content[:-1] + b"!")

    assert search(index, workdir / "image") == []
    assert index.unreadable == {}


def test_a_name_of_any_bytes_can_be_read(workdir: Path) -> None:
    content = noise(2000)
    name = os.fsdecode(b"caf\xe9 \xff")

    assert found(workdir, {name: content}, content) == [(0, name)]


def test_nothing_is_found_for_no_files(workdir: Path, numpy: bool) -> None:
    assert found(workdir, {}, noise(5000), numpy=numpy) == []


def test_a_block_that_has_no_window_is_refused(workdir: Path) -> None:
    ContentIndex[Listed]([], 15, greedy=False)

    with pytest.raises(ValueError, match="14 bytes is too short"):
        ContentIndex[Listed]([], 14, greedy=False)


@pytest.mark.parametrize("greedy", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(noise(300_000), id="a file"),
        pytest.param(bytes(300_000) + b"\1", id="a run"),
        pytest.param(b"", id="nothing to find"),
    ],
)
def test_progress_adds_up_and_the_image_stays_where_it_was(
    workdir: Path, content: bytes, greedy: bool
) -> None:
    index = ContentIndex(write(workdir, {"file": content}), BLOCK, greedy=greedy)
    image = workdir / "image"
    image.write_bytes(noise(70_000) + content + bytes(90_000))
    done: list[int] = []

    with image.open("rb", buffering=0) as stream:
        stream.seek(12_345)
        places = list(index.find(stream, 1000, image.stat().st_size, done.append))
        position = stream.tell()

    assert len(places) == bool(content)
    assert sum(done) == image.stat().st_size - 1000
    assert min(done) > 0
    assert position == 12_345


def test_no_more_of_the_image_is_read_than_is_searched(workdir: Path) -> None:
    index = ContentIndex(write(workdir, {"file": noise(2000)}), BLOCK, greedy=False)
    image = workdir / "image"
    image.write_bytes(bytes(8 * MEBIBYTE))

    reading = Reading()
    places = search(index, image, MEBIBYTE, MEBIBYTE + 100_000)

    assert places == []
    assert 100_000 <= reading.count < 110_000


def test_the_image_is_not_summed_up_where_a_file_is(workdir: Path) -> None:
    content = noise(8 * MEBIBYTE)
    index = ContentIndex(write(workdir, {"file": content}), BLOCK, greedy=False)
    (workdir / "image").write_bytes(content)

    reading = Reading()
    places = search(index, workdir / "image")

    # The image beside the file; three times would be with sums of all of it.
    assert reading.count < 2.1 * len(content)
    assert places == [(0, "file")]


@pytest.mark.parametrize("greedy", [False, True])
@pytest.mark.parametrize(
    "contents",
    [
        pytest.param([PERIOD * 1024 + b"%d" % each for each in range(4)], id="at the end"),
        pytest.param(
            [PERIOD * 500 + b"%d" % each + PERIOD * 500 for each in range(4)], id="inside"
        ),
    ],
)
def test_an_image_that_repeats_itself_is_not_compared_again_and_again(
    workdir: Path, contents: Sequence[bytes], greedy: bool
) -> None:
    image = PERIOD * 16_384 + contents[2]
    named = {f"{number}": content for number, content in enumerate(contents)}

    reading = Reading()
    places = found(workdir, named, image, greedy=greedy)

    assert places == [(len(image) - len(contents[2]), "2")]
    assert reading.count < 2 * len(image)


@pytest.mark.parametrize("greedy", [False, True])
def test_a_file_that_differs_elsewhere_each_time_is_given_up(workdir: Path, greedy: bool) -> None:
    hopeless, other = PERIOD * 4096, noise(2000, "other")
    repeating = bytearray(PERIOD * 16_384)
    for offset in range(0, len(repeating), len(hopeless) - 4000):
        repeating[offset] ^= 1
    files = write(workdir, {"hopeless": hopeless, "other": other})
    index = ContentIndex(files, BLOCK, greedy=greedy)
    image = workdir / "image"
    # The other file differs once, after all patience was used up; that is not its fault.
    image.write_bytes(repeating + other[:-1] + b"!" + other)

    reading = Reading()
    places = search(index, image)

    assert places == [(len(repeating) + len(other), "other")]
    assert list(index.given_up) == [files[0].path]
    assert "compared in vain" in index.given_up[files[0].path]
    assert reading.count < 65 * (len(repeating) + len(hopeless))


def test_a_file_that_differs_elsewhere_now_and_then_is_found_at_last(workdir: Path) -> None:
    content = PERIOD * 8 + b"end"
    begun = b"".join(content[: 1024 * (each % 7 + 1)] + noise(500, each) for each in range(100))
    index = ContentIndex(write(workdir, {"file": content}), BLOCK, greedy=False)
    image = workdir / "image"
    image.write_bytes(begun + content)

    assert search(index, image) == [(len(begun), "file")]
    assert index.given_up == {}


def test_a_large_file_that_gives_way_to_small_ones_is_not_compared_for_ever(workdir: Path) -> None:
    contents = {"large": PERIOD * 4096, "small": (PERIOD * 3)[1:1026]}
    index = ContentIndex(write(workdir, contents), BLOCK, greedy=True)
    image = workdir / "image"
    image.write_bytes(PERIOD * 8192)

    reading = Reading()
    places = search(index, image)

    # 1025 bytes at each second kilobyte.
    assert places == [(offset, "small") for offset in range(1, 8192 * BLOCK - 1025, 2 * BLOCK)]
    assert reading.count < 65 * (12 << 20)


def test_a_long_run_is_read_once_whatever_begins_like_it(workdir: Path) -> None:
    size = 256 * MEBIBYTE
    content = noise(3000)
    contents = {
        "plain": content,
        "long": bytes(100_000) + content,
        "longer": bytes(200_000) + content[:-1],
        "after a byte": b"\1" + bytes(100_000) + content,
    }
    index = ContentIndex(write(workdir, contents), BLOCK, greedy=False)
    image = workdir / "image"
    with image.open("wb") as stream:  # without taking room
        stream.seek(size)
        stream.write(content)
        stream.truncate(2 * size)

    reading = Reading()
    places = search(index, image)

    assert places == [(size - 200_000, "longer")]
    assert reading.count < 2.1 * size


def test_the_rate_is_that_of_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, fast = rate(numpy=False), rate(numpy=True)
    monkeypatch.setitem(sys.modules, "numpy", None)

    assert 1e6 < plain < fast
    assert rate() < fast


@pytest.mark.parametrize(
    "greedy", [pytest.param(True, id="greedy"), pytest.param(False, id="longest")]
)
def test_many_files_that_begin_alike_are_told_apart(workdir: Path, *, greedy: bool) -> None:
    contents = {f"{n:02}": PERIOD + noise(1000 + n % 3, n) for n in range(30)}
    contents |= {f"x{n}": PERIOD + noise(70_000, "same") + noise(100, n) for n in range(10)}
    names = sorted(contents, key=lambda name: noise(4, name))
    image = workdir / "image"
    image.write_bytes(b"".join(contents[name] for name in names))
    files = write(workdir, contents)

    index = ContentIndex(files, BLOCK, greedy=greedy)

    assert [name for _, name in search(index, image)] == names
    assert index.given_up == {}


def test_of_many_equal_files_the_first_that_can_be_read_is_found(workdir: Path) -> None:
    files = write(workdir, {f"{n:02}": PERIOD + b"equal" for n in range(20)})
    image = workdir / "image"
    image.write_bytes(b"-" * 100 + PERIOD + b"equal")
    index = ContentIndex(files, BLOCK, greedy=False)
    Path(files[0].path).unlink()

    result = search(index, image)

    assert result == [(100, "01")]
    assert list(index.unreadable) == [files[0].path]


def test_many_files_that_begin_alike_take_time_as_there_are_files(workdir: Path) -> None:
    """Each compared at each place, they would take 2 million comparisons."""
    contents = {f"{n:04}": PERIOD + noise(BLOCK, n) for n in range(1500)}
    image = workdir / "image"
    image.write_bytes(b"".join(reversed(contents.values())))
    index = ContentIndex(write(workdir, contents), BLOCK, greedy=False)
    before = time.process_time()

    result = search(index, image)

    assert len(result) == 1500
    assert time.process_time() - before < 2


def test_many_files_that_begin_everywhere_and_never_go_on_are_given_up(workdir: Path) -> None:
    files = write(workdir, {f"{n}": PERIOD + noise(70_000, n) for n in range(9)})
    image = workdir / "image"
    image.write_bytes((PERIOD + b"other") * 3000)
    index = ContentIndex(files, BLOCK, greedy=False)

    assert search(index, image) == []
    assert index.given_up
