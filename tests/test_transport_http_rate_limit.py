from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest
from bad_server import BadServer

from release_builder.transport.http import HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.rate_limit import RateLimit


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 1000.0
    naps: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


def limited(rate: int | None, time: Time) -> RateLimit:
    return RateLimit(rate, clock=lambda: time.now, sleep=time.sleep)


def test_bytes_take_as_long_as_the_rate_says() -> None:
    time = Time()
    limit = limited(8000, time)

    for _ in range(80):
        limit.take(1000)

    assert time.now - 1000 == pytest.approx(80_000 / 8000, rel=0.02)


def test_bytes_come_evenly() -> None:
    time = Time()
    limit = limited(8000, time)

    for _ in range(80):
        limit.take(limit.piece)

    assert max(time.naps) < 0.13


def test_a_pause_saves_up_no_more_than_an_eighth_of_a_second() -> None:
    time = Time()
    limit = limited(8000, time)
    time.now += 3600

    limit.take(9000)

    assert time.naps == [pytest.approx(1.0)]


def test_who_comes_slower_than_the_limit_never_waits() -> None:
    time = Time()
    limit = limited(8000, time)

    for _ in range(10):
        time.now += 0.125
        limit.take(999)

    assert not time.naps


def test_without_a_rate_nobody_waits() -> None:
    time = Time()
    limit = limited(None, time)

    limit.take(1 << 40)

    assert not time.naps
    assert limit.piece == 1 << 20


@pytest.mark.parametrize(
    ("rate", "piece"),
    [(1, 1), (8, 1), (8000, 1000), (100 << 20, 1 << 20)],
)
def test_what_is_read_at_once_fits_the_rate(rate: int, piece: int) -> None:
    assert limited(rate, Time()).piece == piece


def test_nobody_sleeps_past_the_end() -> None:
    time = Time()
    limit = limited(10, time)

    limit.take(1000, ends_at=1002.5)
    limit.take(1000, ends_at=1002.5)

    assert time.naps == [2.5]


def test_all_threads_share_one_bucket() -> None:
    naps: list[float] = []  # the clock stands still: each owes what all took before
    limit = RateLimit(1000, clock=lambda: 0.0, sleep=naps.append)
    threads = [threading.Thread(target=limit.take, args=(1000,)) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(naps) == [pytest.approx(seconds) for seconds in range(1, 9)]


def test_a_client_takes_no_more_than_its_rate() -> None:
    options = HttpOptions(limit_rate=400_000)

    with BadServer({"/a": bytes(200_000)}) as server, HttpClient(options, {}) as client:
        began = time.monotonic()
        with client.get(f"{server.url}/a") as body:
            for _ in body.blocks():
                pass
        took = time.monotonic() - began

    assert took > 0.3
