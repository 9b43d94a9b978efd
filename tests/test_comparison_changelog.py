"""Which entries of a changelog are news, and which bugs they name."""

from __future__ import annotations

import pytest
from comparing import DAY, ENTRIES, FIRST, package

from release_builder.comparison.changelog import bugs_in, new_entries
from release_builder.media.rpm import Change


def news(old: tuple[Change, ...], new: tuple[Change, ...], built: int = 0) -> list[str]:
    """The texts that are new."""
    before = package("a", "1.0-1.el6.sme", changes=old, built=built)
    after = package("a", "1.0-3.el6.sme", changes=new)
    return [entry.text for entry in new_entries(before, after)]


def entry(day: int, author: str, text: str) -> Change:
    return Change(FIRST + day * DAY, author, text)


def test_entries_of_later_days_are_new() -> None:
    assert news(ENTRIES[2:], ENTRIES) == [each.text for each in ENTRIES[:2]]


def test_nothing_is_new_in_the_same_changelog() -> None:
    assert news(ENTRIES, ENTRIES) == []


def test_nothing_is_new_in_an_older_changelog() -> None:
    assert news(ENTRIES, ENTRIES[1:]) == []


def test_two_versions_of_one_day_are_told_apart() -> None:
    old = (entry(0, "A 1.0-1.sme", "one"),)

    assert news(old, (entry(0, "A 1.0-2.sme", "two"), *old)) == ["two"]


def test_a_text_that_was_corrected_is_not_new() -> None:
    old = (entry(0, "A 1.0-1.sme", "one"),)

    assert news(old, (entry(0, "A 1.0-1.sme", "One, corrected"),)) == []


def test_a_date_that_was_corrected_makes_no_news() -> None:
    old = (entry(0, "A 1.0-1.sme", "one"),)

    assert news(old, (entry(5, "A 1.0-1.sme", "one"),)) == []


def test_entries_after_a_mistyped_date_are_new_by_their_version() -> None:
    old = (entry(400, "A 1.0-1.sme", "of next year"),)

    assert news(old, (*old, entry(1, "A 1.0-2.sme", "two"))) == ["two"]


def test_older_entries_that_were_merged_in_are_not_new() -> None:
    old = (entry(5, "A 1.0-5.sme", "five"),)

    assert news(old, (*old, entry(1, "B 0.9-1", "other branch"), entry(0, "B", "none"))) == []


def test_entries_of_one_day_without_versions_are_told_apart_by_their_texts() -> None:
    old = (entry(0, "A", "one"),)

    assert news(old, (entry(0, "A", "two"), *old)) == ["two"]


def test_without_an_old_changelog_the_time_of_the_build_decides() -> None:
    assert news((), ENTRIES, built=FIRST + DAY) == [each.text for each in ENTRIES[:2]]


def test_without_anything_of_the_old_package_its_version_decides() -> None:
    assert news((), ENTRIES) == [each.text for each in ENTRIES[:2]]


@pytest.mark.parametrize(
    ("text", "bugs"),
    [
        pytest.param("- Fix [SME: 8123]", (8123,), id="as SME writes it"),
        pytest.param("[SME:8123]", (8123,), id="without blank"),
        pytest.param("[sme 8123]", (8123,), id="without colon"),
        pytest.param("[bug 8123] [Bug #9]", (9, 8123), id="bug"),
        pytest.param("[SME: 8123, 8124]", (8123, 8124), id="several"),
        pytest.param("[SME: 2]\n[SME: 10] [SME: 2]", (2, 10), id="sorted by number, each once"),
        pytest.param("[SF: 12] SME: 13 [SMELL: 14] [SME: x]", (), id="none"),
        pytest.param("[SME: 1234567890123]", (), id="no number of a bug is so long"),
    ],
)
def test_bugs_are_found(text: str, bugs: tuple[int, ...]) -> None:
    assert bugs_in([Change(FIRST, "A", text)]) == bugs
