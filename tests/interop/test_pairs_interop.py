"""Pairs of every kind of image, made and rebuilt by us and by the programs of others."""

from __future__ import annotations

import filecmp
import functools
import shutil
from typing import TYPE_CHECKING, Final

import pytest
from builders import (
    SIZES,
    Pair,
    digest,
    jigdo_file_pair,
    make_image,
    make_tree,
    our_pair,
    run,
    xorriso_image_with_pair,
)
from interop import image_zoo
from interop.image_zoo import ZOO, Exhibit

from release_builder import process
from release_builder.api import images
from release_builder.errors import SurroundingsError
from release_builder.jigdo.entries import MatchedFile, UnmatchedData
from release_builder.jigdo.input_files import read_input_files
from release_builder.jigdo.location import JigdoFile, parse_jigdo
from release_builder.jigdo.template import read_template
from release_builder.state.digest_cache import no_cache
from release_builder.steps.pair_options import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from release_builder.api.images import MadeImage
    from release_builder.jigdo.entries import Description

    Maker = Callable[[Exhibit, Path, str], Pair]
    Rebuilder = Callable[[Pair, Path, Path], object]

pytestmark = pytest.mark.interop

ALGORITHMS: Final = ("md5", "sha256")


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Exhibit]:
    """Each image is made when it is first asked for. To be read only: all tests share it."""
    return functools.cache(lambda name: ZOO[name](tmp_path_factory.mktemp(name)))


@pytest.fixture
def wide(workdir: Path) -> Iterator[Path]:
    """A folder for gigabytes, which pytest would keep."""
    folder = workdir / "wide"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def plain(zoo: Callable[[str], Exhibit]) -> Exhibit:
    return zoo("plain")


def ours(exhibit: Exhibit, out: Path, algorithm: str) -> Pair:
    return our_pair(exhibit.image, exhibit.tree, out, algorithm=algorithm)[0]


def ours_by_content(exhibit: Exhibit, out: Path, algorithm: str) -> Pair:
    pair, _ = our_pair(exhibit.image, exhibit.tree, out, algorithm=algorithm, match=Match.CONTENT)
    return pair


def jigdo_files(exhibit: Exhibit, out: Path, algorithm: str) -> Pair:
    return jigdo_file_pair(exhibit.image, exhibit.tree, out, algorithm=algorithm)


def by_us(pair: Pair, files: Path, image: Path) -> MadeImage:
    inputs = read_input_files([f"{files}//"], [])
    return images.make_image(pair.template, image, inputs, cache=no_cache())


def by_jigdo_file(pair: Pair, files: Path, image: Path) -> None:
    run(*jigdo_file_argv(pair, image), f"{files}//")


def jigdo_file_argv(pair: Pair, image: Path) -> list[str]:
    names = (f"--image={image}", f"--template={pair.template}")
    return ["jigdo-file", "make-image", "--no-cache", "--report=quiet", *names]


def by_jigit(pair: Pair, files: Path, image: Path) -> None:
    """From a list of digests and paths, as jigit does not read quoted names in a .jigdo."""
    algorithm = description_of(pair.template).image.digest.algorithm
    paths = sorted(path for path in files.rglob("*") if path.is_file())
    rows = (f"{digest(path, algorithm).hex}  {path.stat().st_size:12}  {path}\n" for path in paths)
    sums = image.with_suffix(".sums")
    sums.write_text("".join(rows), "utf-8", "surrogateescape", newline="\n")
    option = {"md5": "-f", "sha256": "-F"}[algorithm]
    run("jigit-mkimage", option, str(sums), "-t", str(pair.template), "-o", str(image))


def description_of(template: Path) -> Description:
    with template.open("rb") as stream:
        return read_template(stream, template.name).description


def parts_of(pair: Pair) -> JigdoFile:
    return parse_jigdo(pair.jigdo.read_bytes(), pair.jigdo.name)


def assert_equal(image: Path, wanted: Path) -> None:
    assert filecmp.cmp(image, wanted, shallow=False)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("make", "rebuild"),
    [
        pytest.param(ours, by_jigdo_file, id="ours by jigdo-file"),
        pytest.param(ours, by_jigit, id="ours by jigit"),
        pytest.param(ours, by_us, id="ours by us"),
        pytest.param(ours_by_content, by_jigdo_file, id="by content by jigdo-file"),
        pytest.param(jigdo_files, by_us, id="jigdo-file's by us"),
    ],
)
@pytest.mark.parametrize("name", ZOO)
def test_every_image_comes_back_bit_for_bit(
    zoo: Callable[[str], Exhibit],
    workdir: Path,
    *,
    name: str,
    make: Maker,
    rebuild: Rebuilder,
    algorithm: str,
) -> None:
    exhibit = zoo(name)
    pair = make(exhibit, workdir, algorithm)

    rebuild(pair, exhibit.tree, workdir / "new")

    assert_equal(workdir / "new", exhibit.image)


@pytest.mark.parametrize("match", [Match.AUTO, Match.CONTENT, Match.BOTH])
@pytest.mark.parametrize("name", [name for name in ZOO if name != "all files"])
def test_our_template_holds_no_more_than_that_of_jigdo_file(
    zoo: Callable[[str], Exhibit], workdir: Path, name: str, match: Match
) -> None:
    """Files of one byte value apart, which jigdo-file finds where nothing lies."""
    exhibit = zoo(name)
    theirs = jigdo_file_pair(exhibit.image, exhibit.tree, workdir / "theirs")

    pair, made = our_pair(exhibit.image, exhibit.tree, workdir / "ours", match=match)

    content, offset, bound, found = exhibit.image.read_bytes(), 0, 0, set()
    for each in description_of(theirs.template).runs:
        in_place = content[offset : offset + each.length]
        if isinstance(each, UnmatchedData) or len(set(in_place)) == 1:
            bound += each.length
        else:
            found.add(each.digest)
        offset += each.length
    assert made.bytes_unmatched <= bound
    assert found <= set(parts_of(pair).parts)


@pytest.mark.parametrize("rebuild", [by_jigdo_file, by_jigit, by_us])
@pytest.mark.parametrize("compression", ["gzip", "bzip2"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_all_read_what_we_compress(
    zoo: Callable[[str], Exhibit],
    workdir: Path,
    algorithm: str,
    compression: str,
    rebuild: Rebuilder,
) -> None:
    exhibit = zoo("nothing matches")  # more than one part of data
    pair, _ = our_pair(
        exhibit.image, exhibit.tree, workdir, algorithm=algorithm, compression=compression
    )

    rebuild(pair, exhibit.tree, workdir / "new")

    assert_equal(workdir / "new", exhibit.image)


@pytest.mark.parametrize("compression", ["gzip", "bzip2"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", ["plain", "nothing matches"])
def test_we_read_what_jigdo_file_compresses(
    zoo: Callable[[str], Exhibit], workdir: Path, name: str, algorithm: str, compression: str
) -> None:
    exhibit = zoo(name)
    pair = jigdo_file_pair(
        exhibit.image, exhibit.tree, workdir, algorithm=algorithm, compression=compression
    )

    by_us(pair, exhibit.tree, workdir / "new")

    assert_equal(workdir / "new", exhibit.image)


@pytest.mark.parametrize("compression", ["gzip", "bzip2"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "min_size",
    [
        pytest.param(1024, id="files of a kilobyte and up"),
        pytest.param(256, id="files that jigdo-file refuses"),
    ],
)
def test_we_rebuild_the_image_of_xorrisos_pair(
    workdir: Path, min_size: int, algorithm: str, compression: str
) -> None:
    tree = make_tree(workdir / "tree")
    pair = xorriso_image_with_pair(
        tree, workdir / "theirs", algorithm=algorithm, compression=compression, min_size=min_size
    )

    made = by_us(pair, tree, workdir / "new")

    assert made.wanted == sum(size >= min_size for size in SIZES.values())
    assert_equal(workdir / "new", pair.image)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_jigit_finds_the_files_by_our_jigdo_file(workdir: Path, algorithm: str) -> None:
    tree = make_tree(workdir / "tree", {"a/one.rpm": 5000, "a/two.rpm": 1024, "b": 70_001})
    image = make_image(tree, workdir / "i.iso")
    pair, _ = our_pair(image, tree, workdir / "ours", algorithm=algorithm)

    run(
        *("jigit-mkimage", "-j", str(pair.jigdo), "-t", str(pair.template)),
        *("-m", f"Mirror={tree}", "-o", str(workdir / "new")),
    )

    assert_equal(workdir / "new", image)


@pytest.mark.parametrize("smallest", [1024, 1 << 20])
def test_jigdo_file_rebuilds_an_image_that_files_cover(workdir: Path, smallest: int) -> None:
    """It crashes without a byte in the template: the smallest file is put there."""
    exhibit = image_zoo.concatenation(workdir / "zoo", {"a": 1 << 21, "b": smallest, "c": 1 << 21})
    pair, made = our_pair(exhibit.image, exhibit.tree, workdir)

    by_jigdo_file(pair, exhibit.tree, workdir / "new")

    assert_equal(workdir / "new", exhibit.image)
    assert made.bytes_unmatched == smallest


@pytest.mark.parametrize("rebuild", [by_us, by_jigit])
def test_an_image_that_large_files_cover_comes_with_a_warning(
    workdir: Path, rebuild: Rebuilder
) -> None:
    sizes = {"a": (1 << 20) + 1, "b": 1 << 21}
    exhibit = image_zoo.concatenation(workdir / "zoo", sizes)

    pair, made = our_pair(exhibit.image, exhibit.tree, workdir)

    rebuild(pair, exhibit.tree, workdir / "new")
    assert_equal(workdir / "new", exhibit.image)
    assert made.bytes_unmatched == 0
    assert "jigdo-file 0.8 crashes on that" in made.problems[-1]
    theirs = process.run([*jigdo_file_argv(pair, workdir / "theirs"), f"{exhibit.tree}//"])
    assert theirs.status not in {0, 1, 2, 3}  # killed by a signal: the warning is true


@pytest.mark.parametrize("make", [ours, jigdo_files])
@pytest.mark.parametrize("rebuild", [by_us, by_jigit])
def test_an_empty_image_can_be_rebuilt_though_not_by_jigdo_file(
    workdir: Path, make: Maker, rebuild: Rebuilder
) -> None:
    exhibit = image_zoo.empty(workdir / "zoo")
    pair = make(exhibit, workdir, "md5")

    rebuild(pair, exhibit.tree, workdir / "new")

    assert (workdir / "new").read_bytes() == b""
    theirs = process.run([*jigdo_file_argv(pair, workdir / "theirs"), f"{exhibit.tree}//"])
    assert theirs.status == 3


def test_an_empty_image_comes_with_a_warning(workdir: Path) -> None:
    exhibit = image_zoo.empty(workdir / "zoo")

    _, made = our_pair(exhibit.image, exhibit.tree, workdir)

    assert "the image is empty: jigdo-file refuses its template" in made.problems


def test_an_image_on_which_jigdo_file_crashes_is_no_trouble(workdir: Path) -> None:
    """It ends inside of what could have become another file of zeros."""
    exhibit = image_zoo.all_zeros(workdir / "zoo", 100_000)
    argv = ("jigdo-file", "make-template", "--no-cache", "--report=quiet")
    theirs = process.run([*argv, f"--image={exhibit.image}", f"{exhibit.tree}//"])

    pair = ours(exhibit, workdir, "md5")

    by_jigdo_file(pair, exhibit.tree, workdir / "new")
    assert_equal(workdir / "new", exhibit.image)
    assert theirs.status not in {0, 1, 2, 3}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_jigdo_file_reads_every_name_that_we_write(
    zoo: Callable[[str], Exhibit], workdir: Path, algorithm: str
) -> None:
    exhibit = zoo("odd names")
    pair = ours(exhibit, workdir, algorithm)

    told = print_missing(pair)

    names = {f"http://mirror.example/tree/d/{name}" for name in image_zoo.ODD_NAMES}
    assert set(told) == names


def test_we_keep_the_name_that_jigdo_file_writes_and_cannot_read(workdir: Path) -> None:
    """A CR at the end is dropped by every reader: we quote such a name, jigdo-file does not."""
    tree = make_tree(workdir / "tree", {"name\r": 2000})
    image = make_image(tree, workdir / "i.iso")

    theirs = jigdo_file_pair(image, tree, workdir / "theirs")
    pair, made = our_pair(image, tree, workdir / "ours")

    assert print_missing(theirs) == ["http://mirror.example/tree/name"]
    assert print_missing(pair) == ["http://mirror.example/tree/name\r"]
    assert made.problems == ()


def test_a_file_whose_name_has_two_lines_goes_into_the_template(workdir: Path) -> None:
    """No .jigdo file can name it: jigdo-file writes one that nobody can read back."""
    tree = make_tree(workdir / "tree", {"two\nlines": 2000, "plain": 2000})
    image = make_image(tree, workdir / "i.iso")
    theirs = jigdo_file_pair(image, tree, workdir / "theirs")

    ours, made = our_pair(image, tree, workdir / "ours")

    assert [problem for problem in made.problems if "no .jigdo can name it" in problem]
    assert print_missing(ours) == ["http://mirror.example/tree/plain"]
    assert "http://mirror.example/tree/two" in print_missing(theirs)


def print_missing(pair: Pair, image: str = "none.iso") -> list[str]:
    """Where jigdo-file would fetch each part, without the name that its digest would have."""
    printed = run(
        *("jigdo-file", "print-missing-all", "--no-cache", f"--image={image}"),
        *(f"--jigdo={pair.jigdo}", f"--template={pair.template}"),
    )
    # A blank line behind each part. No splitlines: some names have a CR.
    parts = (block.split("\n") for block in printed.removesuffix("\n\n").split("\n\n"))
    return [place for part in parts for place in part[:-1]]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("make", [ours, jigdo_files])
def test_an_unfinished_image_is_the_same_whoever_began_it(
    plain: Exhibit, workdir: Path, make: Maker, algorithm: str
) -> None:
    pair = make(plain, workdir, algorithm)

    by_us(pair, plain.tree / "Packages", workdir / "ours")
    begin_by_jigdo_file(pair, plain.tree / "Packages", workdir / "theirs")

    assert_equal(workdir / "ours.tmp", workdir / "theirs.tmp")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_we_go_on_with_what_jigdo_file_began(plain: Exhibit, workdir: Path, algorithm: str) -> None:
    pair = jigdo_files(plain, workdir, algorithm)
    begin_by_jigdo_file(pair, plain.tree / "Packages", workdir / "new")

    made = by_us(pair, plain.tree / "images", workdir / "new")

    assert (made.complete, made.wanted) == (True, 5)
    assert_equal(workdir / "new", plain.image)
    assert not (workdir / "new.tmp").exists()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_jigdo_file_goes_on_with_what_we_began(
    plain: Exhibit, workdir: Path, algorithm: str
) -> None:
    pair = ours(plain, workdir, algorithm)
    begun = by_us(pair, plain.tree / "Packages", workdir / "new")

    by_jigdo_file(pair, plain.tree / "images", workdir / "new")

    assert (begun.complete, begun.found, begun.wanted) == (False, 4, 5)
    assert_equal(workdir / "new", plain.image)


def test_one_hand_after_the_other_fills_the_image(plain: Exhibit, workdir: Path) -> None:
    """A part at a time, by turns."""
    pair = jigdo_files(plain, workdir, "sha256")
    parts = [plain.tree / name for name, size in SIZES.items() if size >= 1024]
    statuses = []

    for number, part in enumerate(parts):
        if number % 2:
            inputs = read_input_files([str(part)], [])
            images.make_image(pair.template, workdir / "new", inputs, cache=no_cache())
        else:
            outcome = process.run([*jigdo_file_argv(pair, workdir / "new"), str(part)])
            statuses.append(outcome.status)

    assert statuses == [1, 1, 0]
    assert_equal(workdir / "new", plain.image)


def test_we_do_not_believe_an_unfinished_image_that_is_wrong(plain: Exhibit, workdir: Path) -> None:
    """jigdo-file would end well, with a wrong image."""
    pair = jigdo_files(plain, workdir, "md5")
    begin_by_jigdo_file(pair, plain.tree / "Packages", workdir / "new")
    description, offset = description_of(pair.template), 0
    for each in description.runs:
        if (
            isinstance(each, MatchedFile)
            and each.length == SIZES["Packages/middle-1.0-1.noarch.rpm"]
        ):
            with (workdir / "new.tmp").open("r+b") as unfinished:
                unfinished.seek(offset)
                unfinished.write(bytes(100))
        offset += each.length

    made = by_us(pair, plain.tree, workdir / "new")

    assert made.complete
    assert_equal(workdir / "new", plain.image)


def test_what_jigdo_file_was_killed_at_is_used_when_forced(plain: Exhibit, workdir: Path) -> None:
    """It says what its unfinished image is only in the end; till then it will not use it either."""
    pair = jigdo_files(plain, workdir, "md5")
    inputs = read_input_files([f"{plain.tree}//"], [])
    begun = plain.image.read_bytes()[:500_000]
    (workdir / "new.tmp").write_bytes(begun)

    theirs = process.run([*jigdo_file_argv(pair, workdir / "new"), f"{plain.tree}//"])
    with pytest.raises(SurroundingsError, match="does not end in a DESC part"):
        by_us(pair, plain.tree, workdir / "new")
    untouched = (workdir / "new.tmp").read_bytes()
    images.make_image(pair.template, workdir / "new", inputs, cache=no_cache(), force=True)

    assert theirs.status == 3
    assert untouched == begun
    assert_equal(workdir / "new", plain.image)


def test_jigdo_file_reads_what_our_unfinished_image_lacks(plain: Exhibit, workdir: Path) -> None:
    pair = ours(plain, workdir, "sha256")
    by_us(pair, plain.tree / "Packages", workdir / "new")

    listed = run("jigdo-file", "list-template", "--hex", f"--template={workdir / 'new.tmp'}")
    missing = print_missing(pair, str(workdir / "new"))

    there = [row.split()[-2] for row in listed.splitlines() if row.startswith("have-file")]
    wanted = [row.split()[-2] for row in listed.splitlines() if row.startswith("need-file")]
    packages = (plain.tree / "Packages").iterdir()
    assert sorted(there) == sorted(digest(path, "sha256").hex for path in packages)
    assert wanted == [digest(plain.tree / "images/initrd.img", "sha256").hex]
    assert missing == ["http://mirror.example/tree/images/initrd.img"]


def begin_by_jigdo_file(pair: Pair, files: Path, image: Path) -> None:
    outcome = process.run([*jigdo_file_argv(pair, image), f"{files}//"])
    assert outcome.status == 1, outcome.stderr


@pytest.mark.slow
def test_a_file_of_more_than_four_gigabytes_is_one_part(wide: Path) -> None:
    exhibit = image_zoo.huge(wide)
    pair, made = our_pair(exhibit.image, exhibit.tree, wide, algorithm="sha256")

    by_us(pair, exhibit.tree, wide / "new")

    listed = run("jigdo-file", "list-template", f"--template={pair.template}")
    lengths = [int(row.split()[2]) for row in listed.splitlines() if row.startswith("need-file")]
    assert sorted(lengths) == [5000, (exhibit.tree / "huge").stat().st_size]
    assert max(lengths) > 1 << 32
    assert made.bytes_unmatched < 1 << 20
    assert_equal(wide / "new", exhibit.image)


@pytest.mark.slow
def test_as_many_parts_as_jigdo_file_can_take_are_no_trouble(wide: Path) -> None:
    """A template may say 256 MiB of its image; here it is 17."""
    tree = make_tree(wide / "tree", {"short": 256})
    image = wide / "i.iso"
    image.write_bytes((tree / "short").read_bytes() * 370_000 + b"end")
    pair = Pair(image, wide / "i.jigdo", wide / "i.template")
    run(
        *("jigdo-file", "make-template", "--no-cache", "--report=quiet", "--min-length=256"),
        *("--checksum-algorithm=sha256", f"--image={image}", f"{tree}//"),
    )

    by_us(pair, tree, wide / "new")

    assert_equal(wide / "new", image)


@pytest.mark.slow
def test_fifty_thousand_files_make_one_image(wide: Path) -> None:
    exhibit = image_zoo.many_files(wide, 50_000)
    pair, made = our_pair(exhibit.image, exhibit.tree, wide)

    by_us(pair, exhibit.tree, wide / "new")
    by_jigdo_file(pair, exhibit.tree, wide / "theirs")

    assert made.parts == 50_000
    assert_equal(wide / "new", exhibit.image)
    assert_equal(wide / "theirs", exhibit.image)
