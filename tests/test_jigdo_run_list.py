"""Runs come in image order, their digests when they are ready."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass

import pytest
from builders import noise

from release_builder.digests import LENGTHS, Digest
from release_builder.jigdo.entries import (
    ImageInfo,
    MatchedFile,
    Run,
    UnmatchedData,
    format_entries,
    parse_description,
)
from release_builder.jigdo.rsync_sum import rsync_sum
from release_builder.jigdo.run_list import Match, RunList

ALGORITHMS = [pytest.param("md5", id="md5"), pytest.param("sha256", id="sha256")]


@dataclass(frozen=True, slots=True)
class Part:
    """A file that may be a part."""

    path: str
    content: bytes

    @property
    def name(self) -> str:
        return self.path

    @property
    def size(self) -> int:
        return len(self.content)

    def digest(self, algorithm: str = "md5") -> Digest:
        return Digest(algorithm, hashlib.new(algorithm, self.content).digest())

    def run(self, algorithm: str = "md5") -> MatchedFile:
        return MatchedFile(self.size, rsync_sum(self.content[:1024]), self.digest(algorithm))


SMALL, MIDDLE = Part("small", noise(2000, "small")), Part("middle", noise(9000, "middle"))
LARGE = Part("large", noise(300_000, "large"))
COPY = Part("copy", MIDDLE.content)


def no_matches(_match: Match[Part], _digest: Digest) -> None:
    pass


def add(runs: RunList[Part], offset: int, part: Part, algorithm: str = "md5") -> int:
    """Add a part whose digest is computed; the offset behind it is returned."""
    runs.digests.begin()
    runs.digests.update(part.content)
    runs.digests.end()
    runs.part(Match(offset, part, rsync_sum(part.content[:1024]), None, None))
    return offset + part.size


def known(offset: int, part: Part) -> Match[Part]:
    """A match whose digest was known before."""
    return Match(offset, part, rsync_sum(part.content[:1024]), part.digest(), None)


def description(runs: RunList[Part], algorithm: str = "md5") -> tuple[Run, ...]:
    length = runs.bytes_matched + runs.bytes_unmatched
    info = ImageInfo(length, Digest(algorithm, bytes(LENGTHS[algorithm])), 1024)
    return parse_description(format_entries(runs.entries, info)).runs


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_runs_are_encoded_in_image_order_whenever_their_digests_come(algorithm: str) -> None:
    with RunList[Part](algorithm, no_matches) as runs:
        runs.unmatched(100)
        add(runs, 100, LARGE, algorithm)
        add(runs, 300_100, SMALL, algorithm)
        runs.unmatched(7)
        add(runs, 302_107, LARGE, algorithm)
        runs.finish()

    assert description(runs, algorithm) == (
        UnmatchedData(100),
        LARGE.run(algorithm),
        SMALL.run(algorithm),
        UnmatchedData(7),
        LARGE.run(algorithm),
    )
    assert (runs.bytes_matched, runs.bytes_unmatched) == (602_000, 107)


def test_a_digest_under_way_holds_back_what_follows_it_and_nothing_else() -> None:
    told: list[str] = []

    with RunList[Part]("md5", lambda match, _digest: told.append(match.file.path)) as runs:
        runs.part(known(0, SMALL))
        add(runs, 2000, LARGE)
        runs.part(known(302_000, MIDDLE))
        before = list(told)
        runs.finish()

    assert before == ["small"]
    assert told == ["small", "large", "middle"]


def test_a_part_that_did_not_end_has_no_digest() -> None:
    with RunList[Part]("md5", no_matches) as runs:
        runs.digests.begin()
        runs.digests.update(LARGE.content)
        add(runs, 0, SMALL)
        runs.finish()

    assert description(runs) == (SMALL.run(),)


def test_each_match_is_told_with_its_digest_in_image_order() -> None:
    told: list[tuple[int, str, Digest]] = []

    with RunList[Part](
        "md5", lambda match, digest: told.append((match.offset, match.file.path, digest))
    ) as runs:
        offset = add(runs, 0, LARGE)
        for _ in range(20):
            offset = add(runs, offset, SMALL)
        runs.part(known(offset, MIDDLE))
        runs.finish()

    smalls = [(300_000 + 2000 * number, "small", SMALL.digest()) for number in range(20)]
    last = (340_000, "middle", MIDDLE.digest())
    assert told == [(0, "large", LARGE.digest()), *smalls, last]


def test_unmatched_runs_that_touch_become_one() -> None:
    with RunList[Part]("md5", no_matches) as runs:
        runs.unmatched(5)
        runs.unmatched(0)
        runs.unmatched(6)
        runs.part(known(11, SMALL))
        runs.unmatched(0)
        runs.part(known(2011, SMALL))
        runs.finish()

    assert description(runs) == (UnmatchedData(11), SMALL.run(), SMALL.run())


def test_of_files_with_one_content_the_first_is_the_part() -> None:
    with RunList[Part]("md5", no_matches) as runs:
        runs.part(known(0, MIDDLE))
        runs.part(known(9000, COPY))
        runs.part(known(18_000, SMALL))
        runs.finish()

    assert list(runs.parts.items()) == [(MIDDLE.digest(), MIDDLE), (SMALL.digest(), SMALL)]


def test_an_image_of_nothing_has_no_runs() -> None:
    with RunList[Part]("md5", no_matches) as runs:
        runs.finish()
        spared = runs.spare_smallest(1 << 20)

    assert (bytes(runs.entries), runs.parts, len(spared)) == (b"", {}, 0)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "order",
    [
        pytest.param((SMALL, MIDDLE, LARGE), id="first"),
        pytest.param((LARGE, SMALL, MIDDLE), id="in the middle"),
        pytest.param((MIDDLE, LARGE, SMALL), id="last"),
        pytest.param((SMALL,), id="alone"),
    ],
)
def test_the_smallest_part_is_spared_wherever_it_is(
    algorithm: str, order: tuple[Part, ...]
) -> None:
    begin = sum(part.size for part in order[: order.index(SMALL)])
    length = sum(part.size for part in order)

    with RunList[Part](algorithm, no_matches) as runs:
        offset = 0
        for part in order:
            offset = add(runs, offset, part, algorithm)
        runs.finish()
        spared = runs.spare_smallest(2000)

    assert spared == range(begin, begin + 2000)
    assert description(runs, algorithm) == tuple(
        UnmatchedData(2000) if part is SMALL else part.run(algorithm) for part in order
    )
    assert (runs.bytes_matched, runs.bytes_unmatched) == (length - 2000, 2000)
    assert SMALL.digest(algorithm) not in runs.parts


def test_a_spared_part_that_stands_elsewhere_too_is_still_needed() -> None:
    with RunList[Part]("md5", no_matches) as runs:
        runs.part(known(0, SMALL))
        runs.part(known(2000, LARGE))
        runs.part(known(302_000, SMALL))
        runs.finish()
        spared = runs.spare_smallest(1 << 20)

    assert spared == range(2000)
    assert description(runs) == (UnmatchedData(2000), LARGE.run(), SMALL.run())
    assert list(runs.parts.values()) == [SMALL, LARGE]


def test_nothing_is_spared_that_is_larger_than_the_limit() -> None:
    with RunList[Part]("md5", no_matches) as runs:
        runs.part(known(0, SMALL))
        runs.finish()
        spared = runs.spare_smallest(1999)

    assert not spared
    assert description(runs) == (SMALL.run(),)
    assert list(runs.parts) == [SMALL.digest()]
    assert (runs.bytes_matched, runs.bytes_unmatched) == (2000, 0)


def test_an_error_leaves_no_thread_behind() -> None:
    before = threading.active_count()

    def refuse(_match: Match[Part], _digest: Digest) -> None:
        raise ValueError("refused")

    with RunList[Part]("md5", refuse) as runs:
        add(runs, 0, LARGE)

        with pytest.raises(ValueError, match="refused"):
            runs.finish()

    assert threading.active_count() == before
