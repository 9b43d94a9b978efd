from __future__ import annotations

import logging
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from bad_server import FOR_EVER, PORTAL, BadServer, Trouble, hops

from release_builder import __version__
from release_builder.errors import DescriptorError, SurroundingsError
from release_builder.transport.http import Answer, HttpError, HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.connections import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = bytes(range(256)) * 40  # 10,240 bytes
PACKED = " bytes; compressed, though not asked for"


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(HttpOptions(timeout=30), {}) as client:
        yield client


def fetched(client: HttpClient, url: str, start: int = 0, expected: int | None = None) -> bytes:
    with client.get(url, start=start, expected=expected) as body:
        return b"".join(body.blocks())


def refused(client: HttpClient, url: str, start: int = 0, expected: int | None = None) -> HttpError:
    with pytest.raises(HttpError) as caught:
        fetched(client, url, start, expected)
    return caught.value


def test_a_file_comes_with_what_is_told_of_it(client: HttpClient) -> None:
    dated = Trouble(headers=(("Last-Modified", "Sun, 09 Sep 2001 01:46:40 GMT"),))

    with BadServer({"/a": FILE}, {"/a": dated}) as server, client.get(f"{server.url}/a") as body:
        assert (body.start, body.length, body.modified) == (0, len(FILE), 1e9)
        assert b"".join(body.blocks()) == FILE


def test_a_date_that_is_none_is_not_told(client: HttpClient) -> None:
    odd = Trouble(headers=(("Last-Modified", "yesterday"),))

    with BadServer({"/a": FILE}, {"/a": odd}) as server, client.get(f"{server.url}/a") as body:
        assert body.modified is None


def test_the_server_is_told_who_asks_and_that_bytes_are_wanted_as_they_lie(
    client: HttpClient,
) -> None:
    with BadServer({"/a": FILE}) as server:
        fetched(client, f"{server.url}/a")

    (request,) = server.requests
    assert request.headers["user-agent"] == f"release-builder/{__version__}"
    assert request.headers["accept-encoding"] == "identity"
    assert "range" not in request.headers


def test_a_connection_is_used_again_also_after_a_refusal_and_a_redirect(
    client: HttpClient,
) -> None:
    content = {"/a": FILE, "/empty": b""}
    with BadServer(content, {"/there": Trouble(redirect="/a")}) as server:
        fetched(client, f"{server.url}/a")
        refused(client, f"{server.url}/none")
        fetched(client, f"{server.url}/there")
        fetched(client, f"{server.url}/empty")
        fetched(client, f"{server.url}/a", start=100)

    assert len(server.requests) == 6
    assert server.connections == 1


def test_a_file_that_was_left_in_its_midst_does_not_spoil_the_next(client: HttpClient) -> None:
    with BadServer({"/big": bytes(1 << 22), "/a": FILE}) as server:
        with client.get(f"{server.url}/big") as body:
            next(body.blocks())
        after = fetched(client, f"{server.url}/a")

    assert after == FILE


def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(client: HttpClient) -> None:
    gone = [Trouble(), Trouble(hang_up=True, delay=0.05)]

    with BadServer({"/a": FILE}, {"/a": gone}) as server:
        twice = [fetched(client, f"{server.url}/a") for _ in range(2)]

    assert twice == [FILE, FILE]
    assert (len(server.requests), server.connections) == (3, 2)


def test_a_server_that_hangs_up_on_a_new_connection_is_asked_once(client: HttpClient) -> None:
    with BadServer(everywhere=Trouble(hang_up=True)) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.CUT_OFF
    assert len(server.requests) == 1


def test_a_connection_that_was_made_anew_is_a_new_one(client: HttpClient) -> None:
    last = Trouble(headers=(("Connection", "close"),), close=True)

    with BadServer({"/a": FILE}, {"/a": last, "/b": Trouble(hang_up=True)}) as server:
        fetched(client, f"{server.url}/a")
        refused(client, f"{server.url}/b")

    assert len(server.asked("/b")) == 1


def test_threads_fetch_together_and_nothing_is_logged(
    client: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    got: list[bytes] = []
    with BadServer({"/a": FILE}, {"/a": Trouble(delay=0.05)}) as server:
        url = f"{server.url}/a"
        threads = [
            threading.Thread(target=lambda: got.append(fetched(client, url))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert got == [FILE] * 8
    assert server.connections <= 8
    assert not caplog.records


# Pieces


def test_the_rest_of_a_file_can_be_asked_for(client: HttpClient) -> None:
    with (
        BadServer({"/a": FILE}) as server,
        client.get(f"{server.url}/a", start=10_000, expected=len(FILE)) as body,
    ):
        assert (body.start, body.length) == (10_000, len(FILE))
        assert b"".join(body.blocks()) == FILE[10_000:]

    assert server.requests[0].headers["range"] == "bytes=10000-"


@pytest.mark.parametrize(
    ("trouble", "requests"),
    [
        pytest.param(Trouble(ignore_range=True), 1, id="range-ignored"),
        pytest.param(Trouble(range_shift=1), 2, id="another-piece"),
        pytest.param(Trouble(headers=(("Content-Range", ""),)), 2, id="unknown-piece"),
        pytest.param(Trouble(headers=(("Content-Range", "rows 1-2/3"),)), 2, id="no-bytes"),
        pytest.param([Trouble(status=416)], 2, id="refused-without-a-length"),
    ],
)
def test_who_gives_no_piece_gives_the_whole_file(
    client: HttpClient, trouble: Trouble | list[Trouble], requests: int
) -> None:
    with (
        BadServer({"/a": FILE}, {"/a": trouble}) as server,
        client.get(f"{server.url}/a", start=99, expected=len(FILE)) as body,
    ):
        assert body.start == 0
        assert b"".join(body.blocks()) == FILE

    assert len(server.requests) == requests


def test_a_piece_of_a_file_of_unknown_length_is_taken(client: HttpClient) -> None:
    ranged = Trouble(headers=(("Content-Range", "bytes 99-10239/*"),))

    with (
        BadServer({"/a": FILE}, {"/a": ranged}) as server,
        client.get(f"{server.url}/a", start=99, expected=len(FILE)) as body,
    ):
        assert body.length == len(FILE)


def test_a_piece_that_ends_early_is_cut_off(client: HttpClient) -> None:
    short = Trouble(length_lie=-40, cut_after=10_200)

    with BadServer({"/a": FILE}, {"/a": short}) as server:
        error = refused(client, f"{server.url}/a", start=40, expected=len(FILE))

    assert error.answer is Answer.CUT_OFF
    assert error.detail == "10,200 of 10,240 bytes"


def test_a_piece_that_nobody_asked_for_is_refused(client: HttpClient) -> None:
    with BadServer({"/a": FILE}, {"/a": Trouble(status=206, body=FILE[5:])}) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.SERVER_ERROR


# What is not the file


@pytest.mark.parametrize(
    ("trouble", "start", "expected", "detail"),
    [
        pytest.param(Trouble(), 0, 10_241, "10,240 in the place of 10,241 bytes", id="shorter"),
        pytest.param(Trouble(), 0, 0, "10,240 in the place of 0 bytes", id="none-wanted"),
        pytest.param(Trouble(), 9, 20_000, "10,240 in the place of 20,000 bytes", id="piece"),
        pytest.param(Trouble(total_lie=1), 9, 10_240, "10,241 in the place of", id="total"),
        pytest.param(Trouble(), 20_000, 30_000, "10,240 in the place of 30,000", id="no-piece"),
        pytest.param(Trouble(chunked=True), 0, 10_241, "10,240 in the place of", id="chunks"),
        pytest.param(Trouble(chunked=True), 0, 100, "more in the place of 100", id="many-chunks"),
        pytest.param(Trouble(gzip=True), 0, 10_240, PACKED, id="packed"),
        pytest.param(Trouble(gzip=True, chunked=True), 0, 10_240, PACKED, id="packed-chunks"),
        pytest.param(Trouble(gzip=True, chunked=True), 0, 9, PACKED, id="many-packed-chunks"),
    ],
)
def test_a_file_of_another_length_is_refused(
    client: HttpClient, trouble: Trouble, start: int, expected: int, detail: str
) -> None:
    with BadServer({"/a": FILE}, {"/a": trouble}) as server:
        error = refused(client, f"{server.url}/a", start, expected)

    assert error.answer is Answer.WRONG_LENGTH
    assert detail in error.detail
    assert ("compressed" in error.detail) == trouble.gzip


def test_a_server_that_has_no_such_piece_of_its_shorter_file_is_not_asked_for_all_of_it(
    client: HttpClient,
) -> None:
    with BadServer({"/a": FILE}) as server:
        error = refused(client, f"{server.url}/a", 20_000, 30_000)

    assert error.answer is Answer.WRONG_LENGTH
    assert len(server.requests) == 1


def test_a_wrong_length_is_told_before_the_body_comes(client: HttpClient) -> None:
    with BadServer({"/a": FILE}, {"/a": Trouble(stall_after=0)}) as server:
        error = refused(client, f"{server.url}/a", expected=1)

    assert error.answer is Answer.WRONG_LENGTH


def test_a_body_that_nobody_asked_to_be_packed_stays_as_it_came(client: HttpClient) -> None:
    with BadServer({"/a": FILE}, {"/a": Trouble(gzip=True)}) as server:
        assert fetched(client, f"{server.url}/a")[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("expected", [None, 10_240])
@pytest.mark.parametrize("start", [0, 99])
def test_a_portal_in_the_place_of_a_file_is_told_by_its_title(
    client: HttpClient, start: int, expected: int | None
) -> None:
    with BadServer(everywhere=PORTAL) as server:
        error = refused(client, f"{server.url}/a.rpm", start, expected)

    assert (error.answer, error.detail) == (Answer.WEB_PAGE, "Please log in")


def test_a_portal_that_a_redirect_leads_to_is_named(client: HttpClient) -> None:
    troubles = {"/a.rpm": Trouble(redirect="/login.html"), "/login.html": PORTAL}

    with BadServer({}, troubles) as server:
        error = refused(client, f"{server.url}/a.rpm")

    assert error.answer is Answer.WEB_PAGE
    assert error.detail == f"Please log in at {server.url}/login.html"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/index.html", None, id="named-so"),
        pytest.param("/docs/", None, id="folder"),
        pytest.param("/README", len(PORTAL.body or b""), id="of-the-right-length"),
    ],
)
def test_a_page_that_was_asked_for_is_a_file(
    client: HttpClient, path: str, expected: int | None
) -> None:
    with BadServer(everywhere=PORTAL) as server:
        assert fetched(client, server.url + path, expected=expected) == PORTAL.body


def test_the_words_of_a_server_cannot_play_with_the_terminal(client: HttpClient) -> None:
    page = b"<TITLE>\n\x1b[31m red &amp; " + b"long " * 100 + b"</TITLE>"
    portal = Trouble(body=page, headers=(("Content-Type", "text/html"),))

    with BadServer(everywhere=portal) as server:
        error = refused(client, f"{server.url}/a")

    assert error.detail.startswith(r"\x1b[31m red & long long")
    assert len(error.detail) == 100


# Statuses


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (401, Answer.FORBIDDEN),
        (403, Answer.FORBIDDEN),
        (404, Answer.NOT_FOUND),
        (407, Answer.FORBIDDEN),
        (408, Answer.BUSY),
        (410, Answer.NOT_FOUND),
        (400, Answer.REFUSED),
        (416, Answer.REFUSED),
        (418, Answer.REFUSED),
        (429, Answer.BUSY),
        (451, Answer.FORBIDDEN),
        (500, Answer.SERVER_ERROR),
        (503, Answer.BUSY),
        (504, Answer.SERVER_ERROR),
        (204, Answer.REFUSED),
        (304, Answer.REFUSED),
        (599, Answer.SERVER_ERROR),
    ],
)
def test_each_status_has_its_answer(client: HttpClient, status: int, answer: Answer) -> None:
    with BadServer({}, {"/a": Trouble(status=status)}) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer is answer
    assert error.detail.startswith(str(status))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("-7", 0.0, id="before"),
        pytest.param("soon", 0.0, id="nonsense"),
        pytest.param("9" * 400, 3600.0, id="never"),
        pytest.param("Sun, 09 Sep 2001 01:46:40 GMT", 0.0, id="long-ago"),
        pytest.param("Sun, 09 Sep 9999 01:46:40 GMT", 3600.0, id="far-away"),
    ],
)
def test_a_busy_server_says_when_to_come_again(
    client: HttpClient, value: str, seconds: float
) -> None:
    busy = Trouble(status=503, headers=(("Retry-After", value),))

    with BadServer({}, {"/a": busy}) as server:
        error = refused(client, f"{server.url}/a")

    assert (error.answer, error.after) == (Answer.BUSY, seconds)


def test_the_time_to_come_again_may_be_a_date(client: HttpClient) -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)

    with BadServer({}, {"/a": Trouble(status=429, headers=(("Retry-After", then),))}) as server:
        error = refused(client, f"{server.url}/a")

    assert 90 < error.after <= 100


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(status=404, body=bytes(5000)), id="refusal"),
        pytest.param(Trouble(redirect="/b"), id="redirect"),
    ],
)
def test_an_answer_that_trickles_without_being_the_file_is_not_waited_for(
    client: HttpClient, trouble: Trouble
) -> None:
    endless = replace(trouble, piece=1, pause=0.3, headers=(("Content-Length", "5000"),))

    with BadServer({}, {"/a": endless}) as server:
        began = time.monotonic()
        error = refused(client, f"{server.url}/a")
        took = time.monotonic() - began

    assert error.answer is Answer.NOT_FOUND
    assert took < 60


# Redirects


def test_ten_redirects_are_followed(client: HttpClient) -> None:
    with BadServer({"/end": FILE}, hops("/a", 10, "/end")) as server:
        assert fetched(client, f"{server.url}/a") == FILE


def test_eleven_redirects_are_too_many(client: HttpClient) -> None:
    with BadServer({"/end": FILE}, hops("/a", 11, "/end")) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.REDIRECTS
    assert not server.asked("/end")


def test_redirects_in_a_circle_end_at_once(client: HttpClient) -> None:
    with BadServer({}, hops("/a", 3, "/a")) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.REDIRECTS
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_keeps_the_piece_that_is_wanted(client: HttpClient, status: int) -> None:
    troubles = {"/a": Trouble(redirect="/b", status=status)}

    with BadServer({"/b": FILE}, troubles) as server:
        assert fetched(client, f"{server.url}/a", start=99) == FILE[99:]


def test_a_redirect_may_lead_to_another_host(client: HttpClient) -> None:
    with BadServer({"/b": FILE}) as other, BadServer() as server:
        server.troubles["/a"] = Trouble(redirect=f"{other.url}/b")

        assert fetched(client, f"{server.url}/a") == FILE


def test_a_redirect_may_name_what_should_have_been_escaped(client: HttpClient) -> None:
    location = "/grün und%20rot".encode().decode("latin-1")

    with BadServer({"/grün und rot": FILE}, {"/a": Trouble(redirect=location)}) as server:
        assert fetched(client, f"{server.url}/a") == FILE


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://x/", "http://[::1/", "//:x/"],
)
def test_a_redirect_to_what_is_no_http_is_not_followed(client: HttpClient, location: str) -> None:
    with BadServer({}, {"/a": Trouble(redirect=location)}) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.BAD_URL
    assert f"leads to {location}" in error.detail


def test_a_redirect_to_nowhere_is_a_refusal(client: HttpClient) -> None:
    with BadServer({}, {"/a": Trouble(status=302)}) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.REFUSED


# Silence, and connections that break


def test_a_body_that_is_cut_off_tells_how_much_came(client: HttpClient) -> None:
    with BadServer({"/a": FILE[:4096]}, {"/a": Trouble(cut_after=12)}) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.CUT_OFF
    assert error.detail == "12 of 4,096 bytes, it hung up"


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(cut_after=12, reset=True), id="reset"),
        pytest.param(Trouble(hang_up=True, reset=True), id="reset-before-the-answer"),
        pytest.param(Trouble(hang_up=True), id="no-answer"),
        pytest.param(Trouble(length_lie=9), id="more-promised"),
        pytest.param(Trouble(chunked=True, cut_after=12), id="chunks"),
        pytest.param(Trouble(chunked=True, cut_after=0), id="no-chunk"),
    ],
)
def test_a_connection_that_breaks_is_cut_off(client: HttpClient, trouble: Trouble) -> None:
    with BadServer({"/a": FILE}, {"/a": trouble}) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.CUT_OFF


def test_what_came_before_the_cut_is_handed_over(client: HttpClient) -> None:
    came: list[bytes] = []

    with (
        BadServer({"/a": FILE}, {"/a": Trouble(cut_after=5000)}) as server,
        client.get(f"{server.url}/a") as body,
        pytest.raises(HttpError),
    ):
        came.extend(body.blocks())

    assert b"".join(came) == FILE[:5000]


@pytest.mark.parametrize(
    ("trouble", "detail"),
    [
        pytest.param(Trouble(delay=FOR_EVER), "", id="before-the-answer"),
        pytest.param(Trouble(stall_after=7), "7 of 10,240 bytes", id="in-its-midst"),
    ],
)
def test_a_silent_server_is_given_up(trouble: Trouble, detail: str) -> None:
    options = HttpOptions(timeout=0.2)

    with BadServer({"/a": FILE}, {"/a": trouble}) as server, HttpClient(options, {}) as client:
        error = refused(client, f"{server.url}/a")

    assert (error.answer, error.detail) == (Answer.TIMEOUT, detail)


def test_a_slow_byte_is_handed_over_as_it_comes(client: HttpClient) -> None:
    slow = Trouble(piece=1, stall_after=1)

    with BadServer({"/a": FILE}, {"/a": slow}) as server, client.get(f"{server.url}/a") as body:
        assert next(body.blocks()) == FILE[:1]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 90, id="head"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 900, id="chunk"
        ),
    ],
)
def test_a_server_that_never_comes_to_the_point_is_given_up(raw: bytes) -> None:
    endless = Trouble(raw=raw, piece=1, pause=0.02)
    options = HttpOptions(timeout=0.3)

    with BadServer({}, {"/a": endless}) as server, HttpClient(options, {}) as client:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.TIMEOUT


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"220 ftp.example.org ready\r\n", id="another-protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n", id="many-headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000, id="long-header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n12345", id="two-lengths"),
    ],
)
def test_what_is_no_http_is_the_servers_error(client: HttpClient, raw: bytes) -> None:
    with BadServer({}, {"/a": Trouble(raw=raw)}) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.SERVER_ERROR


@pytest.mark.parametrize("size", [b"-5", b"zz", b"", b"ffffffffffffffffffffff", b"5" * 70_000])
def test_chunks_of_no_proper_size_are_told(client: HttpClient, size: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    with BadServer({}, {"/a": Trouble(raw=head + size + b"\r\n12345\r\n")}) as server:
        error = refused(client, f"{server.url}/a")

    assert error.answer in {Answer.SERVER_ERROR, Answer.CUT_OFF}


def test_blocks_are_at_most_a_mebibyte() -> None:
    big = bytes(5 << 20)
    with (
        BadServer({"/a": big}) as server,
        HttpClient(HttpOptions(), {}) as client,
        client.get(f"{server.url}/a") as body,
    ):
        lengths = [len(block) for block in body.blocks()]

    assert sum(lengths) == len(big)
    assert max(lengths) <= 1 << 20


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(delay=FOR_EVER), id="before-the-answer"),
        pytest.param(Trouble(stall_after=7), id="in-its-midst"),
        pytest.param(Trouble(piece=1, pause=0.05), id="trickling"),
    ],
)
def test_the_deadline_ends_what_is_under_way(trouble: Trouble) -> None:
    options = HttpOptions(timeout=60, deadline=0.4)

    with BadServer({"/a": FILE}, {"/a": trouble}) as server, HttpClient(options, {}) as client:
        began = time.monotonic()
        error = refused(client, f"{server.url}/a")
        took = time.monotonic() - began

    assert error.answer is Answer.NO_TIME
    assert took < 30


def test_the_deadline_does_not_move_with_each_byte() -> None:
    late = Trouble(piece=1, pause=0.3, stall_after=6)  # the last byte comes after 1.5 s
    options = HttpOptions(timeout=60, deadline=2)

    with BadServer({"/a": FILE}, {"/a": late}) as server, HttpClient(options, {}) as client:
        began = time.monotonic()
        error = refused(client, f"{server.url}/a")
        took = time.monotonic() - began

    assert error.answer is Answer.NO_TIME
    assert took < 3


def test_a_file_may_take_longer_than_a_server_may_be_silent() -> None:
    slow = Trouble(piece=1, pause=0.25)

    with (
        BadServer({"/a": b"12345678"}, {"/a": slow}) as server,
        HttpClient(HttpOptions(timeout=1.2), {}) as client,
    ):
        assert fetched(client, f"{server.url}/a") == b"12345678"


def test_after_the_deadline_nothing_is_asked() -> None:
    with BadServer({"/a": FILE}) as server, HttpClient(HttpOptions(deadline=0), {}) as client:
        error = refused(client, f"{server.url}/a")

    assert error.answer is Answer.NO_TIME
    assert not server.requests


def test_the_end_may_come_just_when_somebody_looks_how_long_it_is_away() -> None:
    over = Patience(30.0, time.monotonic() - 1)

    assert 0 < over.left() <= 0.01


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e300])
def test_however_long_may_be_waited_a_file_comes(seconds: float) -> None:
    options = HttpOptions(timeout=seconds, deadline=seconds)

    with BadServer({"/a": FILE}) as server, HttpClient(options, {}) as client:
        assert fetched(client, f"{server.url}/a") == FILE


def test_a_server_that_does_not_listen_is_unreachable(client: HttpClient) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        error = refused(client, f"http://127.0.0.1:{deaf.getsockname()[1]}/a")

    assert (error.answer, error.detail) == (Answer.UNREACHABLE, "Connection refused")


def test_a_server_that_takes_nobody_in_is_unreachable() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for guest in (first, second):  # more than its queue holds
            guest.setblocking(False)
            guest.connect_ex(full.getsockname())
        began = time.monotonic()
        with HttpClient(HttpOptions(timeout=0.2), {}) as client:
            error = refused(client, f"http://127.0.0.1:{full.getsockname()[1]}/a")
        took = time.monotonic() - began

    assert took < 30
    assert (error.answer, error.detail) == (Answer.UNREACHABLE, "no connection in time")


def test_a_name_that_nobody_has_is_unreachable(client: HttpClient) -> None:
    error = refused(client, "http://nobody.invalid/a")

    assert error.answer is Answer.UNREACHABLE


# URLs


@pytest.mark.parametrize(
    "url",
    ["", "a", "/a", "ftp://x/", "file:///etc/passwd", "http://", "http:///a", "http://[::1/a",
     "http://x:port/", "http://x:99999/", "http://x/a\nb", "http://x/\udcff", "http://\x00/"],
)  # fmt: skip
def test_what_is_no_url_is_not_asked(client: HttpClient, url: str) -> None:
    assert refused(client, url).answer is Answer.BAD_URL


@pytest.mark.parametrize("path", ["/a%20b", "/%ff%23%3f", "/a%2Fb", "/a?b=c&d", "/~a+b;c=d@e:f"])
def test_escapes_arrive_as_they_are(client: HttpClient, path: str) -> None:
    with BadServer() as server:
        refused(client, server.url + path)

    assert server.requests[0].path.lower() == path.lower()


def test_a_scheme_may_be_in_capitals(client: HttpClient) -> None:
    with BadServer({"/a": FILE}) as server:
        assert fetched(client, f"{server.url}/a".replace("http:", "HTTP:")) == FILE


# Certificates to trust


def test_a_bundle_that_is_missing_is_named(workdir: Path) -> None:
    with pytest.raises(SurroundingsError, match=r"no\.pem: No such file"):
        HttpClient(HttpOptions(ca_bundle=workdir / "no.pem"), {})


def test_a_bundle_without_certificate_is_refused_with_a_hint(workdir: Path) -> None:
    bundle = workdir / "empty.pem"
    bundle.write_text("nothing\n")

    with pytest.raises(DescriptorError, match="holds no certificate") as caught:
        HttpClient(HttpOptions(ca_bundle=bundle), {})

    assert "PEM" in caught.value.hint


def test_the_environment_names_a_bundle_that_is_missing(workdir: Path) -> None:
    environ = {"SSL_CERT_FILE": str(workdir / "no.pem")}

    with pytest.raises(SurroundingsError, match=r"^SSL_CERT_FILE=/.*no\.pem: No such file"):
        HttpClient(HttpOptions(), environ)


def test_the_environment_names_a_bundle_without_certificate(workdir: Path) -> None:
    bundle = workdir / "empty.pem"
    bundle.write_text("nothing\n")

    with pytest.raises(DescriptorError, match=r"empty\.pem holds no certificate") as caught:
        HttpClient(HttpOptions(), {"SSL_CERT_FILE": str(bundle)})

    assert "unset SSL_CERT_FILE" in caught.value.hint


def test_an_empty_variable_names_no_bundle() -> None:
    HttpClient(HttpOptions(), {"SSL_CERT_FILE": ""}).close()


# Patience


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(delay=FOR_EVER), id="silent"),
        pytest.param(Trouble(stall_after=100), id="stalls"),
        pytest.param([Trouble(redirect="/b")], id="silent-elsewhere"),
    ],
)
def test_a_request_may_have_less_patience_than_the_others(
    client: HttpClient, trouble: Trouble | list[Trouble]
) -> None:
    slow = {"/a": trouble, "/b": Trouble(delay=FOR_EVER)}
    with BadServer({"/a": FILE, "/b": FILE, "/c": FILE}, slow) as server:
        server.troubles["/c"] = Trouble(delay=0.6)
        began = time.monotonic()
        with (
            pytest.raises(HttpError) as caught,
            client.get(f"{server.url}/a", patience=0.3) as body,
        ):
            b"".join(body.blocks())
        took = time.monotonic() - began
        after = fetched(client, f"{server.url}/c")

    assert caught.value.answer is Answer.TIMEOUT
    assert 0.3 <= took < 2
    assert after == FILE


def test_a_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*_arguments: object, **_options: object) -> list[object]:
        over.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with HttpClient(HttpOptions(timeout=0.3), {}) as client:
        began = time.monotonic()
        error = refused(client, "http://far.test/a")
        took = time.monotonic() - began
    over.set()

    assert (error.answer, error.detail) == (
        Answer.UNREACHABLE,
        "its name was not looked up in time",
    )
    assert took < 2


# The rate


def test_a_limited_client_reads_in_small_pieces() -> None:
    options = HttpOptions(limit_rate=1 << 20)

    with (
        BadServer({"/a": bytes(400_000)}) as server,
        HttpClient(options, {}) as client,
        client.get(f"{server.url}/a") as body,
    ):
        lengths = [len(block) for block in body.blocks()]

    assert max(lengths) <= 1 << 17
    assert sum(lengths) == 400_000
