"""How names, sizes and times from outside are written on pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from release_builder.pages import texts


@pytest.mark.parametrize(
    ("path", "link"),
    [
        pytest.param("iso/x86_64/a-1_2~3.iso", "iso/x86_64/a-1_2~3.iso", id="nothing to escape"),
        pytest.param("a b#1?.iso", "a%20b%231%3F.iso", id="what ends a path"),
        pytest.param("50%.iso", "50%25.iso", id="what escapes"),
        pytest.param(
            "javascript:alert(1)", "javascript%3Aalert%281%29", id="what looks like a URL"
        ),
        pytest.param("é\udcff", "%C3%A9%FF", id="bytes that are no UTF-8"),
        pytest.param("\"'<>&", "%22%27%3C%3E%26", id="what HTML is made of"),
    ],
)
def test_a_link_is_percent_encoded(path: str, link: str) -> None:
    assert texts.href(path) == link


@pytest.mark.parametrize(
    ("count", "text"),
    [
        pytest.param(1204, "+1.2 kB", id="more"),
        pytest.param(-96, "−96 bytes", id="less"),  # noqa: RUF001 (a minus, not a hyphen)
        pytest.param(0, "0 bytes", id="the same"),
    ],
)
def test_a_difference_has_a_sign(count: int, text: str) -> None:
    assert texts.difference(count) == text


def test_times_are_told_in_utc() -> None:
    late = datetime(2014, 1, 31, 23, 30, tzinfo=timezone(timedelta(hours=-10)))

    assert texts.moment(late) == "2014-02-01T09:30:00Z"
    assert texts.day(late) == "2014-02-01"
    assert texts.day(late) == texts.day(late.astimezone(UTC))
