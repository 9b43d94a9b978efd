"""The time that reproducible output carries."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from release_builder.epoch import source_date_epoch
from release_builder.errors import DescriptorError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("0", 0, id="first"),
        pytest.param("1400000000", 1_400_000_000, id="some"),
        pytest.param("000000000000001", 1, id="leading zeros"),
        pytest.param("000", 0, id="zeros"),
        pytest.param("253402300799", 253_402_300_799, id="last"),
    ],
)
def test_a_time_is_read(text: str, seconds: int) -> None:
    assert source_date_epoch({"SOURCE_DATE_EPOCH": text}) == seconds


@pytest.mark.parametrize(
    "environ",
    [pytest.param({}, id="not set"), pytest.param({"SOURCE_DATE_EPOCH": ""}, id="empty")],
)
def test_without_a_time_there_is_none(environ: dict[str, str]) -> None:
    assert source_date_epoch(environ) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("today", id="word"),
        pytest.param("-1", id="before 1970"),
        pytest.param("+1", id="sign"),
        pytest.param("1.5", id="fraction"),
        pytest.param("1_000", id="underscore"),
        pytest.param(" 1", id="blank"),
        pytest.param("1\n", id="line end"),
        pytest.param("²", id="superscript"),
        pytest.param("٣", id="foreign digit"),
        pytest.param("253402300800", id="year 10000"),
        pytest.param("99999999999999999", id="too big"),
        pytest.param("9" * 5000, id="longer than int takes"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(DescriptorError, match="SOURCE_DATE_EPOCH is '") as raised:
        source_date_epoch({"SOURCE_DATE_EPOCH": text})

    assert "whole number from 0 to 253402300799" in raised.value.hint
    assert len(str(raised.value)) < 300


def test_the_last_time_is_one_that_dates_can_say() -> None:
    seconds = source_date_epoch({"SOURCE_DATE_EPOCH": "253402300799"})

    assert seconds is not None
    assert datetime.fromtimestamp(seconds, UTC).isoformat() == "9999-12-31T23:59:59+00:00"
