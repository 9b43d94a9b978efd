"""What we find in an image is what jigdo-file finds in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import noise, run

from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.match_content import ContentIndex
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.template import read_template

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.interop

BLOCK = 1024
SIZES = {"a": 1024, "b": 1031, "c": 5000, "d": 70_001, "e": 300_000, "f": 2_500_000, "g": 9000}


@dataclass(frozen=True, slots=True)
class Listed:
    """A file to look for."""

    path: str
    size: int


BOTH_WAYS = pytest.mark.parametrize(
    ("option", "greedy"),
    [
        pytest.param("--greedy-matching", True, id="greedy"),
        pytest.param("--no-greedy-matching", False, id="not greedy"),
    ],
)


def make_case(workdir: Path, more: Mapping[str, bytes]) -> tuple[Path, Path]:
    """A tree, and an image in which each of its files stands twice."""
    tree, image = workdir / "tree", workdir / "image.iso"
    tree.mkdir()
    contents = {name: noise(size, name) for name, size in SIZES.items()}
    contents |= {
        "inside of e": contents["e"][100_000:140_000],
        "half of c": contents["c"][2500:] + noise(1500, "half of c"),
        "short": noise(1000, "short"),
        **more,
    }
    for name, content in contents.items():
        (tree / name).write_bytes(content)
    with image.open("wb") as out:
        for number, content in enumerate([*contents.values(), *reversed(contents.values())]):
            out.write(content)
            # Gaps of zeros and of noise, some of them no whole words.
            out.write(bytes(number * 211) if number % 2 else noise(number * 97, ("gap", number)))
    return tree, image


def our_matches(tree: Path, image: Path, *, greedy: bool) -> list[tuple[int, str]]:
    files = [Listed(str(path), path.stat().st_size) for path in sorted(tree.iterdir())]
    index = ContentIndex(files, BLOCK, greedy=greedy)
    with image.open("rb") as stream:
        found = index.find(stream, 0, image.stat().st_size)
        return [(match.offset, match.file.path) for match in found]


def their_matches(tree: Path, image: Path, option: str) -> list[tuple[int, str]]:
    printed = run(
        *("jigdo-file", "make-template", "--no-cache", "--report=grep", option),
        *(f"--image={image}", str(tree)),
    )
    lines = (line.partition(" ") for line in printed.splitlines())
    return [(int(offset), path) for offset, _, path in lines]


@BOTH_WAYS
def test_we_find_what_jigdo_file_finds(workdir: Path, option: str, greedy: bool) -> None:
    tree, image = make_case(workdir, {})

    ours, theirs = our_matches(tree, image, greedy=greedy), their_matches(tree, image, option)

    assert ours == theirs
    assert len(ours) >= 2 * len(SIZES)


@BOTH_WAYS
def test_runs_make_jigdo_file_lose_files_but_not_us(
    workdir: Path, option: str, greedy: bool
) -> None:
    # The second it finds in every gap; and behind gaps that are like these it misses others.
    more = {"led by zeros": bytes(3000) + noise(3000, "led by zeros"), "zeros": bytes(2048)}
    tree, image = make_case(workdir, more)

    ours, theirs = our_matches(tree, image, greedy=greedy), their_matches(tree, image, option)

    # Where it found zeros, a file may begin with them.
    assert {each for each in theirs if not each[1].endswith("zeros")} < set(ours)
    names = Counter(Path(path).name for _, path in ours)
    assert names["led by zeros"] == 2
    assert names["zeros"] == 0


def test_our_sums_are_those_in_the_template_of_jigdo_file(workdir: Path) -> None:
    tree, image = make_case(workdir, {})

    matches = their_matches(tree, image, "--greedy-matching")

    with image.with_suffix(".template").open("rb") as stream:
        runs = read_template(stream, "image.template").description.runs
    theirs = [each.rsync_sum for each in runs if isinstance(each, MatchedFile)]
    assert theirs == [rsync_sum(Path(path).read_bytes()[:BLOCK]) for _, path in matches]
