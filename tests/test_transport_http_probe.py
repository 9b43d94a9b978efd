"""What mirrors are worth."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace

import pytest
from bad_server import PORTAL, BadServer, Trouble

from release_builder.transport.http import Answer, HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.probe import (
    SAMPLE,
    ProbedMirror,
    ProbeTarget,
    best,
    probe,
    ranked,
)

FILE = bytes(range(256)) * 200  # 51,200 bytes
GOOD = ProbedMirror("A", "http://good/", "", "http://good/f", Answer.RIGHT, latency=0.1, rate=1e6)
HOUR = 3600


def dated(text: str) -> Trouble:
    return Trouble(headers=(("Last-Modified", text),))


def target(url: str, path: str = "f", label: str = "A") -> ProbeTarget:
    return ProbeTarget(label, url, url + path, len(FILE))


def probed(*targets: ProbeTarget, timeout: float = 10, deadline: float = 60) -> list[ProbedMirror]:
    with HttpClient(HttpOptions(timeout=timeout, deadline=deadline), {}) as client:
        return list(probe(client, targets, connections=4))


def named(**changes: object) -> ProbedMirror:
    return replace(GOOD, url="http://other/", **changes)  # type: ignore[arg-type] # as the test has it


@pytest.mark.parametrize(
    "worse",
    [
        pytest.param(
            named(answer=Answer.NOT_FOUND, latency=None, rate=None), id="without the file"
        ),
        pytest.param(named(modified=0.0, rate=1e9), id="stale, though quicker"),
        pytest.param(named(latency=0.01, rate=9e5), id="slow, though it answers sooner"),
        pytest.param(named(latency=0.2), id="as quick, but it answers later"),
        pytest.param(named(rate=None, latency=0.01), id="of unknown speed"),
    ],
)
def test_the_better_mirror_comes_first(worse: ProbedMirror) -> None:
    good = replace(GOOD, modified=7.0 * HOUR)

    order = ranked([worse, good])

    assert [each.url for each in order] == ["http://good/", "http://other/"]


def test_mirrors_of_unknown_speed_are_ranked_by_their_latency() -> None:
    slow, quick = named(rate=None, latency=0.2), replace(GOOD, rate=None)

    assert ranked([slow, quick]) == (quick, slow)


def test_how_far_a_mirror_is_behind_is_told_by_the_newest_that_can_be_used() -> None:
    hours = {"a": 1.0, "b": 7.0, "c": 7.1}
    mirrors = [replace(GOOD, url=url, modified=at * HOUR) for url, at in hours.items()]
    gone = replace(GOOD, url="d", answer=Answer.CUT_OFF, modified=99.0 * HOUR)
    other = replace(GOOD, url="e", label="B", modified=0.0)
    silent = replace(GOOD, url="f")

    found = {each.url: each for each in ranked([*mirrors, gone, other, silent])}

    assert {url: each.behind and round(each.behind / HOUR, 3) for url, each in found.items()} == {
        "a": 6.1,
        "b": 0.1,
        "c": 0.0,
        "d": 0.0,
        "e": 0.0,
        "f": None,
    }
    assert [url for url, each in found.items() if each.stale] == ["a"]


def test_the_best_are_those_of_a_label_that_can_be_used() -> None:
    other = replace(GOOD, label="B")
    mirrors = (other, GOOD, named(), named(answer=Answer.TLS))

    assert best(mirrors, "A", 1) == (GOOD,)
    assert best(mirrors, "A", 9) == (GOOD, named())
    assert best(mirrors, "C", 1) == ()


@pytest.mark.parametrize(
    ("url", "answer", "trusted"),
    [
        pytest.param("https://h/", Answer.RIGHT, True, id="used"),
        pytest.param("https://h/", Answer.NOT_FOUND, True, id="it answered"),
        pytest.param("https://h/", Answer.TLS, False, id="refused"),
        pytest.param("http://h/", Answer.TLS, False, id="refused where it led to"),
        pytest.param("https://h/", Answer.UNREACHABLE, None, id="not seen"),
        pytest.param("http://h/", Answer.RIGHT, None, id="there is none"),
    ],
)
def test_whether_a_certificate_is_trusted_is_told_where_it_was_seen(
    url: str, answer: Answer, trusted: bool | None
) -> None:
    assert replace(GOOD, url=url, answer=answer).trusted is trusted


def test_a_mirror_is_asked_three_times_for_its_file() -> None:
    with BadServer({"/f": FILE}, {"/f": dated("Sun, 09 Sep 2001 01:46:40 GMT")}) as server:
        (mirror,) = probed(target(f"{server.url}/"))

    assert [request.path for request in server.requests] == ["/f"] * 3
    assert (mirror.answer, mirror.failed, mirror.modified) == (Answer.RIGHT, 0, 1e9)
    assert (mirror.protocol, mirror.url, mirror.file) == (
        "http",
        f"{server.url}/",
        f"{server.url}/f",
    )
    assert mirror.seconds is not None


def test_latency_and_speed_are_medians() -> None:
    troubles = [Trouble(), Trouble(delay=1.0, pause=0.5, piece=len(FILE) // 2), Trouble(delay=0.2)]
    with BadServer({"/f": FILE}, {"/f": troubles}) as server:
        (mirror,) = probed(target(f"{server.url}/"))

    assert mirror.latency is not None
    assert 0.2 <= mirror.latency < 0.9
    assert mirror.rate is not None
    assert mirror.rate > 2 * len(FILE)


def test_of_a_large_file_just_a_sample_is_fetched() -> None:
    large = b"x" * (32 * SAMPLE)
    with BadServer({"/f": large}) as server:
        (mirror,) = probed(replace(target(f"{server.url}/"), length=len(large)))

    assert mirror.rate is not None
    assert max(request.sent for request in server.requests) < len(large) // 2


def test_a_file_of_a_few_bytes_says_nothing_about_speed() -> None:
    with BadServer({"/f": b"few"}) as server:
        (mirror,) = probed(replace(target(f"{server.url}/"), length=None))

    assert (mirror.usable, mirror.rate, mirror.seconds) == (True, None, None)


def test_a_mirror_that_trickles_is_slow_and_not_waited_for() -> None:
    begun = time.monotonic()
    with (
        BadServer({"/f": FILE}, {"/f": Trouble(piece=10, pause=0.01)}) as server,
        HttpClient(HttpOptions(timeout=10), {}) as client,
    ):
        aims = [target(f"{server.url}/")]
        # A clock that runs faster, so that nobody waits for the 5 seconds.
        (mirror,) = probe(client, aims, connections=1, clock=lambda: time.monotonic() * 50)

    assert time.monotonic() - begun < 5
    assert mirror.usable
    assert mirror.rate is not None
    assert mirror.rate < 1000


@pytest.mark.parametrize(
    ("trouble", "answer", "detail"),
    [
        pytest.param(Trouble(status=404), Answer.NOT_FOUND, "404 Not Found", id="404"),
        pytest.param(Trouble(status=403), Answer.FORBIDDEN, "403 Forbidden", id="403"),
        pytest.param(PORTAL, Answer.WEB_PAGE, "Please log in", id="portal"),
        pytest.param(Trouble(body=b"short"), Answer.WRONG_LENGTH, "5 in the place of", id="length"),
        pytest.param(Trouble(stall_after=0), Answer.TIMEOUT, "0 of 51,200", id="silence"),
        pytest.param(Trouble(redirect="/bad/f"), Answer.REDIRECTS, "the last to", id="circle"),
    ],
)
def test_what_will_not_pass_is_asked_once_and_comes_last(
    trouble: Trouble, answer: Answer, detail: str
) -> None:
    with BadServer({"/bad/f": FILE, "/good/f": FILE}, {"/bad/f": trouble}) as server:
        aims = [target(f"{server.url}/{each}/") for each in ("bad", "good")]
        good, bad = probed(*aims, timeout=2)

    assert good.url == f"{server.url}/good/"
    assert (good.usable, bad.usable) == (True, False)
    assert bad.answer is answer
    assert detail in bad.detail
    assert (bad.failed, len(server.asked("/bad/f"))) == (1, 1)


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        pytest.param("http://127.0.0.1:1/", Answer.UNREACHABLE, id="nobody listens"),
        pytest.param("ftp://127.0.0.1/", Answer.BAD_URL, id="no http"),
    ],
)
def test_who_cannot_be_asked_is_told(url: str, answer: Answer) -> None:
    (mirror,) = probed(target(url))

    assert mirror.answer is answer
    assert mirror.detail


def test_a_server_without_tls_is_not_to_be_trusted() -> None:
    with BadServer({"/f": FILE}) as server:
        (mirror,) = probed(target(server.url.replace("http:", "https:") + "/"))

    assert (mirror.answer, mirror.trusted) == (Answer.TLS, False)


def test_a_mirror_that_fails_now_and_then_can_be_used() -> None:
    with BadServer({"/f": FILE}, {"/f": [Trouble(status=503), Trouble(cut_after=99)]}) as server:
        (mirror,) = probed(target(f"{server.url}/"))

    assert (mirror.answer, mirror.failed) == (Answer.RIGHT, 2)
    assert "99 of 51,200 bytes" in mirror.detail


def test_a_marker_tells_how_fresh_a_mirror_is() -> None:
    trouble = {
        "/f": dated("Sun, 09 Sep 2001 01:46:40 GMT"),
        "/TIME": dated("Sun, 09 Sep 2001 02:46:40 GMT"),
    }
    with BadServer({"/f": FILE, "/TIME": b"now"}, trouble) as server:
        (mirror,) = probed(replace(target(f"{server.url}/"), marker=f"{server.url}/TIME"))

    assert mirror.modified == 1e9 + HOUR
    assert len(server.asked("/TIME")) == 1


def test_a_mirror_without_the_marker_can_be_used_and_its_date_is_unknown() -> None:
    trouble = {"/f": dated("Sun, 09 Sep 2001 01:46:40 GMT")}
    with BadServer({"/f": FILE}, trouble) as server:
        (mirror,) = probed(replace(target(f"{server.url}/"), marker=f"{server.url}/TIME"))

    assert (mirror.usable, mirror.modified) == (True, None)
    assert mirror.detail == f"{server.url}/TIME: not found"


def test_a_password_is_sent_and_not_shown() -> None:
    with BadServer({"/f": FILE}) as server:
        url = server.url.replace("//", "//me:secret@") + "/"
        (mirror,) = probed(replace(target(url), root=url))

    assert (mirror.url, mirror.root, mirror.file) == (
        f"{server.url}/",
        f"{server.url}/",
        f"{server.url}/f",
    )
    assert server.requests[0].headers["authorization"].startswith("Basic ")


def test_so_many_mirrors_are_asked_at_a_time() -> None:
    with (
        BadServer({f"/{n}/f": FILE for n in range(4)}, everywhere=Trouble(delay=0.1)) as server,
        HttpClient(HttpOptions(), {}) as client,
    ):
        probe(client, [target(f"{server.url}/{n}/") for n in range(4)], connections=2)

    assert server.busiest == 2
    assert len(server.requests) == 12


def test_the_deadline_ends_all_of_it() -> None:
    begun = time.monotonic()
    with ExitStack() as stack:
        servers = [
            stack.enter_context(BadServer({"/f": FILE}, everywhere=Trouble(stall_after=9)))
            for _ in range(9)
        ]
        mirrors = probed(*(target(f"{each.url}/") for each in servers), deadline=0.5)

    assert time.monotonic() - begun < 5
    assert {each.answer for each in mirrors} == {Answer.NO_TIME}
    assert len(mirrors) == 9


def test_who_stops_waiting_ends_the_asking() -> None:
    def stop(_mirror: ProbedMirror) -> None:
        raise KeyboardInterrupt

    files = {f"/{number}/f": FILE for number in range(9)}
    with BadServer(files, everywhere=Trouble(delay=0.2)) as server:
        aims = [target(f"{server.url}/{number}/") for number in range(9)]
        with HttpClient(HttpOptions(), {}) as client, pytest.raises(KeyboardInterrupt):
            probe(client, aims, connections=1, on_probed=stop)

    # The second had its turn already: it is asked for no more than what is under way.
    assert [request.path for request in server.requests] in (["/0/f"] * 3, [*["/0/f"] * 3, "/1/f"])
