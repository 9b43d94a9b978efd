"""However servers fail, a fetch ends, asks no more than it says, and what it calls right is right."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given, settings
from hypothesis import strategies as st
from memory_client import MemoryClient, MemoryPlace, Reply, Time

from release_builder.transport.http import Answer, Fetched, HttpOptions, Source
from release_builder.transport.http.fetcher import ServerFetcher
from release_builder.transport.http.pieces import PROGRESS
from release_builder.transport.http.server import server_of

RIGHT = bytes(range(251)) * (3 * PROGRESS // 251)
WRONG = RIGHT[:1000] + b"?" + RIGHT[1001:]
LENGTHS = (0, 1, 5000, len(RIGHT))
ERRORS = sorted(set(Answer) - {Answer.RIGHT, Answer.NO_TIME, Answer.WRONG_BYTES}, key=str)
URLS = [f"http://{host}.test/{path}/f" for host in "abc" for path in "xy"]

errors = st.builds(Reply, error=st.sampled_from(ERRORS), after=st.sampled_from((0.0, 5.0, 1e9)))
at_once = st.builds(Reply, error=st.sampled_from(ERRORS))
bodies = st.builds(
    Reply,
    content=st.sampled_from((None, WRONG, RIGHT + b"more", b"short", b"")),
    give=st.none() | st.sampled_from((0, 1, 900, PROGRESS - 1, PROGRESS, 2 * PROGRESS)),
    end=st.sampled_from(ERRORS),
    ignore_range=st.booleans(),
    shift=st.sampled_from((0, 0, 0, 1, -1)),
    latency=st.sampled_from((0.0, 0.1, 20.0)),
    piece=st.sampled_from((1000, 1 << 16)),
    pause=st.sampled_from((0.0, 0.1, 2.0, 40.0)),
)
# A list is the fate of the first requests, one reply alone that of all.
fates = errors | bodies | st.lists(errors | bodies, max_size=12)
chosen = st.lists(st.builds(Source, st.sampled_from(URLS), st.booleans()), max_size=6)


def most_requests(sources: list[Source], retries: int, length: int) -> int:
    urls = {source.url for source in sources}
    servers = {server_of(url) for url in urls}
    passes = len(urls) + 2
    progress = passes * (length // PROGRESS)
    probes = retries * len(servers)
    switches = 3
    return len(urls) + 2 + (retries + 1) * (len(servers) + progress) + probes + switches


def fetcher_of(
    replies: dict[str, Reply | list[Reply]], length: int, options: HttpOptions
) -> tuple[MemoryClient, ServerFetcher]:
    time = Time()
    client = MemoryClient({"f": RIGHT[:length]}, replies, time)
    fetcher = ServerFetcher(client, options, clock=time, sleep=time.sleep, random=lambda: 0.5)
    return client, fetcher


@given(
    st.dictionaries(st.sampled_from(URLS), fates),
    st.lists(chosen, min_size=1, max_size=4),
    st.sampled_from(LENGTHS),
    st.integers(0, 3),
    st.sampled_from((b"", RIGHT[:700], WRONG[:1500], RIGHT)),
)
@settings(deadline=None)
def test_a_fetch_ends_within_its_bound_and_tells_the_truth(
    replies: dict[str, Reply | list[Reply]],
    files: list[list[Source]],
    length: int,
    retries: int,
    begun: bytes,
) -> None:
    client, fetcher = fetcher_of(replies, length, HttpOptions(retries=retries))

    for sources in files:
        client.requests.clear()
        place = MemoryPlace(RIGHT[:length], begun)
        fetched = fetcher.fetch(sources, place)

        _check(fetched, place, sources, client)
        assert len(client.requests) <= most_requests(sources, retries, length)
    assert not any(client.under_way.values())
    assert sum(one.files for one in fetcher.statistics()) <= len(files)


def _check(
    fetched: Fetched, place: MemoryPlace, sources: list[Source], client: MemoryClient
) -> None:
    asked = list(dict.fromkeys(client.asked))
    assert [one.url for one in fetched.tries][: len(asked)] == asked
    assert len({one.url for one in fetched.tries}) == len(fetched.tries)
    assert place.position <= place.length
    if fetched.source:
        assert place.content == place.right
        assert fetched.source in {source.url for source in sources}
    else:
        assert all(one.answer is not Answer.RIGHT for one in fetched.tries)
        tried = {server_of(one.url) for one in fetched.tries}
        assert tried == {server_of(source.url) for source in sources}


@given(
    st.dictionaries(st.sampled_from(URLS[:4]), fates),
    st.lists(st.sampled_from(URLS[:4]), max_size=4),
    st.booleans(),
    st.integers(0, 4),
    st.sampled_from((b"", RIGHT[:700], WRONG[:1500])),
)
@settings(deadline=None)
def test_one_good_server_is_enough(
    replies: dict[str, Reply | list[Reply]], bad: list[str], last: bool, at: int, begun: bytes
) -> None:
    good = URLS[-1]
    _, fetcher = fetcher_of(replies, len(RIGHT), HttpOptions(retries=1))
    sources = [Source(url) for url in bad]
    sources.insert(at, Source(good, last=last))

    for _ in range(3):
        place = MemoryPlace(RIGHT, begun)
        fetched = fetcher.fetch(sources, place)

        assert fetched.source
        assert place.content == RIGHT


@given(
    st.dictionaries(st.sampled_from(URLS), fates),
    chosen,
    st.sampled_from((0.0, 0.25, 10.0, 100.0)),
)
@settings(deadline=None)
def test_a_deadline_is_kept(
    replies: dict[str, Reply | list[Reply]], sources: list[Source], deadline: float
) -> None:
    client, fetcher = fetcher_of(replies, 5000, HttpOptions(deadline=deadline, retries=50))

    fetcher.fetch(sources, MemoryPlace(RIGHT[:5000]))

    slowest_block = 60.0  # latency and pause: what the client itself cuts short
    assert client.time.now <= deadline + slowest_block


@given(st.dictionaries(st.sampled_from(URLS), st.lists(at_once | bodies, max_size=6)), st.data())
@settings(deadline=None, max_examples=25)
def test_threads_share_servers_without_a_hang(
    replies: dict[str, Reply | list[Reply]], data: st.DataObject
) -> None:
    files = data.draw(st.lists(chosen, min_size=4, max_size=12))
    client = MemoryClient({"f": RIGHT[:5000]}, replies)
    options = HttpOptions(connections=1, retries=3, deadline=1.0)
    fetcher = ServerFetcher(client, options, random=lambda: 0.0)
    places = [MemoryPlace(RIGHT[:5000]) for _ in files]

    with ThreadPoolExecutor(6) as pool:
        fetched = list(pool.map(fetcher.fetch, files, places))

    assert all(
        place.content == place.right
        for one, place in zip(fetched, places, strict=True)
        if one.source
    )
    assert not any(client.under_way.values())
    assert all(busiest == 1 for busiest in client.busiest.values())
