from __future__ import annotations

import base64
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer, Request, Trouble

from release_builder.transport.http import HttpError, HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.credentials import Credentials
from release_builder.transport.http.urls import followed, parse, shown

if TYPE_CHECKING:
    from pathlib import Path


def ask(url: str, netrc: str = "") -> None:
    """Ask for ``url`` with the netrc file ``netrc``, whatever comes of it."""
    environ = {"NETRC": netrc} if netrc else {}
    with (
        HttpClient(HttpOptions(), environ) as client,
        suppress(HttpError),
        client.get(url) as body,
    ):
        list(body.blocks())


def user(request: Request) -> str | None:
    """Who the request says that it is for."""
    header = request.headers.get("authorization")
    return header and base64.b64decode(header.removeprefix("Basic ")).decode()


def netrc(workdir: Path, text: str) -> str:
    path = workdir / "netrc"
    path.write_text(text)
    return str(path)


def named(server: BadServer, user: str) -> str:
    """The URL of ``server`` with ``user`` in it."""
    return server.url.replace("://", f"://{user}@")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("me:secret", "me:secret", id="plain"),
        pytest.param("me", "me:", id="no-password"),
        pytest.param("m%40e:s%3Ae%2Fc", "m@e:s:e/c", id="escaped"),
        pytest.param("me:gr%C3%BCn", "me:grün", id="utf-8"),
    ],
)
def test_the_user_in_the_url_is_named(written: str, meant: str) -> None:
    with BadServer() as server:
        ask(f"{named(server, written)}/a")

    assert user(server.requests[0]) == meant


def test_the_user_of_netrc_is_named_to_the_host_there(workdir: Path) -> None:
    path = netrc(workdir, "machine 127.0.0.1 login me password secret\n")

    with BadServer() as server, BadServer(host="localhost") as other:
        ask(f"{server.url}/a", path)
        ask(f"{other.url}/a", path)

    assert user(server.requests[0]) == "me:secret"
    assert user(other.requests[0]) is None


def test_the_user_in_the_url_comes_before_netrc(workdir: Path) -> None:
    path = netrc(workdir, "machine 127.0.0.1 login me password secret\n")

    with BadServer() as server:
        ask(f"{named(server, 'you:other')}/a", path)

    assert user(server.requests[0]) == "you:other"


def test_a_redirect_on_the_same_server_keeps_the_user() -> None:
    with BadServer({}, {"/a": Trouble(redirect="/b")}) as server:
        ask(f"{named(server, 'me:secret')}/a")

    assert [user(request) for request in server.requests] == ["me:secret", "me:secret"]


@pytest.mark.parametrize("written", ["", "you:guessed@"])
@pytest.mark.parametrize("text", ["", "default login me password secret\n"])
def test_a_redirect_to_another_server_names_nobody_there(
    workdir: Path, text: str, written: str
) -> None:
    with BadServer() as other, BadServer() as server:
        target = other.url.replace("://", f"://{written}")
        server.troubles["/a"] = Trouble(redirect=f"{target}/b")
        ask(f"{named(server, 'me:secret')}/a", netrc(workdir, text))

    assert user(server.requests[0]) == "me:secret"
    assert [user(request) for request in other.requests] == [None]


def test_a_redirect_may_lead_to_a_host_that_netrc_knows(workdir: Path) -> None:
    path = netrc(workdir, "machine localhost login me password secret\n")

    with BadServer(host="localhost") as other, BadServer() as server:
        server.troubles["/a"] = Trouble(redirect=f"{other.url}/b")
        ask(f"{server.url}/a", path)

    assert user(server.requests[0]) is None
    assert user(other.requests[0]) == "me:secret"


def test_the_home_has_the_netrc_file(workdir: Path) -> None:
    (workdir / ".netrc").write_text("default login me password secret\n")

    by_home = Credentials({}, workdir)
    by_environment = Credentials({"HOME": str(workdir)})

    for each in (by_home, by_environment):
        assert each.header(parse("http://x/"), anybody=True) == "Basic bWU6c2VjcmV0"
        assert each.notes == ()


def test_no_home_and_no_netrc_file_are_no_problem(workdir: Path) -> None:
    for each in (Credentials({}), Credentials({}, workdir)):
        assert each.header(parse("http://x/"), anybody=True) is None
        assert each.notes == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(b"machine x login me pasword hidden\n", "line 1", id="malformed"),
        pytest.param(b"machine x login \xff\xfe password y\n", "not text", id="no-text"),
    ],
)
def test_a_netrc_file_that_is_none_is_told_and_not_used(
    workdir: Path, text: bytes, why: str
) -> None:
    path = workdir / "netrc"
    path.write_bytes(text)

    credentials = Credentials({"NETRC": str(path)})

    (note,) = credentials.notes
    assert f"{path} is not used: {why}" in note
    assert "hidden" not in note
    assert credentials.header(parse("http://x/"), anybody=True) is None


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo"])
def test_a_netrc_file_that_cannot_be_read_is_told(workdir: Path, kind: str) -> None:
    path = workdir / "netrc"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)

    with HttpClient(HttpOptions(), {"NETRC": str(path)}) as client:
        assert client.notes == (f"{path} is not used: not a file",)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://me:secret@host/a@b", "http://host/a@b"),
        ("https://me@host:1/?q=@", "https://host:1/?…"),
        ("http://host/a?token=secret&b=?#end", "http://host/a?…#end"),
        ("http://[::1/a?token=secret", "http://[::1/a?…"),
        ("/a?", "/a?"),
        ("http://host/a@b", "http://host/a@b"),
        ("http://me:p/secret@host/a", "http://host/a"),
        ("http://me:secret@[::1/a", "http://[::1/a"),
        ("http://host/\x1b[0m", r"http://host/\x1b[0m"),
        ("no url", "no url"),
    ],
)
def test_no_secret_of_a_url_is_shown(url: str, text: str) -> None:
    assert shown(url) == text


def test_no_error_shows_a_secret() -> None:
    troubles = {"/a": Trouble(redirect="/b"), "/b": Trouble(redirect="http://you:hidden@[::1/")}

    with (
        BadServer({}, troubles) as server,
        HttpClient(HttpOptions(), {}) as client,
        pytest.raises(HttpError) as caught,
        client.get(f"{named(server, 'me:hidden')}/a"),
    ):
        pass

    assert "leads to" in caught.value.detail
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("b?c#d", "https://h/x/b?c"),
        ("../b", "https://h/b"),
        ("//other:8080/b", "https://other:8080/b"),
        (" http://other/ ", "http://other/"),
        ("/a b", "https://h/a%20b"),
        ("/%C3%BC\xc3\xbc", "https://h/%C3%BC%C3%BC"),
    ],
)
def test_a_location_is_read_as_browsers_do(location: str, url: str) -> None:
    assert followed(parse("https://h/x/a"), location).url == url


def test_the_parts_of_a_url_are_told() -> None:
    address = parse("HTTP://Me:PW@[::1]:8080/a%20b?c#d")

    assert (address.url, address.server) == ("http://[::1]:8080/a%20b?c", ("http", "::1", 8080))
    assert (address.user, address.password, address.path) == ("Me", "PW", "/a%20b")
    assert parse("https://x").server == ("https", "x", 443)
