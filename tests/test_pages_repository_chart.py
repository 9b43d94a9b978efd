"""The chart of an image repository's sizes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from release_builder.pages.repository_chart import ChartedImage, repository_chart

START = datetime(2022, 1, 17, tzinfo=UTC)


def image(series: str, day: int, *rdiffs: int) -> ChartedImage:
    return ChartedImage(series, START + timedelta(days=day), 4_000_000_000 + day, rdiffs)


def test_each_series_has_a_line_of_images_and_one_of_rdiffs() -> None:
    text = repository_chart([image("a", 0, 10, 30), image("a", 9, 20), image("b", 3, 5)])

    assert [text.count(f"{name}: {kind}") for name in "ab" for kind in ("images", "rdiffs")] == [
        1
    ] * 4


def test_a_series_without_rdiffs_has_no_line_of_them() -> None:
    text = repository_chart([image("free", 0)])

    assert "free: images" in text
    assert "free: rdiffs" not in text


def test_of_many_series_it_shows_those_built_last() -> None:
    text = repository_chart([image(name, day) for day, name in enumerate("abcde")])

    assert [f"{name}: images" in text for name in "abcde"] == [False, False, True, True, True]


def test_the_same_images_give_the_same_bytes() -> None:
    images = [image("a", 0), image("b", 1, 7)]

    assert repository_chart(images) == repository_chart(images)


def test_nothing_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="0 lines"):
        repository_chart([])
