"""The fetcher and the client together, over real sockets, against servers that misbehave."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from bad_server import PORTAL, BadServer, Trouble
from memory_client import MemoryPlace

from release_builder.transport.http import Answer, Fetched, HttpOptions, Source
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.fetcher import ServerFetcher

FILE = bytes(range(256)) * 2000
WRONG = FILE[:-1] + b"?"
NAMES = [f"/{number}.rpm" for number in range(40)]
PATIENCE = 60  # seconds: what should happen at once has failed then
QUICK = HttpOptions(timeout=0.5, retries=2)


def fetcher_of(options: HttpOptions = QUICK) -> ServerFetcher:
    # Each pause lasts a thousandth of the longest that it may.
    return ServerFetcher(HttpClient(options, {}), options, random=lambda: 0.001)


def server(trouble: Trouble | list[Trouble] | None = None) -> BadServer:
    return BadServer({"/f": FILE}, {"/f": trouble} if trouble else {})


def fetch(fetcher: ServerFetcher, *servers: BadServer, begun: bytes = b"") -> Fetched:
    """The file from all servers; what is called right is right."""
    place = MemoryPlace(FILE, begun)
    fetched = fetcher.fetch([Source(f"{one.url}/f") for one in servers], place)
    assert place.longest <= len(FILE)
    assert bool(fetched.source) == (place.content == FILE)
    return fetched


TROUBLES = [
    pytest.param(Trouble(status=500), Answer.SERVER_ERROR, id="500"),
    pytest.param(Trouble(status=404), Answer.NOT_FOUND, id="404"),
    pytest.param(Trouble(status=403), Answer.FORBIDDEN, id="403"),
    pytest.param(Trouble(status=429), Answer.BUSY, id="429"),
    pytest.param(Trouble(hang_up=True), Answer.CUT_OFF, id="hangs up"),
    pytest.param(Trouble(cut_after=0), Answer.CUT_OFF, id="cut before the body"),
    pytest.param(Trouble(cut_after=1), Answer.CUT_OFF, id="cut at each byte"),
    pytest.param(Trouble(cut_after=1, reset=True), Answer.CUT_OFF, id="reset at each byte"),
    pytest.param(Trouble(delay=60), Answer.TIMEOUT, id="silent"),
    pytest.param(Trouble(stall_after=1000), Answer.TIMEOUT, id="stalls"),
    pytest.param(Trouble(piece=100, pause=0.1), Answer.TIMEOUT, id="trickles"),
    pytest.param(Trouble(length_lie=1), Answer.WRONG_LENGTH, id="promises more"),
    pytest.param(Trouble(length_lie=-1), Answer.WRONG_LENGTH, id="promises less"),
    pytest.param(Trouble(body=FILE + b"more", chunked=True), Answer.WRONG_LENGTH, id="more"),
    pytest.param(Trouble(body=WRONG), Answer.WRONG_BYTES, id="wrong bytes"),
    pytest.param(PORTAL, Answer.WEB_PAGE, id="portal"),
    pytest.param(Trouble(redirect="/f"), Answer.REDIRECTS, id="leads to itself"),
    pytest.param(Trouble(redirect="file:///etc/passwd"), Answer.BAD_URL, id="leads to a file"),
]


@pytest.mark.parametrize(("trouble", "answer"), TROUBLES)
def test_a_good_server_makes_up_for_a_bad_one(trouble: Trouble, answer: Answer) -> None:
    with server(trouble) as bad, server() as good:
        fetched = fetch(fetcher_of(), bad, good)

        assert fetched.source == f"{good.url}/f"
        assert [one.answer for one in fetched.tries] == [answer, Answer.RIGHT]
        assert len(bad.requests) == 1


@pytest.mark.parametrize(("trouble", "answer"), TROUBLES)
def test_a_bad_server_alone_is_not_asked_for_ever(trouble: Trouble, answer: Answer) -> None:
    with server(trouble) as bad:
        fetched = fetch(fetcher_of(), bad)

        assert fetched.source is None
        assert [one.answer for one in fetched.tries] == [answer]
        assert len(bad.requests) <= (11 if answer is Answer.REDIRECTS else 3)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(status=500), id="500"),
        pytest.param(Trouble(status=503, headers=(("Retry-After", "0"),)), id="busy"),
        pytest.param(Trouble(hang_up=True), id="hangs up"),
        pytest.param(Trouble(cut_after=100_000), id="cut"),
        pytest.param(Trouble(cut_after=100_000, reset=True), id="reset"),
        pytest.param(Trouble(stall_after=100_000), id="stalls"),
        pytest.param(Trouble(cut_after=100_000, chunked=True), id="cut between chunks"),
        pytest.param(Trouble(delay=60), id="silent"),
    ],
)
def test_what_a_server_failed_twice_it_does_at_last(trouble: Trouble) -> None:
    with server([trouble, trouble]) as bad:
        fetched = fetch(fetcher_of(), bad)

        assert fetched.source == f"{bad.url}/f"
        assert len(bad.requests) == 3


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(ignore_range=True), id="range ignored"),
        pytest.param(Trouble(range_shift=7), id="another piece"),
        pytest.param(Trouble(close=True), id="connection closed"),
        pytest.param(Trouble(chunked=True), id="chunked"),
    ],
)
@pytest.mark.parametrize(
    "begun", [pytest.param(FILE[:9999], id="right"), pytest.param(WRONG[-99:], id="wrong")]
)
def test_a_file_that_was_begun_is_finished_all_the_same(trouble: Trouble, begun: bytes) -> None:
    with server([trouble]) as odd:
        fetched = fetch(fetcher_of(), odd, begun=begun)

        assert fetched.source == f"{odd.url}/f"
        assert len(odd.requests) <= 3


def test_what_is_there_is_not_sent_again_after_a_cut() -> None:
    with server([Trouble(cut_after=300_000)]) as bad:
        fetch(fetcher_of(), bad)

    assert bad.requests[1].headers["range"] == "bytes=300000-"
    assert sum(request.sent for request in bad.requests) == len(FILE)


def test_a_server_that_is_not_there_is_not_asked_for_every_file() -> None:
    with server() as gone:
        pass
    fetcher = fetcher_of(HttpOptions(retries=0))

    tries = [fetch(fetcher, gone).tries[0] for _ in range(5)]

    assert {one.answer for one in tries} == {Answer.UNREACHABLE}
    assert [one.detail.startswith("not asked") for one in tries] == [False] * 3 + [True] * 2
    assert [name for name, _ in fetcher.dropped] == [gone.url]


def test_a_host_that_is_not_there_costs_a_good_server_nothing() -> None:
    with server() as good:
        fetched = fetcher_of().fetch(
            [Source("http://nothing.invalid/f"), Source(f"{good.url}/f")], MemoryPlace(FILE)
        )

        assert [one.answer for one in fetched.tries] == [Answer.UNREACHABLE, Answer.RIGHT]


def test_a_server_that_lies_about_every_file_is_soon_asked_no_more() -> None:
    content = dict.fromkeys(NAMES, FILE)
    with BadServer(content, everywhere=Trouble(body=WRONG)) as liar, BadServer(content) as good:
        fetcher = fetcher_of()

        fetched = _fetch_all(fetcher, [liar, good], threads=4)

        assert all(one.source and one.source.startswith(good.url) for one in fetched)
        assert {one.server: one.lies for one in fetcher.statistics()} == {
            liar.url: len(liar.requests),
            good.url: 0,
        }
        assert 1 <= len(liar.requests) <= 4


def test_a_server_alone_that_lies_about_every_file_is_dropped() -> None:
    with BadServer(dict.fromkeys(NAMES, FILE), everywhere=Trouble(body=WRONG)) as liar:
        fetcher = fetcher_of()

        fetched = _fetch_all(fetcher, [liar], threads=4)

        assert not any(one.source for one in fetched)
        assert [name for name, _ in fetcher.dropped] == [liar.url]
        assert len(liar.requests) <= 20 + 3  # those that were under way when it was dropped


def test_many_threads_get_all_files_of_servers_that_often_fail() -> None:
    content = dict.fromkeys(NAMES, FILE)
    often = [
        Trouble(status=500),
        Trouble(cut_after=70_000),
        Trouble(hang_up=True),
        Trouble(close=True),
    ]
    troubles = {name: [often[at % 4], often[at % 3]] for at, name in enumerate(NAMES)}
    with BadServer(content, troubles) as first, BadServer(content, troubles) as second:
        fetcher = fetcher_of(HttpOptions(timeout=5, connections=3))

        fetched = _fetch_all(fetcher, [first, second], threads=12)

        assert all(one.source for one in fetched)
        assert first.busiest <= 3
        assert second.busiest <= 3


@pytest.mark.parametrize(
    "end", [pytest.param("deadline", id="deadline"), pytest.param("stop", id="stop")]
)
def test_all_that_is_under_way_ends_in_time(end: str) -> None:
    trouble = Trouble(piece=2000, pause=0.05)
    with BadServer(dict.fromkeys(NAMES, FILE), everywhere=trouble) as slow:
        fetcher = fetcher_of(
            HttpOptions(deadline=0.5 if end == "deadline" else None, connections=2)
        )
        stopper = threading.Timer(0.5, fetcher.stop)
        if end == "stop":
            stopper.start()

        fetched = _fetch_all(fetcher, [slow], threads=6)

        stopper.cancel()
        assert {one.tries[0].answer for one in fetched} == {Answer.NO_TIME}
        assert len(slow.requests) <= 6


def _fetch_all(fetcher: ServerFetcher, servers: list[BadServer], threads: int) -> list[Fetched]:
    def fetch_one(name: str) -> Fetched:
        return fetcher.fetch([Source(one.url + name) for one in servers], MemoryPlace(FILE))

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(fetch_one, NAMES, timeout=PATIENCE))


def test_a_server_that_nobody_came_to_ask_has_no_requests() -> None:
    with server() as late:
        client = HttpClient(HttpOptions(deadline=0), {})
        fetcher = ServerFetcher(client, QUICK)

        fetched = fetch(fetcher, late)

        assert [one.answer for one in fetched.tries] == [Answer.NO_TIME]
        assert [one.requests for one in fetcher.statistics()] == [0]
        assert late.requests == []


def test_a_server_that_was_asked_when_the_time_was_up_has_its_request() -> None:
    with server(Trouble(delay=60)) as late:
        fetcher = ServerFetcher(HttpClient(HttpOptions(deadline=0.3), {}), HttpOptions())

        fetched = fetch(fetcher, late)

        assert [one.answer for one in fetched.tries] == [Answer.NO_TIME]
        assert [one.requests for one in fetcher.statistics()] == [1]


def test_a_slow_server_is_left_for_a_fast_one_which_gives_the_rest() -> None:
    options = HttpOptions(timeout=60, retries=0)
    with server(Trouble(piece=3000, pause=0.1)) as slow, server() as fast:
        fetched = fetch(fetcher_of(options), slow, fast)

    start = int(fast.requests[0].headers["range"].removeprefix("bytes=").removesuffix("-"))
    assert fetched.source == f"{fast.url}/f"
    assert len(slow.requests) == len(fast.requests) == 1
    assert 3000 <= start < 100_000
    assert fast.requests[0].sent == len(FILE) - start


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(delay=60), id="silent"),
        pytest.param(Trouble(stall_after=9), id="stalls"),
    ],
)
def test_a_silent_server_has_a_third_of_the_time_while_another_may_do(
    trouble: Trouble,
) -> None:
    options = HttpOptions(timeout=60, deadline=1.5)
    with server(trouble) as silent, server() as good:
        fetched = fetch(fetcher_of(options), silent, good)

        assert fetched.source == f"{good.url}/f"
        assert fetched.tries[0].answer is Answer.TIMEOUT
