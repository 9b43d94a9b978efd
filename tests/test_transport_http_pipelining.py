"""Requests that share a connection: what a server makes of them, files are right and come."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from builders import noise
from memory_client import MemoryPlace
from pipelining_server import PipeliningServer

from release_builder.transport.http import Answer, HttpOptions, Source
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.fetcher import ServerFetcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelining_server import Manners

    from release_builder.transport.http import Fetched

FILES = {f"/{at:03}.rpm": noise(3000 + at, at) for at in range(80)}
CONNECTIONS = 3
THREADS = 9
PATIENCE = 50.0


def hang_up_between(answers: list[bytes]) -> list[bytes | float | None]:
    return [answers[0], None]


def hang_up_at_once(_answers: list[bytes]) -> list[bytes | float | None]:
    return [None]


def cut_the_first(answers: list[bytes]) -> list[bytes | float | None]:
    return [answers[0][:-1], None]


def cut_the_second(answers: list[bytes]) -> list[bytes | float | None]:
    return [answers[0], answers[1][:-1], None]


def swap(answers: list[bytes]) -> list[bytes | float | None]:
    return [*reversed(answers)]


def forget_the_second(answers: list[bytes]) -> list[bytes | float | None]:
    return [answers[0], *answers[2:]]


def repeat_the_first(answers: list[bytes]) -> list[bytes | float | None]:
    return [answers[0] for _ in answers]


def send_too_much(answers: list[bytes]) -> list[bytes | float | None]:
    return [answers[0] + b"more", *answers[1:]]


def refuse_the_second(answers: list[bytes]) -> list[bytes | float | None]:
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    return [answers[0], head, *answers[2:]]


def redirect_the_second(answers: list[bytes]) -> list[bytes | float | None]:
    head = b"HTTP/1.1 302 Found\r\nLocation: /000.rpm\r\nContent-Length: 0\r\n\r\n"
    return [answers[0], head, *answers[2:]]


def mix_up_the_bytes(answers: list[bytes]) -> list[bytes | float | None]:
    return [answers[0][:-9] + answers[1][-9:], *answers[1:]]


def speak_no_http(answers: list[bytes]) -> list[bytes | float | None]:
    return [answers[0], b"nonsense\r\n\r\n"]


def head_the_second_at_length(answers: list[bytes]) -> list[bytes | float | None]:
    return [answers[0], _with_headers(answers[1], 90, 60_000), *answers[2:]]


def head_all_as_some_do(answers: list[bytes]) -> list[bytes | float | None]:
    return [_with_headers(each, 30, 1000) for each in answers]


def _with_headers(answer: bytes, count: int, size: int) -> bytes:
    headers = b"A: %b\r\n" % (b"a" * size) * count
    return answer.replace(b"\r\n", b"\r\n" + headers, 1)


def trickle(answers: list[bytes]) -> list[bytes | float | None]:
    first, *others = answers
    return [first[:1000], 0.2, first[1000:2000], 0.2, first[2000:3000], 0.2, first[3000:], *others]


TROUBLES = [
    hang_up_between,
    hang_up_at_once,
    cut_the_first,
    cut_the_second,
    swap,
    repeat_the_first,
    send_too_much,
    refuse_the_second,
    redirect_the_second,
    mix_up_the_bytes,
    speak_no_http,
    head_the_second_at_length,
]


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(HttpOptions(connections=CONNECTIONS, retries=0, timeout=20), {}) as asker:
        yield asker


def fetch_all(fetcher: ServerFetcher, url: str) -> list[Fetched]:
    def fetch_one(path: str) -> Fetched:
        place = MemoryPlace(FILES[path])
        fetched = fetcher.fetch([Source(url + path)], place)
        assert not fetched.source or place.content == FILES[path]
        return fetched

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(fetch_one, FILES, timeout=PATIENCE))


def test_a_server_afar_has_the_next_request_before_it_has_answered(client: HttpClient) -> None:
    with PipeliningServer(FILES) as server:
        fetcher = ServerFetcher(client, client.options)

        fetched = fetch_all(fetcher, server.url)

        assert all(each.source for each in fetched)
        assert fetcher.depth == server.most_at_once > 1
        assert server.most_open <= CONNECTIONS
        assert sorted(server.paths) == sorted(FILES)  # each once


@pytest.mark.parametrize("manners", TROUBLES)
def test_a_server_that_takes_no_second_request_has_nothing_to_answer_for(
    client: HttpClient, manners: Manners
) -> None:
    with PipeliningServer(FILES, manners) as server:
        fetcher = ServerFetcher(client, client.options)

        fetched = fetch_all(fetcher, server.url)

        assert server.most_at_once > 1
        assert {tuple(one.answer for one in each.tries) for each in fetched} == {(Answer.RIGHT,)}
        (told,) = fetcher.statistics()
        assert (told.errors, told.lies, told.files) == (0, 0, len(FILES))
        assert fetcher.dropped == fetcher.distrusted == ()
        assert fetcher.depth == 1
        assert server.most_open <= CONNECTIONS
        # From then on one by one: only those that were under way have gone together.
        assert sum(size > 1 for size in server.batches) <= 2 * CONNECTIONS


def test_answers_that_share_a_connection_may_each_have_many_headers(client: HttpClient) -> None:
    with PipeliningServer(FILES, head_all_as_some_do) as server:
        fetcher = ServerFetcher(client, client.options)

        fetched = fetch_all(fetcher, server.url)

        assert all(each.source for each in fetched)
        assert fetcher.depth == server.most_at_once > 1
        assert sorted(server.paths) == sorted(FILES)  # each once


def test_a_request_that_is_never_answered_is_sent_again_long_before_the_timeout(
    client: HttpClient,
) -> None:
    with PipeliningServer(FILES, forget_the_second) as server:
        fetched = fetch_all(ServerFetcher(client, client.options), server.url)

        assert server.most_at_once > 1
        assert {tuple(one.answer for one in each.tries) for each in fetched} == {(Answer.RIGHT,)}


@pytest.mark.parametrize("last", [1, 4, 7])
def test_a_server_that_ends_its_connections_as_it_says_is_only_asked_again(
    client: HttpClient, last: int
) -> None:
    with PipeliningServer(FILES, last=last) as server:
        fetcher = ServerFetcher(client, client.options)

        fetched = fetch_all(fetcher, server.url)

        assert {tuple(one.answer for one in each.tries) for each in fetched} == {(Answer.RIGHT,)}
        (told,) = fetcher.statistics()
        assert (told.errors, told.lies) == (0, 0)
        assert (fetcher.depth > 1) == (last > 1)
        assert server.most_open <= CONNECTIONS


def test_the_clock_of_a_request_that_waits_behind_another_stands_still() -> None:
    with (
        PipeliningServer(FILES, trickle) as server,
        HttpClient(HttpOptions(connections=CONNECTIONS, retries=0, timeout=0.5), {}) as client,
    ):
        fetcher = ServerFetcher(client, client.options)

        fetched = fetch_all(fetcher, server.url)

        assert {tuple(one.answer for one in each.tries) for each in fetched} == {(Answer.RIGHT,)}
        assert fetcher.depth == server.most_at_once > 1


def test_at_the_deadline_those_that_wait_behind_others_end_too() -> None:
    options = HttpOptions(connections=CONNECTIONS, deadline=1.0)
    with PipeliningServer(FILES, lambda _: [60.0]) as server, HttpClient(options, {}) as client:
        began = time.monotonic()

        fetched = fetch_all(ServerFetcher(client, options), server.url)

        assert server.most_at_once > 1
        assert {each.tries[-1].answer for each in fetched} == {Answer.RIGHT, Answer.NO_TIME}
        assert time.monotonic() - began < 4


def test_what_a_rate_holds_back_comes_no_faster_by_shared_connections() -> None:
    rate = 200_000
    options = HttpOptions(connections=CONNECTIONS, limit_rate=rate)
    with PipeliningServer(FILES) as server, HttpClient(options, {}) as client:
        began = time.monotonic()

        fetched = fetch_all(ServerFetcher(client, options), server.url)

        assert all(each.source for each in fetched)
        assert time.monotonic() - began > 0.8 * sum(map(len, FILES.values())) / rate
