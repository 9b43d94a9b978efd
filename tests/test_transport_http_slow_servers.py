"""A server that is slow, or silent, while another may give the file sooner."""

from __future__ import annotations

import pytest
from memory_client import GOOD, MemoryClient, MemoryPlace, Reply, Time, sources

from release_builder.transport.http import Answer, Fetched, HttpOptions, Try
from release_builder.transport.http.fetcher import ServerFetcher
from release_builder.transport.http.slowness import Slowness

FILE = bytes(range(256)) * 4000  # 1,024,000 bytes
A, B, C = "http://a.test/f", "http://b.test/f", "http://c.test/f"


def gives(rate: int) -> Reply:
    """So many bytes, a second."""
    return Reply(piece=rate, pause=1)


SLOW = gives(30_000)


class Net:
    """A fetcher of one file, whose servers and clock belong to the test."""

    def __init__(
        self,
        replies: dict[str, Reply | list[Reply]],
        options: HttpOptions | None = None,
        right: bytes = FILE,
    ) -> None:
        self.time = Time()
        self.client = MemoryClient({"f": right}, replies, self.time)
        self.right = right
        self.fetcher = ServerFetcher(
            self.client,
            options or HttpOptions(),
            clock=self.time,
            sleep=self.time.sleep,
            random=lambda: 1.0,
        )

    def fetch(self, *urls: str, last: str = "", begun: bytes = b"") -> Fetched:
        """What is called right is right; what was asked is that of this file alone."""
        self.client.requests.clear()
        place = MemoryPlace(self.right, begun)
        fetched = self.fetcher.fetch(sources(*urls, last=last), place)
        assert bool(fetched.source) == (place.content == self.right)
        return fetched


def test_a_slow_server_is_left_for_another_that_goes_on() -> None:
    net = Net({A: SLOW}, HttpOptions(retries=0))

    fetched = net.fetch(A, B)

    left = Try(A, Answer.TIMEOUT, "slow: 30,000 of 1,024,000 bytes, then left for another")
    assert fetched == Fetched(B, (left, Try(B, Answer.RIGHT)))
    assert net.client.requests == [(A, 0), (B, 30_000)]
    assert net.time.now == 1
    assert [one.errors for one in net.fetcher.statistics()] == [0, 0]


def test_a_server_that_was_slow_is_not_asked_for_the_next_file() -> None:
    net = Net({A: [gives(1_000_000), SLOW], B: gives(200_000)})
    net.fetch(A)
    net.fetch(B)
    left = net.fetch(A, B)

    net.fetch(A, B)

    assert left.source == B
    assert net.client.asked == [B]


@pytest.mark.parametrize(
    ("rate", "asked"),
    [pytest.param(250_000, [A, B], id="3.1 s"), pytest.param(260_000, [A], id="2.9 s")],
)
def test_a_rest_that_comes_soon_is_waited_for(rate: int, asked: list[str]) -> None:
    net = Net({A: gives(rate)})

    net.fetch(A, B)

    assert net.client.asked == asked


@pytest.mark.parametrize(
    ("rate", "asked"),
    [pytest.param(100_000, [A, B], id="much faster"), pytest.param(60_000, [A], id="faster")],
)
def test_only_a_server_that_was_much_faster_is_worth_it(rate: int, asked: list[str]) -> None:
    net = Net({A: SLOW, B: [gives(rate)]})
    net.fetch(B)

    net.fetch(A, B)

    assert net.client.asked == asked


def test_a_server_becomes_worth_it_when_the_other_slows_down() -> None:
    net = Net({})

    def slow_down() -> None:
        net.time.now += 2.0 if net.time.now >= 1.0 else 0.0

    net.client.replies[A] = Reply(piece=30_000, pause=0.1, meanwhile=slow_down)

    fetched = net.fetch(A, B)

    assert fetched.source == B
    assert net.client.requests[1][1] > 300_000


def test_nobody_goes_back_to_a_server_that_was_left() -> None:
    net = Net({A: SLOW, B: gives(5000)})

    fetched = net.fetch(A, B)

    assert fetched.source == B
    assert net.client.requests == [(A, 0), (B, 30_000)]


def test_no_file_is_handed_on_without_end() -> None:
    hosts = [f"http://{host}.test/f" for host in "abcdefg"]
    net = Net(dict.fromkeys(hosts, SLOW))

    fetched = net.fetch(*hosts)

    assert fetched.source == hosts[3]
    assert net.client.asked == hosts[:4]


def test_a_slow_server_goes_on_when_the_other_has_not_got_the_file() -> None:
    net = Net({A: SLOW, B: Reply(error=Answer.NOT_FOUND)})

    fetched = net.fetch(A, B)

    assert fetched.source == A
    assert net.client.requests == [(A, 0), (B, 30_000), (A, 30_000)]


def test_a_slow_server_is_better_than_one_that_fails() -> None:
    net = Net({A: SLOW, B: Reply(error=Answer.CUT_OFF)}, HttpOptions(retries=50))

    fetched = net.fetch(A, B)

    assert fetched.source == A
    assert net.client.asked.count(B) == 3
    assert net.time.slept == []


def test_a_slow_server_is_left_again_for_one_that_was_busy() -> None:
    net = Net({A: SLOW, B: [Reply(error=Answer.BUSY, after=2)]})

    fetched = net.fetch(A, B)

    assert fetched.source == B
    assert net.client.asked == [A, B, A, B]
    assert net.time.slept == []


def test_a_slow_server_is_not_left_for_a_last_one() -> None:
    net = Net({A: SLOW})

    fetched = net.fetch(A, B, last=B)

    assert fetched.source == A


def test_a_slow_server_that_was_left_comes_before_a_last_one() -> None:
    net = Net({A: SLOW, B: Reply(error=Answer.NOT_FOUND)})

    net.fetch(A, B, C, last=C)

    assert net.client.asked == [A, B, A]


def test_a_file_that_one_server_must_give_stays_with_it() -> None:
    net = Net({A: [GOOD], B: SLOW})

    fetched = net.fetch(A, B, begun=b"wrong")

    assert fetched.source == B
    assert net.client.requests == [(A, 5), (B, 0)]


@pytest.mark.parametrize(
    ("limit_rate", "asked"),
    [pytest.param(89_000, [A], id="slower"), pytest.param(95_000, [A, B], id="faster")],
)
def test_a_limit_that_is_hardly_more_is_no_reason_to_leave(
    limit_rate: int, asked: list[str]
) -> None:
    net = Net({A: SLOW}, HttpOptions(limit_rate=limit_rate))

    net.fetch(A, B)

    assert net.client.asked == asked


def test_nobody_looks_for_another_more_often_than_each_second() -> None:
    slowness = Slowness(now=10.0)

    looks = [slowness.came(1, 10.0 + 0.25 * step, rest=1000) for step in range(1, 9)]

    assert [look is not None for look in looks] == [False, False, False, True] * 2


# Silence


def test_a_silent_server_is_left_sooner_while_another_is_there() -> None:
    net = Net({A: Reply(latency=25)})

    fetched = net.fetch(A, B)

    assert fetched == Fetched(B, (Try(A, Answer.TIMEOUT), Try(B, Answer.RIGHT)))
    assert net.time.now == 10


def test_a_server_that_falls_silent_is_left_sooner_while_another_is_there() -> None:
    net = Net({A: Reply(pause=25)})

    fetched = net.fetch(A, B)

    assert fetched.source == B
    assert net.time.now == 10


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        pytest.param(HttpOptions(timeout=4), 4, id="timeout"),
        pytest.param(HttpOptions(deadline=15), 5, id="a third of what is left"),
    ],
)
def test_patience_ends_by_the_timeout_or_a_third_of_the_time_that_is_left(
    options: HttpOptions, seconds: float
) -> None:
    net = Net({A: Reply(latency=25)}, options)

    net.fetch(A, B)

    assert net.time.now == seconds


def test_a_silent_server_has_all_patience_alone() -> None:
    net = Net({A: Reply(latency=25)}, HttpOptions(retries=0))

    fetched = net.fetch(A, "http://a.test/other/f")

    assert fetched.source == A


def test_a_silent_server_has_all_patience_when_the_others_failed() -> None:
    net = Net({A: Reply(latency=25), B: Reply(error=Answer.NOT_FOUND)})

    fetched = net.fetch(A, B)

    assert fetched.source == A
    assert net.client.asked == [A, B, A]


def test_a_silent_server_has_less_patience_while_a_slow_one_is_there() -> None:
    net = Net({A: SLOW, B: Reply(latency=25)}, HttpOptions(retries=0))

    fetched = net.fetch(A, B)

    assert fetched.source == A
    assert net.time.now < 1 + 10 + 40


def with_b_away(reply: Reply) -> Net:
    net = Net({A: reply, B: Reply(error=Answer.UNREACHABLE)}, HttpOptions(retries=0))
    for _ in range(3):
        net.fetch(B)
    return net


def test_a_server_that_is_away_is_no_reason_to_leave_a_slow_one() -> None:
    net = with_b_away(SLOW)

    net.fetch(A, B)

    assert net.client.asked == [A]


def test_a_server_that_is_away_takes_no_patience_from_a_silent_one() -> None:
    net = with_b_away(Reply(latency=25))

    fetched = net.fetch(A, B)

    assert fetched.source == A
