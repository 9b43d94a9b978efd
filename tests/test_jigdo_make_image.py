"""The one writer of images: bit for bit, or exactly what is missing."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

import pytest
from builders import noise
from offers import (
    CONTENT,
    GAP,
    ONE,
    TWO,
    Broken,
    Offer,
    Source,
    content_of,
    having,
    matched,
    md5,
    template,
    unfinished,
)

from release_builder.digests import Digest
from release_builder.jigdo.entries import (
    TemplateError,
    UnmatchedData,
)
from release_builder.jigdo.image_result import WrongPart
from release_builder.jigdo.make_image import make_image

if TYPE_CHECKING:
    from pathlib import Path


def test_with_all_parts_the_image_comes_out_bit_for_bit(workdir: Path) -> None:
    first, second, told = having(ONE), having(ONE, TWO), list[int]()
    with unfinished(workdir) as out:
        image = make_image(template(), out, [first, second], ["md5", "sha256"], told.append)
        written = content_of(out)

    assert written == CONTENT
    assert image.digests == {
        "md5": md5(CONTENT),
        "sha256": Digest("sha256", hashlib.sha256(CONTENT).digest()),
    }
    assert (image.missing, image.wrong) == ((), ())
    assert (image.bytes_copied, image.bytes_unmatched) == (len(CONTENT) - len(GAP), len(GAP))
    assert sum(told) == len(CONTENT)
    assert second.asked == [md5(TWO)]
    assert first.offers[md5(ONE)][0].confirmed == [md5(ONE)] * 2


def test_what_was_read_before_is_not_hashed_again(workdir: Path) -> None:
    known, unknown = Offer(ONE, said=md5(ONE)), Offer(TWO)
    with unfinished(workdir) as out:
        source = Source({md5(ONE): [known], md5(TWO): [unknown]})
        image = make_image(template(), out, [source], ["md5"])

        assert content_of(out) == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}
    assert (known.confirmed, unknown.confirmed) == ([], [md5(TWO)])


def test_a_digest_that_was_remembered_wrongly_is_found_out_by_the_image(workdir: Path) -> None:
    liar = Offer(b"?" + ONE[1:], said=md5(ONE))
    with unfinished(workdir) as out:
        image = make_image(template(), out, [Source({md5(ONE): [liar]}), having(ONE, TWO)], ["md5"])

        assert content_of(out) == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}
    assert [wrong.where for wrong in image.wrong] == ["the offer"]
    assert md5(liar.content if isinstance(liar.content, bytes) else b"") in liar.confirmed


def test_what_is_missing_is_told_once_and_the_rest_is_written(workdir: Path) -> None:
    told: list[int] = []
    with unfinished(workdir) as out:
        image = make_image(template(), out, [having(TWO)], ["md5"], told.append)
        written = content_of(out)

    assert image.missing == (matched(ONE),)
    assert image.digests == {}
    at = 2000 + len(ONE)
    assert written[:2000] == GAP[:2000]
    assert written[at : at + len(TWO) + 3000] == TWO + GAP[2000:]
    assert len(written) == sum(told) == len(CONTENT)


def test_a_second_call_asks_only_for_what_was_missing(workdir: Path) -> None:
    later = having(ONE, TWO)
    with unfinished(workdir) as out:
        make_image(template(), out, [having(TWO)], ["md5"])

        image = make_image(template(), out, [later], ["md5"])
        written = content_of(out)

    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}
    assert set(later.asked) == {md5(ONE)}
    assert (image.bytes_kept, image.bytes_copied) == (len(TWO), 2 * len(ONE))


@pytest.mark.parametrize(
    "there",
    [
        pytest.param(noise(len(CONTENT), "other"), id="another image"),
        pytest.param(CONTENT + b"the rest of a longer image", id="longer"),
        pytest.param(CONTENT[:12_345], id="cut short"),
        pytest.param(CONTENT[:-1] + b"\0", id="last byte wrong"),
        pytest.param(bytes(len(CONTENT)), id="zeros"),
    ],
)
def test_whatever_the_unfinished_image_holds_the_bytes_come_out_right(
    workdir: Path, there: bytes
) -> None:
    with unfinished(workdir, there) as out:
        image = make_image(template(), out, [having(ONE, TWO)], ["md5"])
        written = content_of(out)

    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}


@pytest.mark.parametrize(
    ("offer", "found"),
    [
        pytest.param(Offer(TWO[::-1]), (md5(TWO[::-1]), ""), id="other bytes"),
        pytest.param(Offer(TWO[:-1]), (md5(TWO[:-1]), ""), id="short"),
        pytest.param(Offer(b""), (md5(b""), ""), id="empty"),
        pytest.param(Offer(TWO, Broken), (None, "Input/output error"), id="bad sector"),
        pytest.param(
            Offer(OSError(13, "Permission denied")), (None, "Permission denied"), id="forbidden"
        ),
    ],
)
def test_a_candidate_that_is_not_the_part_is_told_and_the_next_is_tried(
    workdir: Path, offer: Offer, found: tuple[Digest | None, str]
) -> None:
    source = Source({md5(ONE): [Offer(ONE)], md5(TWO): [offer, Offer(TWO)]})
    with unfinished(workdir) as out:
        image = make_image(template(), out, [source], ["md5"])
        written = content_of(out)

    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}
    assert image.wrong == (WrongPart(matched(TWO), "the offer", *found),)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        pytest.param(
            WrongPart(matched(ONE), "a/b", md5(TWO)),
            f"a/b should be {md5(ONE)}, but is {md5(TWO)}",
            id="other bytes",
        ),
        pytest.param(
            WrongPart(matched(ONE), "a/b", None, "Permission denied"),
            "a/b cannot be read: Permission denied",
            id="unreadable",
        ),
    ],
)
def test_a_wrong_part_is_told_in_a_sentence(wrong: WrongPart, sentence: str) -> None:
    assert str(wrong) == sentence


@pytest.mark.parametrize(
    ("offer", "confirmed"),
    [
        pytest.param(Offer(TWO[::-1]), [md5(TWO[::-1])], id="other bytes"),
        pytest.param(Offer(TWO[:-1]), [], id="short"),
        pytest.param(Offer(TWO, Broken), [], id="bad sector"),
    ],
)
def test_a_candidate_learns_its_digest_if_all_of_it_was_read(
    workdir: Path, offer: Offer, confirmed: list[Digest]
) -> None:
    with unfinished(workdir) as out:
        make_image(template(), out, [Source({md5(TWO): [offer]})], ["md5"])

    assert offer.confirmed == confirmed


def test_beside_trusted_runs_the_templates_data_is_not_read_again(workdir: Path) -> None:
    broken = template(b"no stream at all")
    told: list[int] = []
    with unfinished(workdir) as out:
        make_image(template(), out, [having(TWO)], ["md5"])

        image = make_image(broken, out, [having(ONE)], ["md5"], told.append, trusted={2})
        written = content_of(out)

    assert written == CONTENT
    assert image.digests == {"md5": md5(CONTENT)}
    assert (image.bytes_kept, image.bytes_unmatched) == (len(TWO) + len(GAP), 0)
    assert image.bytes_copied == 2 * len(ONE)
    assert sum(told) == len(CONTENT)


def test_what_stands_wrong_beside_trusted_runs_shows_in_the_digest(workdir: Path) -> None:
    there = bytes(2000) + CONTENT[2000:]
    with unfinished(workdir, there) as out:
        image = make_image(template(), out, [having(ONE, TWO)], ["md5"], trusted={1, 2, 4})

    assert image.digests == {"md5": md5(there)}


def test_what_only_begins_with_the_part_is_the_part(workdir: Path) -> None:
    """A candidate within another file need not know where the part ends."""
    source = Source({md5(ONE): [Offer(ONE)], md5(TWO): [Offer(TWO + b"what follows it")]})
    with unfinished(workdir) as out:
        image = make_image(template(), out, [source], ["md5"])

    assert image.digests == {"md5": md5(CONTENT)}


def test_an_empty_run_takes_nothing(workdir: Path) -> None:
    with unfinished(workdir) as out:
        image = make_image(template(more=(UnmatchedData(0),)), out, [having(ONE, TWO)], ["md5"])

    assert image.digests == {"md5": md5(CONTENT)}


def test_a_broken_end_of_the_templates_data_is_noticed(workdir: Path) -> None:
    """All bytes are there, only zlib's own check of them is wrong."""
    stream = zlib.compress(GAP)[:-1] + b"\0"

    with unfinished(workdir) as out, pytest.raises(TemplateError, match=r"part 1 .* is broken"):
        make_image(template(stream), out, [having(ONE, TWO)], ["md5"])


def test_what_cannot_be_written_is_an_error_of_the_system(workdir: Path) -> None:
    (workdir / "image").write_bytes(b"")

    with (workdir / "image").open("rb", buffering=0) as out, pytest.raises(OSError, match=r"."):
        make_image(template(), out, [having(ONE, TWO)], ["md5"])
