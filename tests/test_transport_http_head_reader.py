from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer, Trouble
from builders import noise

from release_builder.transport.http import Answer, HttpError, HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.head_client import HeadClient

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 65_536  # bytes of all heads of an answer
FILE = noise(10_000)
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(FILE)
CONTINUE = b"HTTP/1.1 100 Continue\r\n"
REFUSAL = f"more than {MOST:,} bytes of headers"
USUAL = tuple((f"X-{at}", "x" * 1000) for at in range(30))  # 30 KiB


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(HttpOptions(timeout=30), {}) as client:
        yield client


def headers(count: int, size: int) -> bytes:
    """So many, each with a line of ``size`` bytes."""
    return b"".join(b"A: %b\r\n" % (b"a" * (size - 5)) for _ in range(count))


def head_of(size: int) -> bytes:
    """A head of ``size`` bytes, in lines of 6000."""
    least = OK + LENGTH + b"\r\n"
    count, rest = divmod(size - len(least), 6000)
    return OK + LENGTH + headers(count, 6000) + headers(1, rest) + b"\r\n"


def fetched(client: HttpClient, url: str) -> bytes:
    with client.get(url) as body:
        return b"".join(body.blocks())


def assert_refused(client: HttpClient, url: str) -> None:
    with pytest.raises(HttpError) as caught:
        fetched(client, url)
    assert caught.value.answer is Answer.SERVER_ERROR
    assert caught.value.detail == REFUSAL


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(OK + headers(90, 60_000) + b"\r\n", id="finite"),
        pytest.param(head_of(MOST + 1) + FILE, id="a byte too many"),
        pytest.param(OK + b"A: " + b"a" * MOST, id="one line"),
        pytest.param(b"HTTP/1.1 200 " + b"O" * MOST, id="status"),
        pytest.param(
            CONTINUE + headers(9, 6000) + b"\r\n" + OK + LENGTH + headers(2, 6000) + b"\r\n" + FILE,
            id="two heads",
        ),
        pytest.param((CONTINUE + b"\r\n") * 9000 + OK + LENGTH + b"\r\n" + FILE, id="many heads"),
    ],
)
def test_an_answer_of_too_many_headers_is_refused(client: HttpClient, raw: bytes) -> None:
    with BadServer({}, {"/a": Trouble(raw=raw)}) as server:
        assert_refused(client, f"{server.url}/a")


def test_all_bytes_that_a_head_may_have_are_taken(client: HttpClient) -> None:
    raw = head_of(MOST) + FILE
    assert raw.index(b"\r\n\r\n") + 4 == MOST

    with BadServer({}, {"/a": Trouble(raw=raw)}) as server:
        assert fetched(client, f"{server.url}/a") == FILE


def test_lines_that_follow_a_head_are_not_counted(client: HttpClient) -> None:
    chunk = b"1;%b\r\na\r\n" % (b"x" * 1000)
    raw = OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 100 + b"0\r\n\r\n"

    with BadServer({}, {"/a": Trouble(raw=raw)}) as server:
        assert fetched(client, f"{server.url}/a") == b"a" * 100


def test_each_answer_of_a_connection_may_have_many_headers(client: HttpClient) -> None:
    with BadServer({"/a": FILE}, {"/a": Trouble(headers=USUAL)}) as server:
        told = [fetched(client, f"{server.url}/a") for _ in range(4)]

        assert told == [FILE] * 4
        assert server.connections == 1


def test_no_connection_is_kept_after_a_refusal(client: HttpClient) -> None:
    long = Trouble(headers=tuple((f"X-{at}", "x" * 60_000) for at in range(3)))
    with BadServer({"/a": FILE, "/b": FILE}, {"/a": long}) as server:
        assert_refused(client, f"{server.url}/a")

        assert fetched(client, f"{server.url}/b") == FILE
        assert server.connections == 2


def test_who_asks_for_a_length_alone_refuses_them_too() -> None:
    raw = OK + LENGTH + headers(90, 60_000) + b"\r\n"
    with (
        BadServer({}, {"/a": Trouble(raw=raw)}) as server,
        HeadClient(HttpOptions(timeout=30), {}) as client,
    ):
        with pytest.raises(HttpError, match=REFUSAL):
            client.length(f"{server.url}/a", len(FILE))

        assert [request.method for request in server.requests] == ["HEAD"]


def test_a_proxy_opens_no_tunnel_by_an_answer_of_too_many_headers() -> None:
    raw = OK + headers(90, 60_000) + b"\r\n"
    with (
        BadServer(everywhere=Trouble(raw=raw)) as proxy,
        HttpClient(HttpOptions(timeout=30), {"https_proxy": proxy.url}) as client,
    ):
        assert_refused(client, "https://127.0.0.1:1/a")

        assert [request.method for request in proxy.requests] == ["CONNECT"]
