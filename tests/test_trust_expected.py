from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from release_builder.digests import Digest
from release_builder.trust.expected import (
    Expectation,
    Mismatch,
    Said,
    compare,
    expectations_from_sums,
)

if TYPE_CHECKING:
    from pathlib import Path

MD5 = Digest("md5", bytes(range(16)))
OTHER_MD5 = Digest("md5", bytes(16))
SHA256 = Digest("sha256", bytes(range(32)))
FOUND = {"md5": MD5, "sha256": SHA256}


def sums(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_what_sums_files_say_of_an_image_names_file_and_line(tmp_path: Path) -> None:
    first = sums(tmp_path / "md5sum.txt", f"{OTHER_MD5.hex}  y.iso\n{MD5.hex}  x.iso\n")
    second = sums(tmp_path / "CHECKSUM", f"# x.iso: 5 bytes\nSHA256 (x.iso) = {SHA256.hex}\n")

    said = expectations_from_sums([first, second], "x.iso")

    assert said == Said(
        (
            Expectation(f"{first}:2", MD5, None),
            Expectation(f"{second}:1", None, 5),
            Expectation(f"{second}:2", SHA256, None),
        )
    )


def test_a_file_that_cannot_be_used_does_not_silence_the_others(tmp_path: Path) -> None:
    bad = sums(tmp_path / "MD5SUM", "<html>")
    large = tmp_path / "SHA1SUM"
    with large.open("wb") as out:
        out.truncate((8 << 20) + 1)
    os.mkfifo(tmp_path / "fifo")
    good = sums(tmp_path / "md5sum.txt", f"{MD5.hex}  x.iso\n")

    paths = [bad, large, tmp_path / "gone", tmp_path / "fifo", good]
    said = expectations_from_sums(paths, "x.iso")

    assert said.expectations == (Expectation(f"{good}:1", MD5, None),)
    assert [problem.split(":")[0].split(" is ")[0] for problem in said.problems] == [
        str(path) for path in paths[:-1]
    ]


@pytest.mark.parametrize(
    ("name", "text", "is_a_problem"),
    [
        pytest.param("md5sum.txt", f"{MD5.hex}  y.iso\n", False, id="of others"),
        pytest.param("x.iso.md5", f"{MD5.hex}  build.iso\n", True, id="its own, another name"),
        pytest.param("x.iso.md5", "", True, id="its own, empty"),
        pytest.param("x.iso.md5.asc", "", False, id="detached signature"),
        pytest.param("CHECKSUM", f"SHA384 (x.iso) = {'0' * 96}\n", True, id="unknown algorithm"),
        pytest.param("CHECKSUM", "# x.iso: 5 bytes\n", True, id="size alone"),
    ],
)
def test_silence_is_a_problem_where_a_sum_was_due(
    tmp_path: Path, name: str, text: str, is_a_problem: bool
) -> None:
    path = sums(tmp_path / name, text)

    said = expectations_from_sums([path], "x.iso")

    wanted = (f"{path}: no sum for x.iso that could be checked",)
    assert said.problems == (wanted if is_a_problem else ())


@pytest.mark.parametrize(
    ("expectation", "mismatches"),
    [
        pytest.param(Expectation("s", MD5, 5), [], id="right"),
        pytest.param(Expectation("s", None, None), [], id="nothing said"),
        pytest.param(Expectation("s", OTHER_MD5, 5), [MD5], id="digest"),
        pytest.param(Expectation("s", None, 0), [5], id="size"),
        pytest.param(Expectation("s", OTHER_MD5, 6), [5, MD5], id="both"),
    ],
)
def test_a_file_is_held_against_what_was_said_of_it(
    expectation: Expectation, mismatches: list[Digest | int]
) -> None:
    found = compare([expectation], FOUND, 5)

    assert found == tuple(Mismatch(expectation, each) for each in mismatches)


def test_all_who_spoke_must_be_right() -> None:
    said = [Expectation("a", MD5, None), Expectation("b", OTHER_MD5, None)]

    [mismatch] = compare(said, FOUND, 5)

    assert mismatch.expectation.source == "b"


def test_a_digest_that_nobody_measured_is_never_a_pass() -> None:
    with pytest.raises(KeyError):
        compare([Expectation("s", SHA256, None)], {"md5": MD5}, 5)


@pytest.mark.parametrize(
    ("mismatch", "words"),
    [
        pytest.param(
            Mismatch(Expectation("the template", OTHER_MD5, 5), MD5),
            f"the template says md5:{OTHER_MD5.hex}, found md5:{MD5.hex}",
            id="digest",
        ),
        pytest.param(
            Mismatch(Expectation("a:3", MD5, 6), 5), "a:3 says 6 bytes, found 5 bytes", id="size"
        ),
    ],
)
def test_a_mismatch_says_who_said_what_and_what_was_found(mismatch: Mismatch, words: str) -> None:
    assert str(mismatch) == words
