from __future__ import annotations

import pytest

from release_builder.media.rpm_version import Evr, compare


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        pytest.param("1.9", "1.10", id="numbers"),
        pytest.param("1", "1.0", id="more segments"),
        pytest.param("a", "b", id="letters"),
        pytest.param("Z", "a", id="capitals before small letters"),
        pytest.param("1.a", "1.1", id="letters before numbers"),
        pytest.param("8.0~rc1", "8.0", id="tilde before the end"),
        pytest.param("8.0~beta2", "8.0~rc1", id="after the tilde"),
        pytest.param("~~", "~", id="two tildes"),
        pytest.param("1.0", "1.0^git1", id="caret after the end"),
        pytest.param("1.0^git1", "1.0.1", id="caret before a segment"),
        pytest.param("1.0^~1", "1.0^", id="tilde after a caret"),
        pytest.param("9" * 5000, "1" + "0" * 5000, id="thousands of digits"),
        pytest.param("", "0", id="empty"),
    ],
)
def test_one_version_is_older_than_the_other(older: str, newer: str) -> None:
    both_ways = compare(older, newer), compare(newer, older)

    assert both_ways == (-1, 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("1.0", "1.00", id="leading zeros"),
        pytest.param("1.0", "1_0", id="separators"),
        pytest.param("1.0", "1.0.", id="separator at the end"),
        pytest.param("1a", "1.a", id="no separator"),
        pytest.param("1é", "1", id="letters beyond ASCII"),
        pytest.param("1٣", "1", id="digits beyond ASCII"),
    ],
)
def test_rpm_sees_no_difference(one: str, other: str) -> None:
    assert compare(one, other) == 0


def test_epoch_counts_before_version_and_version_before_release() -> None:
    oldest, newer, newest = Evr(0, "2.0", "9"), Evr(0, "2.1", "1"), Evr(1, "1.0", "1")

    in_order = sorted([newest, oldest, newer])

    assert in_order == [oldest, newer, newest]
    assert max(in_order) is newest
    assert oldest <= newer < newest


def test_equal_versions_are_one_in_a_set() -> None:
    versions = {Evr(0, "1.0", "1"), Evr(0, "1.00", "1")}

    assert len(versions) == 1
    assert Evr(0, "1.0", "1") != "1.0-1"


@pytest.mark.parametrize(
    ("epoch", "text"), [pytest.param(0, "2.3-4", id="none"), pytest.param(1, "1:2.3-4", id="one")]
)
def test_an_epoch_is_written_only_where_there_is_one(epoch: int, text: str) -> None:
    assert str(Evr(epoch, "2.3", "4")) == text
