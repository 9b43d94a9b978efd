"""Which server gets asked: the better, the less busy; and how many threads take their turns."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest
from memory_client import MemoryClient, MemoryPlace, Reply, Time, sources

from release_builder.transport.http import Answer, HttpError, HttpOptions, Source
from release_builder.transport.http.attempts import Candidate
from release_builder.transport.http.backoff import Deadline
from release_builder.transport.http.fetcher import ServerFetcher
from release_builder.transport.http.server import server_of
from release_builder.transport.http.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_builder.transport.http.turn import Turn

_Result = TypeVar("_Result")

A, B, C = "http://a.test/f", "http://b.test/f", "http://c.test/f"
MEGABYTE = 1 << 20
PATIENCE = 60  # seconds: what should happen at once has failed then


class Board:
    """Servers whose past belongs to the test."""

    def __init__(self, allowed: int | None = None, deadline: float | None = None) -> None:
        self.time = Time()
        end = Deadline(deadline, self.time)
        self.servers = Servers(allowed, end, self.time, self.time.sleep)

    def take(self, *urls: str, length: int = MEGABYTE) -> Turn:
        turn = self.servers.take(
            [Candidate(url, server_of(url), last=False) for url in urls], length
        )
        assert turn
        return turn

    def choice(self, *urls: str, length: int = MEGABYTE) -> str:
        """Whom the next request would go to; it stays under way."""
        return self.take(*urls, length=length).candidate.url

    def serve(self, url: str, latency: float = 0.1, seconds: float = 1.0) -> None:
        """``url`` gives a megabyte."""
        turn = self.take(url)
        self.time.now += latency
        self.servers.answered(turn)
        self.time.now += seconds
        turn.received, turn.ended = MEGABYTE, True
        self.servers.give_back(turn)

    def fail(self, url: str, answer: Answer = Answer.SERVER_ERROR) -> None:
        turn = self.take(url)
        turn.error = HttpError(answer)
        self.servers.give_back(turn)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        pytest.param("http://A.test/x", "http://a.test", id="host in lower case"),
        pytest.param("HTTP://a.test:80/x", "http://a.test", id="usual port"),
        pytest.param("https://a.test:443/x", "https://a.test", id="usual port of https"),
        pytest.param("https://a.test:80/x", "https://a.test:80", id="port of the other"),
        pytest.param("http://me:word@a.test/x", "http://a.test", id="password"),
        pytest.param("http://[::1]:8080/x", "http://[::1]:8080", id="IPv6"),
        pytest.param("ftp://me:word@a.test/x", "ftp://a.test/x", id="no http"),
        pytest.param("http://a:b/x", "http://a:b/x", id="no URL"),
    ],
)
def test_a_server_is_scheme_host_and_port(url: str, server: str) -> None:
    assert server_of(url) == server


def test_unknown_servers_get_their_try_in_the_order_given() -> None:
    board = Board()
    board.serve(B, latency=0.001, seconds=0.001)

    asked = [board.choice(C, B, A) for _ in range(2)]

    assert asked == [C, A]


def test_the_server_that_gives_more_a_second_is_asked() -> None:
    board = Board()
    board.serve(A, seconds=2)
    board.serve(B, seconds=1)

    assert board.choice(A, B) == B


@pytest.mark.parametrize(
    ("length", "best"), [pytest.param(1000, A, id="small"), pytest.param(50 << 20, B, id="big")]
)
def test_who_answers_sooner_gets_small_files_who_gives_more_big_ones(
    length: int, best: str
) -> None:
    board = Board()
    board.serve(A, latency=0.1, seconds=1)
    board.serve(B, latency=0.5, seconds=0.5)

    assert board.choice(A, B, length=length) == best


def test_a_server_that_failed_lately_is_not_the_best() -> None:
    board = Board()
    board.serve(A, seconds=1)
    board.serve(B, seconds=3)
    board.fail(A)

    assert board.choice(A, B) == B


def test_what_a_server_failed_long_ago_is_forgotten() -> None:
    board = Board()
    board.serve(A, seconds=1)
    board.serve(B, seconds=3)
    board.fail(A)
    board.time.now += 600

    assert board.choice(A, B) == A


def test_equally_good_servers_share_the_load() -> None:
    board = Board()
    for url in (A, B, C):
        board.serve(url)

    asked = [board.choice(A, B, C) for _ in range(9)]

    assert asked == [A, B, C] * 3


def test_a_server_that_does_not_answer_gets_no_more_files() -> None:
    board = Board()
    board.serve(A)
    board.serve(B)
    silent = board.choice(A, B)
    board.time.now += 5

    asked = [board.choice(A, B) for _ in range(4)]

    assert silent == A
    assert asked == [B] * 4


def test_another_good_server_is_taken_when_the_best_is_full() -> None:
    board = Board()
    board.serve(A, seconds=1)
    board.serve(B, seconds=4)

    asked = [board.choice(A, B) for _ in range(9)]

    assert asked == [A] * 8 + [B]


def test_a_bad_server_is_not_taken_though_the_best_is_full() -> None:
    board = Board(allowed=1, deadline=2000)
    board.serve(A, seconds=1)
    board.serve(B, seconds=1000)
    turn = board.take(A, B)
    waiting = _in_thread(lambda: board.choice(A, B))

    board.servers.give_back(turn)

    assert waiting() == A


@pytest.mark.parametrize(
    ("connections", "most"), [pytest.param(None, 8, id="default"), pytest.param(3, 3, id="asked")]
)
def test_a_server_is_never_asked_by_more_than_are_allowed(
    connections: int | None, most: int
) -> None:
    full = threading.Event()
    client = MemoryClient({"f": b"file"})

    def wait_for_all() -> None:
        if client.busiest["http://a.test"] == most:
            full.set()
        full.wait(PATIENCE)

    client.replies[A] = Reply(meanwhile=wait_for_all)
    fetcher = ServerFetcher(client, HttpOptions(connections=connections))

    with ThreadPoolExecutor(16) as pool:
        fetched = list(
            pool.map(lambda _: fetcher.fetch([Source(A)], MemoryPlace(b"file")), range(64))
        )

    assert {one.source for one in fetched} == {A}
    assert client.busiest == {"http://a.test": most}


def test_only_one_request_tells_whether_a_server_is_back() -> None:
    board = Board()
    for _ in range(3):
        board.fail(A, Answer.UNREACHABLE)
    board.time.now += 30
    candidate = Candidate(A, server_of(A), last=False)
    board.take(A)

    second = board.servers.take([candidate], MEGABYTE, patient=False)

    assert second is None
    assert candidate.barred == (Answer.UNREACHABLE, "unreachable before")


def test_all_wait_for_the_one_request_that_tells_whether_a_server_is_back() -> None:
    board = Board()
    for _ in range(3):
        board.fail(A, Answer.UNREACHABLE)
    probe = board.take(A)
    others = [_in_thread(lambda: board.take(A)) for _ in range(3)]

    probe.ended = True
    board.servers.give_back(probe)

    assert probe.probe
    assert [other().probe for other in others] == [False] * 3


@pytest.mark.parametrize("deadline", [pytest.param(None, id="stop"), pytest.param(0.5, id="time")])
def test_a_wait_for_a_server_that_is_away_ends_with_all(deadline: float | None) -> None:
    down = Reply(error=Answer.UNREACHABLE)
    client = MemoryClient({"f": b"file"}, {A: down})
    options = HttpOptions(deadline=deadline, retries=10**6)
    fetcher = ServerFetcher(client, options, random=lambda: 0.0)
    ends = [_in_thread(lambda: fetcher.fetch([Source(A)], MemoryPlace(b"file"))) for _ in range(4)]
    _until(lambda: bool(fetcher.dropped))

    if deadline is None:
        fetcher.stop()

    assert {end().tries[0].answer for end in ends} == {Answer.NO_TIME}


def test_who_waits_for_a_full_server_takes_another_when_its_pause_is_over() -> None:
    servers = Servers(1, Deadline(None, time.monotonic), time.monotonic)
    full = Candidate(A, server_of(A), last=False)
    paused = Candidate(B, server_of(B), last=False, ready_at=time.monotonic() + 0.05)
    servers.take([full], MEGABYTE)
    turn = _in_thread(lambda: servers.take([full, paused], MEGABYTE))()

    assert turn
    assert turn.candidate is paused


def test_who_waited_longest_is_next() -> None:
    board = Board(allowed=1)
    order: list[int] = []
    turn = board.take(A)

    def wait(number: int) -> None:
        mine = board.take(A)
        order.append(number)
        board.servers.give_back(mine)

    ends = []
    for number in range(5):
        ends.append(_in_thread(partial(wait, number)))
        _until(lambda: len(turn.server.queue) == len(ends))
    board.servers.give_back(turn)
    for end in ends:
        end()

    assert order == [0, 1, 2, 3, 4]


def test_who_waits_for_two_servers_takes_the_first_that_is_free() -> None:
    board = Board(allowed=1)
    first, second = board.take(A), board.take(B)
    both = _in_thread(lambda: board.take(A, B))
    _until(lambda: bool(second.server.queue))
    behind = _in_thread(lambda: board.take(B))
    _until(lambda: len(second.server.queue) == 2)

    board.servers.give_back(first)
    taken = both()
    board.servers.give_back(second)

    assert taken.server.name == "http://a.test"
    assert behind().server.name == "http://b.test"


def test_many_threads_and_few_turns_end_in_all_files() -> None:
    content = {f"/{number}": bytes([number]) * (number * 100) for number in range(100)}
    client = MemoryClient(content)
    client.replies = {
        "http://a.test": [Reply(error=Answer.BUSY), Reply(give=50), Reply(give=10)] * 9,
        "http://b.test": [Reply(error=Answer.SERVER_ERROR), Reply(ignore_range=True)] * 9,
    }
    fetcher = ServerFetcher(client, HttpOptions(connections=2), random=lambda: 0.001)

    def fetch(number: int) -> bool:
        place = MemoryPlace(content[f"/{number}"])
        urls = [f"http://{server}.test/{number}" for server in "abc"]
        return bool(fetcher.fetch(sources(*urls), place).source) and place.content == place.right

    with ThreadPoolExecutor(24) as pool:
        right = list(pool.map(fetch, range(100)))

    assert all(right)
    assert max(client.busiest.values()) <= 2
    assert set(client.under_way.values()) == {0}


def test_a_server_that_is_away_for_a_while_loses_no_file() -> None:
    together = threading.Barrier(8, timeout=PATIENCE)
    first = Reply(give=1, end=Answer.UNREACHABLE, meanwhile=together.wait)
    probe = Reply(error=Answer.UNREACHABLE)
    client = MemoryClient({"f": b"file"}, {A: [first] * 8 + [probe] * 2})
    fetcher = ServerFetcher(client, HttpOptions(), clock=client.time, sleep=client.time.sleep)

    with ThreadPoolExecutor(8) as pool:
        fetched = list(
            pool.map(lambda _: fetcher.fetch([Source(A)], MemoryPlace(b"file")), range(400))
        )

    assert {one.source for one in fetched} == {A}
    assert len(client.requests) == 400 + 8 + 2


def test_a_stop_ends_a_pause() -> None:
    paused = threading.Event()

    def pause() -> float:
        paused.set()
        return 0.0

    client = MemoryClient({"f": b"file"}, {A: Reply(error=Answer.BUSY, after=60)})
    fetcher = ServerFetcher(client, HttpOptions(), random=pause)
    end = _in_thread(lambda: fetcher.fetch([Source(A)], MemoryPlace(b"file")))
    assert paused.wait(PATIENCE)

    fetcher.stop()

    assert end().tries[0].answer is Answer.NO_TIME


@pytest.mark.parametrize("deadline", [pytest.param(None, id="stop"), pytest.param(0.05, id="time")])
def test_a_wait_for_a_turn_ends_with_all(deadline: float | None) -> None:
    gate, asked = threading.Event(), threading.Event()

    def block() -> None:
        asked.set()
        gate.wait(PATIENCE)

    client = MemoryClient({"f": b"file"}, {A: Reply(meanwhile=block)})
    fetcher = ServerFetcher(client, HttpOptions(connections=1, deadline=deadline))
    first = _in_thread(lambda: fetcher.fetch([Source(A)], MemoryPlace(b"file")))
    assert asked.wait(PATIENCE)
    second = _in_thread(lambda: fetcher.fetch([Source(A)], MemoryPlace(b"file")))

    if deadline is None:
        fetcher.stop()

    assert second().tries[0].answer is Answer.NO_TIME
    gate.set()
    assert first().source == A  # its last byte came: it is right


def test_a_handler_of_a_signal_may_stop_all_in_the_thread_that_holds_the_lock() -> None:
    def interrupted() -> float:
        servers.stop()
        return 0.0

    servers = Servers(None, Deadline(None, Time()), interrupted)
    end = _in_thread(lambda: servers.take([Candidate(A, server_of(A), last=False)], 1))

    assert end()


def _in_thread(work: Callable[[], _Result]) -> Callable[[], _Result]:
    """Do ``work`` beside; the function that is returned waits for its end."""
    results: list[_Result] = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()

    def end() -> _Result:
        thread.join(PATIENCE)
        assert results, "it hangs, or raised"
        return results[0]

    return end


def _until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads do."""
    pause = threading.Event()
    for _ in range(PATIENCE * 1000):
        if condition():
            return
        pause.wait(0.001)
    raise AssertionError


# Who may go on for a slow one


def faster(board: Board, *urls: str, seconds: float = 100.0) -> str | None:
    turn = board.servers.take_faster(
        [Candidate(url, server_of(url), last=False) for url in urls], MEGABYTE, seconds
    )
    return turn.candidate.url if turn else None


def test_the_best_server_that_is_free_goes_on_for_a_slow_one() -> None:
    board = Board(allowed=1)
    for url, seconds in ((A, 1.0), (B, 3.0), (C, 4.0)):
        board.serve(url, seconds=seconds)
    board.take(A)

    assert faster(board, C, A, B) == B


@pytest.mark.parametrize(
    ("seconds", "found"), [pytest.param(2.0, A, id="soon"), pytest.param(1.0, None, id="late")]
)
def test_a_server_goes_on_if_it_should_be_done_in_time(seconds: float, found: str | None) -> None:
    board = Board()
    board.serve(A, seconds=1)

    assert faster(board, A, seconds=seconds) == found


def test_a_server_that_is_to_be_left_alone_does_not_go_on() -> None:
    board = Board()
    turn = board.take(A)
    turn.error = HttpError(Answer.BUSY, after=20)
    board.servers.give_back(turn)

    at_once = faster(board, A)
    board.time.now += 20

    assert (at_once, faster(board, A)) == (None, A)


def test_a_server_that_lied_does_not_go_on() -> None:
    board = Board()
    for _ in range(2):
        turn = board.take(A)
        turn.ended = True
        board.servers.give_back(turn)
        board.servers.judge(turn, right=False)

    board.time.now += 1000

    assert faster(board, A) is None


def test_who_waits_for_a_server_comes_before_who_might_be_faster_with_it() -> None:
    board = Board(allowed=1)
    turn = board.take(A)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(board.take, A)
        try:
            while not turn.server.queue:
                time.sleep(0.001)
            turn.ended = True
            board.servers.give_back(turn)
            found = faster(board, A)
            waited = waiting.result(2).candidate.url
        finally:
            board.servers.stop()

    assert (found, waited) == (None, A)
