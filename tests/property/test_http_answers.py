"""Whatever a server answers: the file, or one of our own errors; never anything else, nor a hang."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer, Trouble
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from release_builder.transport.http import HttpError, HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.urls import parse, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = b"0123456789"
_STATUSES = (
    b"200 OK",
    b"206 Partial",
    b"302 Found",
    b"404 No",
    b"416 Range",
    b"503",
    b"100",
    b"-1",
)
_NUMBERS = ("0", "5", "10", "-1", "1e3", "\uff19", "99999999999999999999", "")
_HEADERS = st.one_of(
    st.sampled_from(_NUMBERS).map("Content-Length: {}".format),
    st.tuples(*[st.sampled_from(_NUMBERS)] * 3).map(
        lambda row: "Content-Range: bytes {}-{}/{}".format(*row)
    ),
    st.sampled_from(["chunked", "gzip", "chunked, chunked"]).map("Transfer-Encoding: {}".format),
    st.sampled_from(["/a", "//", "http://[", "file:/a", "\xff", "?"]).map("Location: {}".format),
    st.sampled_from(["text/html", "text/html;", ";", "a/b"]).map("Content-Type: {}".format),
    st.sampled_from(["now", "Sun, 31 Feb 2001 25:00:00 GMT", "-1"]).map("Last-Modified: {}".format),
    st.sampled_from(["1", "nan", "inf", "Sun, 09 Sep 2001"]).map("Retry-After: {}".format),
    st.text(st.characters(max_codepoint=255), max_size=20),
).map(lambda line: line.encode("utf-8", "replace"))
_BODIES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([_FILE, _FILE[4:], b"a\r\n0123456789\r\n0\r\n\r\n", b"-3\r\nabc", b"1" * 99]),
)
_ANSWERS = st.builds(
    lambda status, headers, body: b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"", body]),
    st.one_of(st.sampled_from(_STATUSES), st.binary(max_size=9)),
    st.lists(_HEADERS, max_size=4),
    _BODIES,
)


@pytest.fixture(scope="module")
def server() -> Iterator[BadServer]:
    with BadServer() as server:
        yield server


@pytest.fixture(scope="module")
def client() -> Iterator[HttpClient]:
    with HttpClient(HttpOptions(timeout=5), {}) as client:
        yield client


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    raw=st.one_of(_ANSWERS, st.binary(max_size=60)),
    start=st.sampled_from([0, 4]),
    expected=st.sampled_from([None, 0, 10]),
)
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n", 0, None)
@example(
    b"HTTP/1.1 206 OK\r\nContent-Length: 9\r\nContent-Range: bytes 4-9/10\r\n\r\n" + b"x" * 9, 4, 10
)
def test_any_answer_is_a_file_or_one_of_our_errors(
    server: BadServer, client: HttpClient, raw: bytes, start: int, expected: int | None
) -> None:
    server.everywhere = Trouble(raw=raw)
    server.requests.clear()
    came = 0

    with (
        suppress(HttpError),
        client.get(f"{server.url}/a", start=start, expected=expected) as body,
    ):
        came = body.start
        assert came in {0, start}
        for block in body.blocks():
            came += len(block)
            assert block
            assert expected is None or came <= expected
            assert body.length is None or came <= body.length
        assert body.length is None or came == body.length
        assert expected is None or came == expected

    assert len(server.requests) <= 24


@given(st.text(max_size=40).map("http://{}".format))
@example("http://[::1]:")
@example("http://" + "a" * 300)
def test_any_text_is_a_url_or_none(url: str) -> None:
    with suppress(HttpError):
        address = parse(url)
        assert address.url.isascii()
        assert address.host
        assert 0 <= address.port < 65_536
        assert parse(address.url).server == address.server
    assert shown(url).isprintable()


@given(
    st.text(
        st.characters(max_codepoint=126, min_codepoint=33, exclude_characters="/?#@[]\\"),
        min_size=5,
    )
)
def test_a_password_is_never_shown(password: str) -> None:
    assert "@" not in shown(f"http://me:{password}@host/a")
    assert shown(f"http://me:{password}@host/a") == "http://host/a"
