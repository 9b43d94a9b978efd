"""Parts that come from afar: several at a time, resumed, and none counts before it is right."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from builders import noise
from offers import (
    CONTENT,
    ONE,
    TWO,
    Offer,
    Source,
    content_of,
    having,
    matched,
    md5,
    template,
    unfinished,
)

from release_builder.jigdo.make_image import make_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.far_parts import Place


@dataclass(slots=True)
class Far:
    """Parts that are brought in pieces, from where the place says that it is."""

    parts: dict[Digest, bytes]
    connections: int = 3
    asked: list[tuple[Digest, int]] = field(default_factory=list)
    before: Callable[[MatchedFile, Place], object] = lambda _part, _place: None
    stopped: threading.Event = field(default_factory=threading.Event)

    def fetch(self, part: MatchedFile, place: Place, /) -> bool:
        self.asked.append((part.digest, place.position))
        self.before(part, place)
        content = self.parts.get(part.digest, b"")
        while place.position < len(content):
            place.write(content[place.position : place.position + 4000])
        if not place.is_right() and content:
            place.restart()
            place.write(content)
        return place.is_right()

    def stop(self) -> None:
        self.stopped.set()


def far(*parts: bytes) -> Far:
    return Far({md5(part): part for part in parts})


@pytest.mark.parametrize("connections", [1, 2, 16])
def test_what_no_source_at_hand_has_comes_from_afar(workdir: Path, connections: int) -> None:
    source, told = far(ONE, TWO), list[int]()
    source.connections = connections
    with unfinished(workdir) as out:
        image = make_image(template(), out, [], ["md5"], told.append, far=source)
        written = content_of(out)

    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}
    assert sorted(source.asked) == sorted([(md5(ONE), 0), (md5(TWO), 0)])  # each once
    assert (image.bytes_fetched, image.bytes_copied) == (len(ONE) + len(TWO), 0)
    assert sum(told) == len(CONTENT)


def test_only_what_is_not_at_hand_is_fetched(workdir: Path) -> None:
    source = far(ONE, TWO)
    with unfinished(workdir) as out:
        image = make_image(template(), out, [having(ONE)], ["md5"], far=source)
        written = content_of(out)

    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}
    assert source.asked == [(md5(TWO), 0)]
    assert (image.bytes_fetched, image.bytes_copied) == (len(TWO), 2 * len(ONE))


def test_what_is_wrong_at_hand_is_fetched(workdir: Path) -> None:
    wrong, source, told = Source({md5(TWO): [Offer(TWO[:-1] + b"!")]}), far(ONE, TWO), list[int]()
    with unfinished(workdir) as out:
        image = make_image(template(), out, [wrong], ["md5"], told.append, far=source)
        written = content_of(out)

    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}
    assert [each.where for each in image.wrong] == ["the offer"]
    assert sum(told) == len(CONTENT)


def test_what_is_nowhere_is_missing_once_and_in_order(workdir: Path) -> None:
    told: list[int] = []
    with unfinished(workdir) as out:
        image = make_image(template(), out, [], ["md5"], told.append, far=far())

    assert image.missing == (matched(ONE), matched(TWO))
    assert image.digests == {}
    assert sum(told) == len(CONTENT)


def test_bytes_that_come_wrong_do_not_count(workdir: Path) -> None:
    lying = Far({md5(ONE): ONE, md5(TWO): TWO[:-1] + b"!"})
    with unfinished(workdir) as out:
        image = make_image(template(), out, [], ["md5"], far=lying)

    assert image.missing == (matched(TWO),)
    assert image.bytes_fetched == len(ONE)


def test_a_part_that_was_cut_off_goes_on_where_its_bytes_end(workdir: Path) -> None:
    cut = 500_000
    with unfinished(workdir) as out:
        make_image(template(), out, [having(ONE)], ["md5"])
        out.seek(2000 + len(ONE))
        out.write(TWO[:cut])
        source = far(TWO)

        image = make_image(template(), out, [], ["md5"], far=source)
        written = content_of(out)

    (asked,) = source.asked
    assert cut - 2 * 4096 <= asked[1] <= cut
    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}


def test_a_begin_that_is_another_files_is_fetched_again(workdir: Path) -> None:
    with unfinished(workdir) as out:
        out.truncate(len(CONTENT))
        out.seek(2000 + len(ONE))
        out.write(noise(500_000, "other"))

        image = make_image(template(), out, [], ["md5"], far=far(ONE, TWO))
        written = content_of(out)

    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}


def test_a_part_that_is_there_whole_but_wrong_is_fetched_from_its_begin(workdir: Path) -> None:
    damaged = bytearray(CONTENT)
    damaged[2000 + len(ONE) + 99_999] ^= 1
    source = far(TWO)
    with unfinished(workdir, bytes(damaged)) as out:
        image = make_image(template(), out, [], ["md5"], far=source)

    assert source.asked == [(md5(TWO), 0)]
    assert image.digests == {"md5": md5(CONTENT)}
    assert image.bytes_kept == 2 * len(ONE)


def test_an_error_of_the_image_ends_the_work_and_stops_the_source(workdir: Path) -> None:
    def full(_part: MatchedFile, _place: Place) -> None:
        raise OSError(28, "No space left on device")

    source = far(ONE, TWO)
    source.before = full
    with unfinished(workdir) as out, pytest.raises(OSError, match="No space left"):
        make_image(template(), out, [], ["md5"], far=source)

    assert source.stopped.is_set()


def test_nothing_is_written_once_the_caller_was_told_of_an_error(workdir: Path) -> None:
    late: list[OSError] = []
    began, ended = threading.Event(), threading.Event()

    def slow(part: MatchedFile, place: Place) -> None:
        if part.digest == md5(ONE):
            began.wait(10)
            raise OSError(28, "No space left on device")
        began.set()
        source.stopped.wait(10)
        try:
            while True:
                place.write(b"x")
        except OSError as error:
            late.append(error)
            ended.set()
            raise

    source = far(ONE, TWO)
    source.before = slow
    with unfinished(workdir) as out, pytest.raises(OSError, match="No space left"):
        make_image(template(), out, [], ["md5"], far=source)

    assert ended.wait(10)
    assert str(late[0]).endswith("the image is closed")


def test_an_image_may_be_proven_as_one(workdir: Path) -> None:
    near = having(ONE, TWO)
    with unfinished(workdir) as out:
        image = make_image(template(), out, [near], ["md5"], proven_as_one=True)
        written = content_of(out)

    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}
    assert near.offers[md5(ONE)][0].confirmed == []  # nothing is known of a part by itself


@pytest.mark.parametrize(
    "offer",
    [
        pytest.param(Offer(TWO[:-1] + b"!"), id="one byte is another"),
        pytest.param(Offer(TWO[:-1]), id="it is shorter"),
    ],
)
def test_a_wrong_part_shows_in_an_image_that_is_proven_as_one(workdir: Path, offer: Offer) -> None:
    near = Source({md5(ONE): [Offer(ONE)], md5(TWO): [offer]})
    with unfinished(workdir) as out:
        image = make_image(template(), out, [near], ["md5"], proven_as_one=True)

    assert image.digests.get("md5") != md5(CONTENT)


def test_the_last_bytes_of_a_part_may_be_missing_between_others(workdir: Path) -> None:
    cut = bytearray(CONTENT)
    end = 2000 + len(ONE) + len(TWO)
    cut[end - 700 : end] = bytes(700)
    source = far(TWO)
    with unfinished(workdir, bytes(cut)) as out:
        image = make_image(template(), out, [], ["md5"], far=source)
        written = content_of(out)

    assert source.asked == [(md5(TWO), len(TWO) - 700)]
    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}


@pytest.mark.parametrize("offset", [2000, len(CONTENT) - len(ONE)], ids=["first", "last"])
def test_a_part_that_is_wanted_twice_is_copied_from_where_it_stands(
    workdir: Path, offset: int
) -> None:
    source = far(TWO)
    with unfinished(workdir) as out:
        out.truncate(len(CONTENT))
        out.seek(offset)
        out.write(ONE)

        image = make_image(template(), out, [], ["md5"], far=source)
        written = content_of(out)

    assert source.asked == [(md5(TWO), 0)]
    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}
