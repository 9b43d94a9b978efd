"""Tests of spans of time for people."""

from __future__ import annotations

import pytest

from release_builder.spans import span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(-5, "0 s", id="clock set back"),
        pytest.param(59, "59 s", id="seconds"),
        pytest.param(119.9, "120 s", id="not yet minutes"),
        pytest.param(120, "2 min", id="minutes"),
        pytest.param(7200, "2 h", id="hours"),
        pytest.param(47 * 3600, "47 h", id="not yet days"),
        pytest.param(48 * 3600, "2 days", id="days"),
    ],
)
def test_a_span_of_time_is_said_in_its_largest_unit(seconds: float, text: str) -> None:
    assert span(seconds) == text
