"""Which deltas a repository offers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from release_builder.repository.configuration import Series
from release_builder.repository.selection import Pair, Policy, ambiguous, pairs

IMAGES = tuple(f"a-2021-01-0{day}-000000-amd64.img" for day in range(1, 6))
FREE = "free-2021-01-05-000000-amd64.img"


def days(policy: Policy, count: int = 5) -> list[str]:
    """The deltas of a series as ``source>target``, each a day."""
    found = pairs(Series("a", IMAGES[:count]), policy)
    return [f"{IMAGES.index(pair.source) + 1}>{IMAGES.index(pair.target) + 1}" for pair in found]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(Policy(), "1>3 2>3 4>3 5>3 1>4 2>4 3>4 5>4 1>5 2>5 3>5 4>5", id="original"),
        pytest.param(Policy(targets=1), "1>5 2>5 3>5 4>5", id="latest only"),
        pytest.param(Policy(targets=0), "", id="none"),
        pytest.param(Policy(targets=9, sources=1, downgrades=False), "1>2 2>3 3>4 4>5", id="chain"),
        pytest.param(Policy(downgrades=False), "1>3 2>3 1>4 2>4 3>4 1>5 2>5 3>5 4>5", id="up only"),
        pytest.param(Policy(targets=2, sources=1), "3>4 5>4 4>5", id="one back"),
        pytest.param(Policy(targets=2, sources=0), "5>4", id="downgrades only"),
    ],
)
def test_the_last_images_get_deltas_in_the_order_of_the_list(policy: Policy, expected: str) -> None:
    assert " ".join(days(policy)) == expected


@given(some.integers(0, 5))
def test_there_are_as_many_deltas_as_the_original_makes(count: int) -> None:
    found = days(Policy(), count)

    assert len(found) == min(count, 3) * max(count - 1, 0)
    assert len(set(found)) == len(found)


def test_extra_deltas_follow_those_of_their_target_once_each() -> None:
    extra = {IMAGES[0]: (FREE,), IMAGES[4]: (IMAGES[1], FREE)}
    series = Series("a", IMAGES, extra)

    found = pairs(series, Policy(targets=1, sources=2))

    assert found == (
        Pair(FREE, IMAGES[0]),
        *(Pair(IMAGES[place], IMAGES[4]) for place in (2, 3, 1)),
        Pair(FREE, IMAGES[4]),
    )


def test_two_targets_of_one_stamp_cannot_both_have_a_delta_of_one_source() -> None:
    one, other = Pair(IMAGES[0], IMAGES[4]), Pair(IMAGES[0], FREE)

    assert one.rdiff == other.rdiff
    assert ambiguous([one, other, one]) == (other,)


@pytest.mark.parametrize(
    ("share", "delta", "is_worthwhile"),
    [
        pytest.param(80, 80, True, id="as large"),
        pytest.param(80, 81, False, id="larger"),
        pytest.param(None, 1000, True, id="any"),
    ],
)
def test_a_delta_above_a_share_of_its_image_is_not_worthwhile(
    share: int | None, delta: int, is_worthwhile: bool
) -> None:
    assert Policy(largest_share=share).is_worthwhile(delta, 100) is is_worthwhile


def test_a_pair_of_something_else_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="something"):
        _ = Pair("something", IMAGES[0]).rdiff
