from __future__ import annotations

import pytest
from bad_server import BadServer, Trouble

from release_builder.errors import DescriptorError
from release_builder.transport.http import Answer, HttpError, HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.proxies import Proxies
from release_builder.transport.http.urls import parse

_PROXY = "http://proxy:3128"


def proxy_for(url: str, **environ: str) -> str | None:
    proxy = Proxies(environ).on_the_way_to(parse(url))
    return proxy.address.url.rstrip("/") if proxy else None


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_the_environment_names_the_proxy_for_http(name: str) -> None:
    assert proxy_for("http://x/", **{name: _PROXY}) == _PROXY


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_the_environment_names_the_proxy_for_https(name: str) -> None:
    assert proxy_for("https://x/", **{name: _PROXY}) == _PROXY


def test_what_a_stranger_can_set_is_no_proxy() -> None:
    assert proxy_for("http://x/", HTTP_PROXY=_PROXY) is None


def test_a_proxy_for_one_scheme_is_none_for_the_other() -> None:
    assert proxy_for("https://x/", http_proxy=_PROXY) is None
    assert proxy_for("http://x/", https_proxy=_PROXY) is None


def test_the_name_in_lower_case_and_the_nearer_one_come_first() -> None:
    assert proxy_for("https://x/", https_proxy=_PROXY, HTTPS_PROXY="http://b") == _PROXY
    assert proxy_for("https://x/", all_proxy="http://b", HTTPS_PROXY=_PROXY) == _PROXY
    assert proxy_for("http://x/", http_proxy="", all_proxy=_PROXY) == _PROXY


def test_a_proxy_needs_no_scheme() -> None:
    assert proxy_for("http://x/", http_proxy="proxy:3128") == _PROXY


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("*", "http://x/"),
        ("a,example.org,b", "http://example.org/"),
        ("example.org", "http://www.Example.org/"),
        (".example.org", "http://www.example.org/"),
        ("a b\texample.org", "http://example.org./"),
        ("example.org:8080", "http://example.org:8080/"),
        ("10.1.2.3", "http://10.1.2.3/"),
        ("10.0.0.0/8", "http://10.1.2.3/"),
        ("[::1]", "http://[::1]/"),
        ("[::1]:8080", "http://[::1]:8080/"),
        ("fe80::/10", "http://[fe80::1]/"),
    ],
)
def test_no_proxy_is_asked_for_what_is_near(no_proxy: str, url: str) -> None:
    assert proxy_for(url, http_proxy=_PROXY, no_proxy=no_proxy) is None
    assert proxy_for(url, http_proxy=_PROXY, NO_PROXY=no_proxy) is None


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("", "http://x/"),
        (".", "http://x/"),
        ("example.org", "http://badexample.org/"),
        ("www.example.org", "http://example.org/"),
        ("example.org:8080", "http://example.org/"),
        ("10.0.0.0/8", "http://11.1.2.3/"),
        ("10.1.2", "http://10.1.2.3/"),
        ("127.0.0.1", "http://[::1]/"),
    ],
)
def test_what_no_proxy_does_not_mean_goes_through_the_proxy(no_proxy: str, url: str) -> None:
    assert proxy_for(url, http_proxy=_PROXY, no_proxy=no_proxy) == _PROXY


@pytest.mark.parametrize(
    "value", ["socks5://me:secret@x:1080", "http://", "http://x:y/", "me:secret@x:99999"]
)
def test_a_proxy_that_cannot_be_used_is_refused(value: str) -> None:
    with pytest.raises(DescriptorError, match=r"^all_proxy=") as caught:
        Proxies({"all_proxy": value})

    assert "secret" not in str(caught.value)
    assert "unset" in caught.value.hint


def test_a_file_comes_through_the_proxy_which_is_told_its_user() -> None:
    with BadServer({"/a": b"content"}) as proxy:
        environ = {"http_proxy": f"http://me:s%3Aecret@127.0.0.1:{proxy.port}"}
        with (
            HttpClient(HttpOptions(), environ) as client,
            client.get("http://you:too@far.invalid/a") as body,
        ):
            content = b"".join(body.blocks())

    (request,) = proxy.requests
    assert content == b"content"
    assert request.path == "http://far.invalid/a"
    assert request.headers["host"] == "far.invalid"
    assert request.headers["proxy-authorization"] == "Basic bWU6czplY3JldA=="
    assert request.headers["authorization"] == "Basic eW91OnRvbw=="


def test_only_the_proxy_is_told_its_user() -> None:
    with BadServer() as server, BadServer() as proxy:
        proxy.troubles["/a"] = Trouble(redirect=f"{server.url}/b")
        environ = {"http_proxy": f"http://me:pw@127.0.0.1:{proxy.port}", "no_proxy": "127.0.0.1"}
        with (
            HttpClient(HttpOptions(named=(server.url,)), environ) as client,
            pytest.raises(HttpError),
            client.get("http://far.invalid/a"),
        ):
            pass

    assert "proxy-authorization" in proxy.requests[0].headers
    assert "proxy-authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("status", "answer"),
    [(407, Answer.FORBIDDEN), (502, Answer.SERVER_ERROR), (503, Answer.BUSY)],
)
def test_a_proxy_that_makes_no_tunnel_is_told(status: int, answer: Answer) -> None:
    with BadServer(everywhere=Trouble(status=status)) as proxy:
        environ = {"https_proxy": f"http://me:pw@127.0.0.1:{proxy.port}"}
        with (
            HttpClient(HttpOptions(), environ) as client,
            pytest.raises(HttpError) as caught,
            client.get("https://far.invalid/a"),
        ):
            pass

    assert caught.value.answer is answer
    assert caught.value.detail.startswith(
        f"the proxy 127.0.0.1:{proxy.port} (https_proxy): {status}"
    )
    assert [(request.method, request.path) for request in proxy.requests] == [
        ("CONNECT", "far.invalid:443")
    ]
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic bWU6cHc="


@pytest.mark.parametrize("url", ["http://far.invalid/", "https://far.invalid/"])
def test_a_proxy_that_is_away_is_told(url: str) -> None:
    with (
        HttpClient(HttpOptions(), {"all_proxy": "http://127.0.0.1:1"}) as client,
        pytest.raises(HttpError) as caught,
        client.get(url),
    ):
        pass

    assert caught.value.answer is Answer.UNREACHABLE
    assert caught.value.detail == "the proxy 127.0.0.1:1 (all_proxy): Connection refused"


def test_a_proxy_that_has_no_such_name_is_told_with_its_variable() -> None:
    environ = {"http_proxy": "http://me:secret@nonsense.invalid"}
    with (
        HttpClient(HttpOptions(), environ) as client,
        pytest.raises(HttpError, match=r"^unreachable") as caught,
        client.get("http://far.test/"),
    ):
        pass

    assert caught.value.detail.startswith("the proxy nonsense.invalid (http_proxy): ")
    assert "secret" not in caught.value.detail


def test_a_proxy_that_wants_another_password_is_told() -> None:
    with BadServer(everywhere=Trouble(status=407)) as proxy:
        place = f"127.0.0.1:{proxy.port}"
        client = HttpClient(HttpOptions(), {"http_proxy": f"me:secret@{place}"})
        with pytest.raises(HttpError) as caught, client, client.get("http://far.invalid/a"):
            pass

    assert caught.value.answer is Answer.FORBIDDEN
    assert caught.value.detail.startswith(f"the proxy {place} (http_proxy): 407")
