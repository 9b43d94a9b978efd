"""One file after the other from servers that fail in every way: who is asked, and how often."""

from __future__ import annotations

import errno

import pytest
from memory_client import GOOD, MemoryClient, MemoryPlace, Reply, Time, sources

from release_builder.transport.http import Answer, Fetched, HttpOptions, Source, Try
from release_builder.transport.http.fetcher import ServerFetcher
from release_builder.transport.http.pieces import PROGRESS

FILE = bytes(range(256)) * 4
OTHER = bytes(reversed(FILE))
BIG = bytes(range(256)) * (PROGRESS // 256 * 4)
A, B, C = "http://a.test/f", "http://b.test/f", "http://c.test/f"
PASSING = [Answer.SERVER_ERROR, Answer.BUSY, Answer.UNREACHABLE, Answer.TIMEOUT, Answer.CUT_OFF]
LASTING = [
    Answer.NOT_FOUND,
    Answer.FORBIDDEN,
    Answer.REFUSED,
    Answer.TLS,
    Answer.BAD_URL,
    Answer.REDIRECTS,
    Answer.WRONG_LENGTH,
    Answer.WEB_PAGE,
]


def answers(kinds: list[Answer]) -> list[object]:
    return [pytest.param(kind, id=kind.name.lower()) for kind in kinds]


class Net:
    """A fetcher whose servers, clock and chance belong to the test."""

    def __init__(
        self,
        replies: dict[str, Reply | list[Reply]] | None = None,
        options: HttpOptions | None = None,
        chance: float = 1.0,
        **files: bytes,
    ) -> None:
        self.time = Time()
        self.client = MemoryClient(files or {"f": FILE}, replies or {}, self.time)
        self.fetcher = ServerFetcher(
            self.client,
            options or HttpOptions(),
            clock=self.time,
            sleep=self.time.sleep,
            random=lambda: chance,
        )

    def fetch(self, *urls: str, right: bytes = FILE, last: str = "") -> Fetched:
        return self.fetcher.fetch(sources(*urls, last=last), MemoryPlace(right))


def test_a_file_comes_from_its_only_server() -> None:
    net, place = Net(), MemoryPlace(FILE)

    fetched = net.fetcher.fetch([Source(A)], place)

    assert fetched == Fetched(A, (Try(A, Answer.RIGHT),))
    assert place.content == FILE
    assert net.client.requests == [(A, 0)]


def test_a_file_without_sources_is_not_fetched() -> None:
    net = Net()

    fetched = net.fetch()

    assert fetched == Fetched(None)


def test_what_an_earlier_run_left_is_not_fetched_again() -> None:
    net, place = Net(), MemoryPlace(FILE, FILE[:100])

    fetched = net.fetcher.fetch([Source(A)], place)

    assert fetched.source == A
    assert place.content == FILE
    assert net.client.requests == [(A, 100)]


@pytest.mark.parametrize("right", [pytest.param(FILE, id="full"), pytest.param(b"", id="empty")])
def test_nobody_is_asked_for_a_place_that_is_full_and_right(right: bytes) -> None:
    net, place = Net(), MemoryPlace(right, right)

    fetched = net.fetcher.fetch([Source(A)], place)

    assert fetched == Fetched(A)
    assert net.client.requests == []


@pytest.mark.parametrize(
    "begun", [pytest.param(OTHER, id="full"), pytest.param(FILE + b"more", id="too long")]
)
def test_a_place_that_holds_another_file_begins_anew(begun: bytes) -> None:
    net, place = Net(), MemoryPlace(FILE, begun)

    fetched = net.fetcher.fetch([Source(A)], place)

    assert fetched.source == A
    assert place.content == FILE
    assert net.client.requests == [(A, 0)]


def test_wrong_bytes_of_an_earlier_run_are_no_servers_fault() -> None:
    net, place = Net(), MemoryPlace(FILE, OTHER[:100])

    fetched = net.fetcher.fetch([Source(A)], place)

    assert fetched == Fetched(A, (Try(A, Answer.RIGHT),))
    assert net.client.requests == [(A, 100), (A, 0)]
    assert net.fetcher.statistics()[0].lies == 0


def test_a_server_that_gives_no_pieces_gives_the_whole() -> None:
    net, place = Net({A: Reply(ignore_range=True)}), MemoryPlace(FILE, OTHER[:100])

    fetched = net.fetcher.fetch([Source(A)], place)

    assert fetched.source == A
    assert place.content == FILE
    assert len(net.client.requests) == 1


def test_another_piece_than_the_one_asked_for_is_refused() -> None:
    net, place = Net({A: Reply(shift=3)}), MemoryPlace(FILE, FILE[:100])

    fetched = net.fetcher.fetch([Source(A)], place)

    assert fetched.tries == (Try(A, Answer.WRONG_LENGTH, "begins at byte 103, not 100"),)
    assert place.content == FILE[:100]


@pytest.mark.parametrize("kind", answers(PASSING + LASTING))
def test_after_a_failure_the_next_server_is_asked_at_once(kind: Answer) -> None:
    net = Net({A: Reply(error=kind, detail="why", after=20)})

    fetched = net.fetch(A, B)

    assert fetched == Fetched(B, (Try(A, kind, "why"), Try(B, Answer.RIGHT)))
    assert net.client.asked == [A, B]
    assert net.time.slept == []


@pytest.mark.parametrize("kind", answers(PASSING))
def test_a_server_alone_is_asked_again_after_longer_and_longer_pauses(kind: Answer) -> None:
    net = Net({A: Reply(error=kind)}, HttpOptions(retries=8))

    fetched = net.fetch(A)

    assert fetched == Fetched(None, (Try(A, kind),))
    assert len(net.client.requests) == 9
    assert net.time.slept == [0.5, 1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("kind", answers(LASTING))
def test_a_failure_that_will_not_pass_ends_it_at_once(kind: Answer) -> None:
    net = Net({A: Reply(error=kind)})

    fetched = net.fetch(A)

    assert fetched == Fetched(None, (Try(A, kind),))
    assert net.client.requests == [(A, 0)]


def test_pauses_are_drawn_from_all_that_they_may_be() -> None:
    net = Net({A: Reply(error=Answer.SERVER_ERROR)}, HttpOptions(retries=2), chance=0.25)

    net.fetch(A)

    assert net.time.slept == [0.125, 0.25]


@pytest.mark.parametrize(
    ("asked", "granted"), [pytest.param(10, 10.5, id="ten"), pytest.param(9999, 60.5, id="hours")]
)
def test_a_server_is_left_alone_as_long_as_it_asks_within_a_minute(
    asked: float, granted: float
) -> None:
    net = Net({A: [Reply(error=Answer.BUSY, after=asked)]})

    fetched = net.fetch(A)

    assert fetched.source == A
    assert sum(net.time.slept) == granted


def test_a_busy_server_is_left_alone_for_other_files_too() -> None:
    net = Net({A: Reply(error=Answer.BUSY, after=10)}, HttpOptions(retries=0))
    net.fetch(A)
    net.client.replies.clear()

    fetched = net.fetch(A)

    assert fetched.source == A
    assert net.time.slept == [10]


def test_a_broken_answer_goes_on_where_it_broke() -> None:
    net, place = Net({A: [Reply(give=300)]}), MemoryPlace(FILE)

    fetched = net.fetcher.fetch([Source(A)], place)

    assert fetched.source == A
    assert place.content == FILE
    assert net.client.requests == [(A, 0), (A, 300)]


def test_another_server_goes_on_where_one_broke() -> None:
    net, place = Net({A: Reply(give=300)}), MemoryPlace(FILE)

    fetched = net.fetcher.fetch(sources(A, B), place)

    assert fetched.source == B
    assert net.client.requests == [(A, 0), (B, 300)]


def test_an_answer_that_just_ends_was_cut_off() -> None:
    net = Net({A: Reply(content=FILE[:300])}, HttpOptions(retries=0))

    fetched = net.fetch(A)

    assert fetched.tries == (Try(A, Answer.CUT_OFF, "300 of 1,024 bytes"),)


def test_what_fails_after_the_last_byte_does_not_matter() -> None:
    net = Net({A: Reply(give=len(FILE), end=Answer.TIMEOUT)})

    fetched = net.fetch(A)

    assert fetched == Fetched(A, (Try(A, Answer.RIGHT),))


def test_progress_gives_a_server_its_retries_back() -> None:
    net = Net({A: Reply(give=PROGRESS)}, HttpOptions(retries=0), f=BIG)

    fetched = net.fetch(A, right=BIG)

    assert fetched.source == A
    assert len(net.client.requests) == len(BIG) // PROGRESS


def test_a_byte_now_and_then_is_no_progress() -> None:
    net = Net({A: Reply(give=1)}, HttpOptions(retries=3), f=BIG)

    fetched = net.fetch(A, right=BIG)

    assert fetched.source is None
    assert net.client.requests == [(A, 0), (A, 1), (A, 2), (A, 3)]


def test_the_same_bytes_again_are_no_progress() -> None:
    net = Net({A: Reply(give=PROGRESS, ignore_range=True)}, HttpOptions(retries=3), f=BIG)

    fetched = net.fetch(A, right=BIG)

    assert fetched.source is None
    assert len(net.client.requests) == 5


def test_pieces_of_two_servers_that_do_not_fit_blame_nobody() -> None:
    net = Net({A: [Reply(give=300, content=OTHER), GOOD]})

    fetched = net.fetch(A, B)

    assert fetched.source == B
    assert net.client.requests == [(A, 0), (B, 300), (B, 0)]
    assert [server.lies for server in net.fetcher.statistics()] == [0, 0]


def test_the_whole_goes_on_at_the_one_server_that_began_it() -> None:
    net, place = Net({A: [Reply(give=300)]}), MemoryPlace(FILE, OTHER[:10])
    net.client.replies[A] = [GOOD, Reply(give=300)]

    fetched = net.fetcher.fetch(sources(A, B, last=B), place)

    assert fetched.source == A
    assert net.client.requests == [(A, 10), (A, 0), (A, 300)]


def test_the_whole_begins_anew_at_another_server() -> None:
    net, place = Net(options=HttpOptions(retries=0)), MemoryPlace(FILE, OTHER[:10])
    net.client.replies[A] = [GOOD, Reply(give=300)]

    fetched = net.fetcher.fetch(sources(A, B, last=B), place)

    assert fetched.source == B
    assert net.client.requests == [(A, 10), (A, 0), (B, 0)]
    assert place.content == FILE


def test_a_server_that_gave_the_whole_in_pieces_answers_for_it() -> None:
    net, place = Net(), MemoryPlace(FILE, OTHER[:10])
    net.client.replies[A] = [GOOD, Reply(give=300, content=OTHER), Reply(content=OTHER)]

    fetched = net.fetcher.fetch([Source(A)], place)

    assert fetched == Fetched(None, (Try(A, Answer.WRONG_BYTES),))
    assert net.client.requests == [(A, 10), (A, 0), (A, 300)]
    assert net.fetcher.statistics()[0].lies == 1


def test_the_whole_begins_anew_when_its_server_is_dropped_meanwhile() -> None:
    net, place = Net(), MemoryPlace(FILE, OTHER[:10])

    def lie_twice() -> None:
        net.client.replies = {"http://a.test/other": Reply(content=OTHER)}
        for _ in range(20):
            net.fetch("http://a.test/other/f")

    net.client.replies[A] = [GOOD, Reply(give=300, meanwhile=lie_twice)]

    fetched = net.fetcher.fetch(sources(A, B, last=B), place)

    assert fetched.source == B
    assert net.client.requests[-1] == (B, 0)
    assert place.content == FILE


def test_after_wrong_bytes_another_server_gives_the_whole() -> None:
    net, place = Net({A: Reply(content=OTHER)}), MemoryPlace(FILE)

    fetched = net.fetcher.fetch(sources(A, B), place)

    assert fetched == Fetched(B, (Try(A, Answer.WRONG_BYTES), Try(B, Answer.RIGHT)))
    assert net.client.requests == [(A, 0), (B, 0)]
    assert place.restarts == 1


def test_a_server_alone_that_gives_wrong_bytes_is_asked_once() -> None:
    net = Net({A: Reply(content=OTHER)})

    fetched = net.fetch(A)

    assert fetched == Fetched(None, (Try(A, Answer.WRONG_BYTES),))
    assert net.client.requests == [(A, 0)]


def test_a_server_that_lied_twice_is_named_and_asked_after_all_others() -> None:
    net = Net({A: Reply(content=OTHER), B: Reply(error=Answer.NOT_FOUND)})
    net.fetch(A)
    before = net.fetcher.distrusted
    net.fetch(A)

    net.fetch(A, B, C, last=C)
    net.fetch(A, B)

    assert before == ()
    assert net.fetcher.distrusted == (("http://a.test", "wrong bytes for 3 files"),)
    assert net.fetcher.dropped == ()
    assert net.client.asked == [A, A, B, C, B, A]


def test_a_server_that_lied_is_not_asked_while_the_other_pauses() -> None:
    net = Net({A: Reply(content=OTHER), B: [Reply(error=Answer.SERVER_ERROR)]})
    net.fetch(A)
    net.fetch(A)

    net.fetch(A, B)

    assert net.client.asked[2:] == [B, B]


def test_what_a_server_that_lied_has_alone_comes_from_it() -> None:
    net = Net({A: [Reply(content=OTHER), Reply(content=OTHER)]})

    came = [net.fetch(A).source for _ in range(10)]

    assert came == [None, None, *[A] * 8]


def test_a_server_that_lies_about_most_files_is_dropped() -> None:
    net = Net({A: [GOOD] * 9 + [Reply(content=OTHER)] * 11})
    for _ in range(20):
        net.fetch(A)

    fetched = net.fetch(A)

    assert fetched.tries == (Try(A, Answer.WRONG_BYTES, "not asked: wrong bytes for 11 files"),)
    assert net.fetcher.dropped == (("http://a.test", "wrong bytes for 11 files"),)
    assert net.fetcher.distrusted == ()


def test_a_server_that_lies_about_half_of_the_files_is_not_dropped() -> None:
    net = Net({A: [GOOD] * 10 + [Reply(content=OTHER)] * 10})
    for _ in range(20):
        net.fetch(A)

    fetched = net.fetch(A)

    assert fetched.source == A


def test_a_mirror_of_many_right_files_may_have_two_wrong_ones() -> None:
    net = Net()
    for _ in range(20):
        net.fetch(A)
    net.client.replies[A] = [Reply(content=OTHER), Reply(content=OTHER)]
    net.fetch(A)
    net.fetch(A)

    fetched = net.fetch(A)

    assert fetched.source == A
    assert net.fetcher.distrusted == ()


def test_more_than_the_file_is_refused_and_never_in_place() -> None:
    longer = FILE + b"more"
    net, place = Net({A: Reply(content=longer, piece=len(FILE))}), MemoryPlace(FILE)

    fetched = net.fetcher.fetch(sources(A, B), place)

    assert fetched.tries[0] == Try(A, Answer.WRONG_LENGTH, "more than 1,024 bytes")
    assert fetched.source == B
    assert net.client.requests == [(A, 0), (B, 0)]
    assert place.longest == len(FILE)


def test_a_web_page_leaves_nothing_in_place() -> None:
    net = Net({A: Reply(give=10, content=b"<html>" * 9, end=Answer.WEB_PAGE)})
    place = MemoryPlace(FILE)

    fetched = net.fetcher.fetch(sources(A, B), place)

    assert fetched.source == B
    assert net.client.requests == [(A, 0), (B, 0)]


def test_a_last_source_is_asked_when_the_others_failed() -> None:
    net = Net({A: Reply(error=Answer.NOT_FOUND), B: Reply(error=Answer.SERVER_ERROR)})

    fetched = net.fetch(C, A, B, last=C)

    assert fetched.source == C
    assert net.client.asked == [A, B, C]


def test_a_last_source_is_spared_while_the_other_rests() -> None:
    net = Net({A: Reply(error=Answer.BUSY, after=10)}, HttpOptions(retries=0))
    net.fetch(A)
    net.client.replies.clear()

    fetched = net.fetch(A, C, last=C)

    assert fetched.source == A


def test_two_urls_of_one_server_share_its_retries() -> None:
    again = "http://A.test:80/other/f"
    net = Net({"http://": Reply(error=Answer.SERVER_ERROR)}, HttpOptions(retries=3))

    fetched = net.fetch(A, again)

    assert net.client.asked == [A, again, A, again]
    assert net.time.slept == [0.5, 1, 2]
    assert [entry.url for entry in fetched.tries] == [A, again]


def test_a_url_named_twice_is_one() -> None:
    net = Net({A: Reply(error=Answer.NOT_FOUND)})

    fetched = net.fetch(A, A)

    assert net.client.asked == [A]
    assert len(fetched.tries) == 1


def test_tries_name_no_password_and_the_source_is_as_it_was_given() -> None:
    url = "http://me:secret@a.test/f"
    net = Net()

    fetched = net.fetch(url)

    assert fetched == Fetched(url, (Try(A, Answer.RIGHT),))


def test_a_server_unreachable_for_three_files_is_not_asked_for_the_fourth() -> None:
    net = Net({A: Reply(error=Answer.UNREACHABLE)}, HttpOptions(retries=1))
    for _ in range(3):
        net.fetch(A)
    asked = len(net.client.requests)

    fetched = net.fetch(A)

    assert asked == 6
    assert len(net.client.requests) == asked
    assert fetched == Fetched(None, (Try(A, Answer.UNREACHABLE, "not asked: unreachable before"),))
    assert net.fetcher.dropped == (("http://a.test", "unreachable for 3 files in a row"),)


def test_a_file_right_in_between_makes_a_server_reachable() -> None:
    net = Net({A: Reply(error=Answer.UNREACHABLE)}, HttpOptions(retries=0))
    net.fetch(A)
    net.fetch(A)
    net.client.replies[A] = [GOOD, Reply(error=Answer.UNREACHABLE)]
    net.fetch(A)
    net.fetch(A)

    fetched = net.fetch(A)

    assert fetched.source == A


def test_after_half_a_minute_one_request_tells_whether_a_server_is_back() -> None:
    net = Net({A: Reply(error=Answer.UNREACHABLE)}, HttpOptions(retries=0))
    for _ in range(3):
        net.fetch(A)
    net.time.now += 30

    still_away = net.fetch(A)
    at_once = net.fetch(A)
    net.time.now += 30
    net.client.replies.clear()
    back = net.fetch(A)
    then = net.fetch(A)

    assert still_away.tries[0].detail == ""
    assert at_once.tries[0].detail == "not asked: unreachable before"
    assert back.source == then.source == A
    assert net.fetcher.dropped == ()


def test_a_file_waits_for_a_server_that_is_away() -> None:
    net = Net({A: [Reply(error=Answer.UNREACHABLE)] * 5}, HttpOptions(retries=1))
    net.fetch(A)
    net.fetch(A)

    fetched = net.fetch(A)

    assert fetched.source == A
    assert net.fetcher.dropped == ()


@pytest.mark.parametrize(
    ("chance", "pauses"),
    [
        pytest.param(0.0, [1.5, 3, 6, 12], id="shortest"),
        pytest.param(0.5, [2, 4, 8, 16], id="usual"),
    ],
)
def test_probes_come_after_longer_and_longer_pauses(chance: float, pauses: list[float]) -> None:
    net = Net({A: Reply(error=Answer.UNREACHABLE)}, chance=chance)
    net.fetch(A)
    net.fetch(A)
    net.time.slept.clear()

    fetched = net.fetch(A)

    assert net.time.slept == pauses
    assert fetched.tries == (Try(A, Answer.UNREACHABLE),)
    assert len(net.client.requests) == 5 + 5 + 1 + 4


def test_a_probe_costs_a_file_none_of_its_retries() -> None:
    net = Net({}, HttpOptions(retries=2))
    down = Reply(error=Answer.UNREACHABLE)

    def fail_others() -> None:
        for number in range(2):
            net.fetch(f"http://a.test/{number}/f", B, last=B)

    last_try = Reply(give=1, end=Answer.UNREACHABLE, meanwhile=fail_others)
    net.client.replies = {A: [down, last_try, down], "http://a.test/": down}

    fetched = net.fetch(A)

    assert fetched.source == A


def test_who_waits_for_a_server_loses_it_when_the_probes_failed() -> None:
    net = Net({A: Reply(error=Answer.UNREACHABLE)})
    for _ in range(3):
        net.fetch(A)
    net.time.slept.clear()

    later = [net.fetch(A) for _ in range(2000)]

    assert {one.tries[0].detail for one in later} == {"not asked: unreachable before"}
    assert net.time.slept == []


def test_nobody_waits_for_a_server_whose_certificate_is_bad() -> None:
    net = Net({A: Reply(error=Answer.TLS)})
    for _ in range(3):
        net.fetch(A)

    fetched = net.fetch(A)

    assert fetched.tries[0].detail == "not asked: not to be trusted before"
    assert net.time.slept == []


@pytest.mark.parametrize("last", [pytest.param("", id="usual"), pytest.param(B, id="last")])
def test_nobody_waits_for_a_server_that_is_away_when_another_has_the_file(last: str) -> None:
    net = Net({A: Reply(error=Answer.UNREACHABLE)})
    net.fetch(A)
    net.fetch(A)
    net.fetch(A, B)
    net.time.slept.clear()

    fetched = net.fetch(A, B, last=last)

    assert fetched.source == B
    assert net.time.slept == []


def test_a_server_without_trust_is_dropped_at_once() -> None:
    net = Net({"https://a.test": Reply(error=Answer.TLS, detail="expired")})
    first = net.fetch("https://a.test/f")

    second = net.fetch("https://a.test/g")

    assert first.tries == (Try("https://a.test/f", Answer.TLS, "expired"),)
    assert second.tries[0].detail == "not asked: not to be trusted: expired"
    assert net.fetcher.dropped == (("https://a.test", "not to be trusted: expired"),)
    assert len(net.client.requests) == 1


def test_a_server_that_was_trusted_before_keeps_its_other_files() -> None:
    url = "https://a.test/f"
    net = Net({url: [GOOD, Reply(error=Answer.TLS)]})
    net.fetch(url)
    net.fetch(url)

    fetched = net.fetch(url)

    assert fetched.source == url


def test_a_server_that_leads_to_one_without_trust_keeps_its_other_files() -> None:
    net = Net({A: [Reply(error=Answer.TLS)]})
    net.fetch(A)

    fetched = net.fetch(A)

    assert fetched.source == A


def test_a_server_that_trickles_is_given_up() -> None:
    net = Net({A: Reply(piece=10, pause=1)}, HttpOptions(retries=0), f=BIG)

    fetched = net.fetch(A, right=BIG)

    assert fetched == Fetched(None, (Try(A, Answer.TIMEOUT, "slow: 300 bytes in 30 s"),))


def test_a_slow_server_that_is_fast_enough_is_not_given_up() -> None:
    net = Net({A: Reply(piece=2048, pause=1)}, HttpOptions(retries=0), f=BIG)

    fetched = net.fetch(A, right=BIG)

    assert fetched.source == A


def test_a_server_that_we_hold_back_is_not_slow() -> None:
    options = HttpOptions(limit_rate=4096, retries=0)
    net = Net({A: Reply(piece=512, pause=1)}, options, f=BIG[:99999])

    fetched = net.fetch(A, right=BIG[:99999])

    assert fetched.source == A


def test_the_deadline_ends_what_is_under_way() -> None:
    net = Net({A: Reply(piece=10, pause=1)}, HttpOptions(deadline=5))
    place = MemoryPlace(FILE)

    fetched = net.fetcher.fetch([Source(A)], place)

    assert fetched == Fetched(None, (Try(A, Answer.NO_TIME),))
    assert place.position == 50


def test_the_deadline_ends_a_pause() -> None:
    net = Net({A: Reply(error=Answer.BUSY, detail="why", after=60)}, HttpOptions(deadline=5))

    fetched = net.fetch(A)

    assert fetched == Fetched(None, (Try(A, Answer.NO_TIME, "after: busy: why"),))
    assert net.time.now == 5


def test_after_the_deadline_nobody_is_asked() -> None:
    net = Net(options=HttpOptions(deadline=5))
    net.time.now = 5

    fetched = net.fetch(A)

    assert fetched == Fetched(None, (Try(A, Answer.NO_TIME),))
    assert net.client.requests == []


def test_a_file_whose_last_byte_came_in_time_is_right() -> None:
    net = Net({A: Reply(pause=5)}, HttpOptions(deadline=5))

    fetched = net.fetch(A)

    assert fetched.source == A


def test_a_stop_ends_what_is_under_way() -> None:
    net = Net()
    net.client.replies[A] = Reply(piece=10, meanwhile=net.fetcher.stop)

    fetched = net.fetch(A)

    assert fetched == Fetched(None, (Try(A, Answer.NO_TIME, "stopped"),))
    assert net.fetcher.statistics()[0].errors == 0


def test_a_place_that_cannot_take_bytes_is_no_servers_fault() -> None:
    class Full(MemoryPlace):
        def write(self, block: bytes, /) -> None:
            raise OSError(errno.ENOSPC, "no room")

    net = Net(options=HttpOptions(connections=1))

    with pytest.raises(OSError, match="no room"):
        net.fetcher.fetch([Source(A)], Full(FILE))

    assert net.fetch(A).source == A
    assert net.fetcher.statistics()[0].errors == 0


def test_statistics_tell_what_each_server_did() -> None:
    net = Net(
        {
            A: Reply(latency=2, pause=2),
            B: [Reply(error=Answer.NOT_FOUND, latency=1), Reply(content=OTHER, latency=4)],
        }
    )
    for url in (A, B, B):
        net.fetch(url)

    first, second = net.fetcher.statistics()

    assert (first.server, first.requests, first.files) == ("http://a.test", 1, 1)
    assert (first.received, first.latency, first.rate) == (1024, 2, 512)
    assert (first.errors, first.lies) == (0, 0)
    assert (second.requests, second.files, second.received) == (2, 0, 1024)
    assert (second.errors, second.lies, second.latency, second.rate) == (2, 1, 4, None)
