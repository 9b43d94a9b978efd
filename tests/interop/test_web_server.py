"""The web server of other tests: it serves as nginx does, tells what it was asked, and ends."""

from __future__ import annotations

import base64
import socket
import ssl
import time
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING

import pytest
from builders import run
from web_server import Request, Tls, WebServer, serve

from release_builder.errors import SurroundingsError

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from pathlib import Path

pytestmark = pytest.mark.interop

PART = "/Packages/p-1.0.rpm"


@pytest.fixture
def root(workdir: Path) -> Path:
    folder = workdir / "root"
    (folder / "Packages").mkdir(parents=True)
    (folder / "Packages" / "p-1.0.rpm").write_bytes(b"0123456789")
    return folder


def ask(
    server: WebServer, path: str = PART, method: str = "GET", **headers: str
) -> tuple[HTTPResponse, bytes]:
    """The answer to one request, and its body."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_a_file_is_served_with_its_length_and_its_type(root: Path) -> None:
    with serve(root) as server:
        answer, body = ask(server)

    assert (answer.status, body) == (200, b"0123456789")
    assert answer.headers["Content-Length"] == "10"
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_piece_is_served(root: Path) -> None:
    with serve(root) as server:
        answer, body = ask(server, Range="bytes=4-")

    assert (answer.status, body) == (206, b"456789")
    assert answer.headers["Content-Range"] == "bytes 4-9/10"


def test_the_url_is_that_of_the_folder(root: Path) -> None:
    with serve(root) as server:
        assert server.url == f"http://127.0.0.1:{server.port}/"


def test_links_out_of_the_folder_are_followed(root: Path, workdir: Path) -> None:
    (workdir / "outside").write_bytes(b"there")
    (root / "link").symlink_to(workdir / "outside")

    with serve(root) as server:
        _, body = ask(server, "/link")

    assert body == b"there"


@pytest.mark.parametrize(("index", "status"), [(False, 403), (True, 200)])
def test_a_folder_is_listed_only_if_wanted(root: Path, index: bool, status: int) -> None:
    with serve(root, index=index) as server:
        answer, body = ask(server, "/Packages/")

    assert answer.status == status
    assert (b"p-1.0.rpm" in body) == index
    assert answer.headers["Content-Type"] == "text/html"


@pytest.mark.parametrize(
    ("method", "path", "span", "status"),
    [
        pytest.param("GET", PART, None, 200, id="a file"),
        pytest.param("HEAD", PART, None, 200, id="a head"),
        pytest.param("GET", PART, "bytes=4-", 206, id="a piece"),
        pytest.param("GET", PART, "bytes=10-", 416, id="nothing more to give"),
        pytest.param("GET", "/no%20such?a=%22b", None, 404, id="no file"),
    ],
)
def test_what_was_asked_is_told(
    root: Path, method: str, path: str, span: str | None, status: int
) -> None:
    with serve(root) as server:
        _, body = ask(server, path, method, **({"Range": span} if span else {}))
        seen = server.requests()

    assert seen == [Request(method, path, status, len(body), span)]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(b"/\xff", id="no UTF-8"),
        pytest.param("/\u2028".encode(), id="a line separator"),
        pytest.param(b'/"\\"', id="quotes"),
    ],
)
def test_odd_bytes_in_a_path_are_told_as_they_came(root: Path, path: bytes) -> None:
    with serve(root) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET " + path + b" HTTP/1.0\r\n\r\n")
        assert client.recv(1024)
        seen = server.requests()

    assert [request.path for request in seen] == [path.decode("utf-8", "surrogateescape")]


def test_no_answer_is_missing_in_what_is_told(root: Path) -> None:
    told = []

    with serve(root) as server:
        for number in range(1, 201):
            ask(server)
            told.append(len(server.requests()) == number)

    assert all(told)


def test_a_download_given_up_is_told_with_what_was_sent(root: Path) -> None:
    (root / "large").write_bytes(bytes(20_000_000))

    with serve(root) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /large HTTP/1.0\r\n\r\n")
            client.recv(1000)
        (seen,) = server.requests()

    assert seen.status == 200
    assert 0 < seen.sent < 20_000_000


def test_a_server_without_a_log_cannot_tell(root: Path) -> None:
    with serve(root, log=False) as server:
        ask(server)

        with pytest.raises(ValueError, match="keeps no log"):
            server.requests()


def test_https_is_served_with_the_certificate_given(root: Path, workdir: Path) -> None:
    tls = Tls(workdir / "certificate.pem", workdir / "key.pem")
    run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-batch"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-out", str(tls.certificate), "-keyout", str(tls.key)),
    )
    trusting = ssl.create_default_context(cafile=str(tls.certificate))

    with serve(root, tls=tls) as server:
        connection = HTTPSConnection("127.0.0.1", server.port, timeout=60, context=trusting)
        connection.request("GET", PART)
        body = connection.getresponse().read()
        connection.close()
        seen = server.requests()

    assert server.url == f"https://127.0.0.1:{server.port}/"
    assert body == b"0123456789"
    assert [request.path for request in seen] == [PART]


def test_a_rate_slows_an_answer_down(root: Path) -> None:
    (root / "file").write_bytes(bytes(30_000))

    with serve(root, rate=15_000) as server:  # nginx gives the first second's share at once
        started = time.monotonic()
        _, body = ask(server, "/file")
        seconds = time.monotonic() - started

    assert len(body) == 30_000
    assert seconds > 0.8


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        pytest.param(None, 401, id="nobody"),
        pytest.param(b"ann:wrong", 401, id="a wrong password"),
        pytest.param(b"bob:secret", 401, id="a wrong name"),
        pytest.param(b"ann:secret", 200, id="a reader"),
    ],
)
def test_only_its_users_may_read(root: Path, credentials: bytes | None, status: int) -> None:
    headers = {}
    if credentials:
        headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"

    with serve(root, users={"ann": "secret"}) as server:
        answer, _ = ask(server, **headers)

    assert answer.status == status


def test_further_directives_are_heeded(root: Path) -> None:
    with serve(root, more="location /old/ { return 301 /new/; }") as server:
        answer, _ = ask(server, "/old/a.rpm")

    assert answer.status == 301
    assert answer.headers["Location"].endswith("/new/")


@pytest.mark.parametrize("name", ["my mirror", '"$uri";', "{a}", "a#b\\", "caf\u00e9", "\udcff"])
def test_a_folder_of_any_name_can_be_served(root: Path, name: str) -> None:
    folder = root.rename(root.with_name(name))

    with serve(folder) as server:
        _, body = ask(server)

    assert body == b"0123456789"


def test_two_servers_have_two_ports(root: Path) -> None:
    with serve(root) as first, serve(root) as second:
        assert first.port != second.port


def test_the_server_ends_with_its_block_even_by_an_error(
    root: Path, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = workdir / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    servers = []

    def fail(server: WebServer) -> None:
        servers.append(server)
        assert list(scratch.iterdir())
        raise KeyError

    with pytest.raises(KeyError), serve(root) as server:
        fail(server)

    with pytest.raises(ConnectionRefusedError):
        ask(servers[0])
    assert not list(scratch.iterdir())


def test_what_nginx_says_is_told_when_it_does_not_start(root: Path) -> None:
    with (
        pytest.raises(SurroundingsError, match='unknown directive "nonsense"'),
        serve(root, more="nonsense;"),
    ):
        pytest.fail("it runs")


def test_a_folder_that_is_not_there_is_refused(root: Path) -> None:
    with pytest.raises(FileNotFoundError), serve(root / "absent"):
        pytest.fail("it runs")
