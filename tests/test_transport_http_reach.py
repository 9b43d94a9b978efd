"""Which servers a client asks: those of the user, and those of the public."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer, Trouble

from release_builder.transport.http import Answer, HttpError, HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.reach import STRANGER, Reach, is_far, is_public
from release_builder.transport.http.urls import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

_PUBLIC_NAME = "far.test"


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.4.4",
        "172.15.255.255",
        "172.32.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "168.63.129.15",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:4860:4860::8844",
        "::ffff:8.8.4.4",
        "64:ff9b::8.8.4.4",
        "2002:808:404::1",
    ],
)
def test_an_address_that_anybody_can_have_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.0.171",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "224.0.1.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::8.8.4.4",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_of_this_machine_its_network_or_nobody_is_not_public(address: str) -> None:
    assert not is_public(address)


def test_an_address_of_this_machine_is_not_far_though_it_may_be_public(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("release_builder.transport.http.reach.is_public", lambda _address: True)

    assert not is_far("127.0.0.1")
    assert not is_far("::ffff:127.0.0.1")
    assert is_far("8.8.4.4")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://%31%32%37.0.0.1/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://a.localhost/",
        "http://localhost.localdomain/",
        "http://localhost6/",
        "http://ip6-localhost/",
        "http://0/",
        "http://192.168.1.1/",
        "http://3232235777/",
        "http://169.254.169.254/latest/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "https://10.0.0.1:8443/",
        "http://user@10.0.0.1/",
    ],
)
def test_through_a_proxy_an_address_in_the_url_is_looked_at(url: str) -> None:
    reach = Reach((), STRANGER)

    with pytest.raises(HttpError) as caught:
        reach.pass_on(parse(url))

    assert caught.value.answer is Answer.OUT_OF_REACH


def test_through_a_proxy_a_name_may_be_anything() -> None:
    reach = Reach((), STRANGER)

    reach.pass_on(parse("http://mirror.example/"))
    reach.pass_on(parse("http://8.8.4.4/"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "0"]
)
def test_a_strangers_url_does_not_lead_home(host: str) -> None:
    with BadServer({"/a": b"secret"}) as server:
        error = _refused(HttpOptions(origin=STRANGER), f"http://{host}:{server.port}/a")

    assert (error.answer, error.sent) == (Answer.OUT_OF_REACH, False)
    assert "not public" in error.detail
    assert "--uri" in error.detail
    assert server.requests == []


def test_a_server_that_the_user_named_is_asked_wherever_it_is() -> None:
    with BadServer({"/a": b"file"}) as server:
        options = HttpOptions(origin=STRANGER, named=(f"{server.url}/elsewhere/",))
        content = _content(options, f"{server.url}/a")

    assert content == b"file"


def test_another_port_of_a_server_that_the_user_named_is_another_server() -> None:
    with BadServer({"/a": b"secret"}) as server:
        options = HttpOptions(origin=STRANGER, named=("http://127.0.0.1:1/",))
        error = _refused(options, f"{server.url}/a")

    assert error.answer is Answer.OUT_OF_REACH
    assert server.requests == []


def test_a_private_server_may_write_of_its_neighbours() -> None:
    with BadServer({"/a": b"file"}) as server:
        content = _content(HttpOptions(origin="rsync://127.0.0.1/module/"), f"{server.url}/a")

    assert content == b"file"


@pytest.mark.parametrize(
    "origin", ["rsync://8.8.4.4/module/", "rsync://no..name/module/", "http://["]
)
def test_a_public_or_unknown_server_may_not_write_of_our_neighbours(origin: str) -> None:
    with BadServer({"/a": b"secret"}) as server:
        error = _refused(HttpOptions(origin=origin), f"{server.url}/a")

    assert error.answer is Answer.OUT_OF_REACH
    assert server.requests == []


def test_a_private_server_may_lead_to_its_neighbours() -> None:
    with BadServer({"/b": b"file"}) as other, BadServer() as server:
        server.troubles["/a"] = Trouble(redirect=f"{other.url}/b")
        content = _content(HttpOptions(origin=STRANGER, named=(server.url,)), f"{server.url}/a")

    assert content == b"file"


def test_a_text_from_a_private_server_may_name_its_neighbours() -> None:
    with BadServer({"/b": b"file"}) as other, BadServer({"/a": b"text"}) as server:
        options = HttpOptions(origin=STRANGER, named=(server.url,))
        with HttpClient(options, {}) as client:
            _read(client, f"{server.url}/a")
            client.reach.text_came()
            content = _read(client, f"{other.url}/b")

    assert content == b"file"


def test_a_text_that_nobody_was_met_for_is_a_strangers() -> None:
    reach = Reach((), None)

    reach.text_came()

    assert not reach.trusts_text


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        pytest.param("http://192.168.1.1/cd.jigdo", True, id="private address"),
        pytest.param("http://8.8.4.4/cd.jigdo", False, id="public address"),
        pytest.param("http://mirror.test/cd.jigdo", False, id="name"),
    ],
)
def test_a_copy_from_before_is_believed_as_an_address_of_our_network_is(
    url: str, *, trusted: bool
) -> None:
    reach = Reach([url], STRANGER)

    reach.text_stayed(url)

    assert reach.trusts_text is trusted


def test_a_server_behind_a_proxy_is_taken_for_a_public_one() -> None:
    with BadServer({"/secret": b"secret"}) as server, BadServer() as proxy:
        proxy.troubles["/a"] = Trouble(redirect=f"{server.url}/secret")
        environ = {"http_proxy": proxy.url, "no_proxy": "127.0.0.1"}
        error = _refused(HttpOptions(), "http://mirror.example/a", environ)

    assert error.answer is Answer.OUT_OF_REACH
    assert f"or a descriptor at {server.url}/secret" in error.detail
    assert server.requests == []


def test_a_proxy_may_be_anywhere_as_the_user_named_it() -> None:
    with BadServer({"/a": b"file"}) as proxy:
        environ = {"http_proxy": proxy.url}
        content = _content(HttpOptions(origin=STRANGER), "http://mirror.example/a", environ)

    assert content == b"file"


def test_a_name_that_was_public_does_not_lead_home_by_another_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = ["8.8.4.4"]
    _answer_names_by(monkeypatch, found)
    reach = Reach([f"http://{_PUBLIC_NAME}/"], None)
    first = reach.addresses(_PUBLIC_NAME, 80, 1)
    reach.met(_PUBLIC_NAME, 80, *first)
    found[:] = ["127.0.0.1"]

    with pytest.raises(HttpError) as caught:
        reach.addresses(_PUBLIC_NAME, 80, 1)

    assert first == ["8.8.4.4"]
    assert caught.value.answer is Answer.OUT_OF_REACH
    assert "127.0.0.1 is not public, though its server was: name the address" in caught.value.detail


def test_a_name_with_a_public_and_a_private_address_does_not_lead_home_once_it_was_public(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _answer_names_by(monkeypatch, ["8.8.4.4", "10.0.0.1"])
    reach = Reach([f"http://{_PUBLIC_NAME}/"], STRANGER)
    first = reach.addresses(_PUBLIC_NAME, 80, 1)
    reach.met(_PUBLIC_NAME, 80, "8.8.4.4")

    assert first == ["8.8.4.4", "10.0.0.1"]
    assert reach.addresses(_PUBLIC_NAME, 80, 1) == ["8.8.4.4"]


def test_a_client_knows_what_another_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    _answer_names_by(monkeypatch, ["127.0.0.1"])
    options = HttpOptions(named=(f"http://{_PUBLIC_NAME}/",))
    with HttpClient(options, {}) as first:
        first.reach.met(_PUBLIC_NAME, 80, "8.8.4.4")
    with HttpClient(options, {}, reach=first.reach) as second, pytest.raises(HttpError) as caught:
        _read(second, f"http://{_PUBLIC_NAME}/a")

    assert caught.value.answer is Answer.OUT_OF_REACH


def test_of_several_addresses_of_a_strangers_server_only_the_public_ones_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _answer_names_by(monkeypatch, ["127.0.0.1", "8.8.4.4", "10.0.0.1"])

    assert Reach((), STRANGER).addresses(_PUBLIC_NAME, 80, 1) == ["8.8.4.4"]


def _answer_names_by(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    """Let the system's look-up find ``addresses``, as whoever has the name likes."""

    def found(_host: str, port: int, *_how: object, **_more: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def _read(client: HttpClient, url: str) -> bytes:
    with client.get(url) as body:
        return b"".join(body.blocks())


def _content(options: HttpOptions, url: str, environ: Mapping[str, str] | None = None) -> bytes:
    with HttpClient(options, environ or {}) as client:
        return _read(client, url)


def _refused(options: HttpOptions, url: str, environ: Mapping[str, str] | None = None) -> HttpError:
    with HttpClient(options, environ or {}) as client, pytest.raises(HttpError) as caught:
        _read(client, url)
    return caught.value
