"""Servers asked for the length of a file, and nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bad_server import PORTAL, BadServer, Trouble
from builders import noise

from release_builder.transport.http import Answer, HttpError, HttpOptions
from release_builder.transport.http.head_client import HeadClient

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = noise(300_000)
FILES = {f"/{at}": FILE for at in range(5)} | {"/page.html": b"<p>"}
NO_HEAD = [Trouble(status=405)]  # for its first request, which asks by HEAD


@pytest.fixture
def client() -> Iterator[HeadClient]:
    with HeadClient(HttpOptions(timeout=5), {}) as client:
        yield client


def refused(client: HeadClient, url: str, length: int = len(FILE)) -> HttpError:
    with pytest.raises(HttpError) as caught:
        client.length(url, length)
    return caught.value


def test_many_files_are_asked_for_by_head_over_one_connection(client: HeadClient) -> None:
    with BadServer(FILES) as server:
        told = [client.length(f"{server.url}/{at}", len(FILE)) for at in range(5)]

        assert told == [len(FILE)] * 5
        assert {request.method for request in server.requests} == {"HEAD"}
        assert server.connections == 1


@pytest.mark.parametrize("status", [405, 501])
def test_who_refuses_head_is_asked_for_a_byte(client: HeadClient, status: int) -> None:
    with BadServer(FILES, {"/0": [Trouble(status=status)]}) as server:
        told = [client.length(f"{server.url}/{at}", len(FILE)) for at in range(5)]

        assert told == [len(FILE)] * 5
        assert [request.method for request in server.requests] == ["HEAD", *["GET"] * 5]
        assert {request.headers["range"] for request in server.requests[1:]} == {"bytes=0-0"}
        assert max(request.sent for request in server.requests[1:]) <= 1  # or we were gone before
        assert server.connections == 1


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        pytest.param(Trouble(status=404), Answer.NOT_FOUND, id="not found"),
        pytest.param(Trouble(status=403), Answer.FORBIDDEN, id="forbidden"),
        pytest.param(Trouble(status=500), Answer.SERVER_ERROR, id="server error"),
        pytest.param(Trouble(body=FILE[:-1]), Answer.WRONG_LENGTH, id="cut short"),
        pytest.param(PORTAL, Answer.WEB_PAGE, id="portal"),
        pytest.param(Trouble(redirect="/page.html"), Answer.WRONG_LENGTH, id="led to a page"),
        pytest.param(Trouble(redirect="/0"), Answer.REDIRECTS, id="led round"),
        pytest.param(Trouble(hang_up=True), Answer.CUT_OFF, id="hangs up"),
    ],
)
@pytest.mark.parametrize("head", [True, False], ids=["head", "byte"])
def test_what_is_not_the_file_is_refused(
    client: HeadClient, trouble: Trouble, answer: Answer, head: bool
) -> None:
    troubles: dict[str, Trouble | list[Trouble]] = {"/0": trouble, "/1": NO_HEAD}
    with BadServer(FILES, troubles) as server:
        if not head:
            client.length(f"{server.url}/1", len(FILE))

        error = refused(client, f"{server.url}/0")

        assert error.answer is answer
        assert server.requests[-1].method == ("HEAD" if head else "GET")


def test_a_redirect_to_the_file_is_followed(client: HeadClient) -> None:
    with BadServer(FILES, {"/0": Trouble(redirect="/1")}) as server:
        told = client.length(f"{server.url}/0", len(FILE))

        assert told == len(FILE)
        assert [request.path for request in server.requests] == ["/0", "/1"]


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(chunked=True), id="chunks"),
        pytest.param(Trouble(headers=(("Content-Length", ""),)), id="head without length"),
        pytest.param(
            [Trouble(status=405), Trouble(headers=(("Content-Range", "bytes 0-0/*"),))],
            id="a byte of who knows how many",
        ),
    ],
)
def test_a_length_that_is_not_told_is_no_error(
    client: HeadClient, trouble: Trouble | list[Trouble]
) -> None:
    with BadServer(FILES, {"/0": trouble}) as server:
        assert client.length(f"{server.url}/0", len(FILE)) is None


def test_a_server_that_knows_no_ranges_tells_the_length(client: HeadClient) -> None:
    troubles = {"/0": [Trouble(status=405), Trouble(ignore_range=True)]}
    with BadServer(FILES, troubles) as server:
        assert client.length(f"{server.url}/0", len(FILE)) == len(FILE)


def test_a_secret_is_sent_but_not_shown(client: HeadClient) -> None:
    with BadServer(FILES, everywhere=Trouble(status=403)) as server:
        error = refused(client, server.url.replace("://", "://me:secret@") + "/0")

        assert "authorization" in server.requests[0].headers
        assert "secret" not in str(error)
