"""The throw-away server gives regular files of its folders, and nothing else."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from release_builder.transport.throwaway_server import ThrowawayServer

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = b"0123456789"


@pytest.fixture
def server(workdir: Path) -> Iterator[ThrowawayServer]:
    """``/0/`` with all kinds of things in it, ``/0/inner/`` from elsewhere."""
    tree, inner = workdir / "tree", workdir / "elsewhere"
    (tree / "folder").mkdir(parents=True)
    inner.mkdir()
    (tree / "a file").write_bytes(CONTENT)
    (tree / "100%").write_bytes(b"percent")
    (tree / os.fsdecode(b"\xe9t\xe9")).write_bytes(b"latin 1")
    (tree / "empty").touch()
    os.mkfifo(tree / "fifo")
    (tree / "link").symlink_to("a file")
    (workdir / "secret").write_bytes(b"secret")
    (tree / "leads out").symlink_to("../secret")
    (tree / "loop").symlink_to("loop")
    (inner / "a file").write_bytes(b"inner")
    with ThrowawayServer({"/0/": tree, "/0/inner/": inner}) as server:
        yield server


def connect(server: ThrowawayServer) -> HTTPConnection:
    return HTTPConnection(urlsplit(server.url).netloc, timeout=60)


def ask(
    server: ThrowawayServer, path: str, wanted: str = "", method: str = "GET", **headers: str
) -> tuple[HTTPResponse, bytes]:
    """The answer and its body; ``wanted`` is the header Range."""
    connection = connect(server)
    if wanted:
        headers["Range"] = wanted
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


@pytest.mark.parametrize(
    ("path", "content"),
    [
        pytest.param("/0/a%20file", CONTENT, id="escaped blank"),
        pytest.param("/0/a%20file?query", CONTENT, id="query"),
        pytest.param("/0/100%25", b"percent", id="percent"),
        pytest.param("/0/%e9t%e9", b"latin 1", id="no UTF-8"),
        pytest.param("/0/empty", b"", id="empty"),
        pytest.param("/0/link", CONTENT, id="link inside"),
        pytest.param("/0/inner/a%20file", b"inner", id="longest begin"),
    ],
)
def test_a_file_is_given(server: ThrowawayServer, path: str, content: bytes) -> None:
    response, body = ask(server, path)

    assert (response.status, body) == (200, content)
    assert response.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/0/nothing", 404, id="missing"),
        pytest.param("/1/a%20file", 404, id="other folder"),
        pytest.param("/", 404, id="root"),
        pytest.param("/0/a%20file/more", 404, id="below a file"),
        pytest.param("/0/folder", 403, id="folder"),
        pytest.param("/0/", 403, id="its own folder"),
        pytest.param("/0/fifo", 403, id="fifo"),
        pytest.param("/0/leads%20out", 403, id="link that leads out"),
        pytest.param("/0/loop", 403, id="link to itself"),
        pytest.param("/0/loop/below", 403, id="below a link to itself"),
        pytest.param("/0/../secret", 403, id="dots"),
        pytest.param("/0/%2e%2e/secret", 403, id="escaped dots"),
        pytest.param("/0//etc/passwd", 403, id="absolute"),
        pytest.param("/0/a%00b", 403, id="NUL"),
        pytest.param(f"/0/{'x' * 300}", 403, id="name too long"),
    ],
)
def test_nothing_else_is_given(server: ThrowawayServer, path: str, status: int) -> None:
    response, body = ask(server, path)

    assert (response.status, body) == (status, b"")
    assert not server.troubles


def test_what_cannot_be_read_is_remembered() -> None:
    unreadable = Path("/proc/sys/vm/drop_caches")  # not even by root

    with ThrowawayServer({"/0/": unreadable.parent}) as server:
        response, _ = ask(server, f"/0/{unreadable.name}")

    assert response.status == 403
    assert [each.filename for each in server.troubles] == [str(unreadable)]


@pytest.mark.parametrize(
    ("wanted", "status", "told", "body"),
    [
        pytest.param("bytes=2-4", 206, "bytes 2-4/10", b"234", id="piece"),
        pytest.param("bytes=0-0", 206, "bytes 0-0/10", b"0", id="first byte"),
        pytest.param("bytes=7-", 206, "bytes 7-9/10", b"789", id="to the end"),
        pytest.param("bytes=7-99", 206, "bytes 7-9/10", b"789", id="over the end"),
        pytest.param("bytes=-3", 206, "bytes 7-9/10", b"789", id="the last"),
        pytest.param("bytes=-99", 206, "bytes 0-9/10", CONTENT, id="more than all"),
        pytest.param("bytes=10-", 416, "bytes */10", b"", id="behind the end"),
        pytest.param("bytes=99-", 416, "bytes */10", b"", id="far behind the end"),
        pytest.param("bytes=-0", 416, "bytes */10", b"", id="the last none"),
        pytest.param("bytes=4-2", 200, None, CONTENT, id="backwards"),
        pytest.param("bytes=-", 200, None, CONTENT, id="no numbers"),
        pytest.param("bytes=0-1,4-5", 200, None, CONTENT, id="two pieces"),
        pytest.param("lines=0-1", 200, None, CONTENT, id="another unit"),
    ],
)
def test_a_piece_is_given(
    server: ThrowawayServer, wanted: str, status: int, told: str | None, body: bytes
) -> None:
    response, came = ask(server, "/0/a%20file", wanted)

    assert (response.status, response.headers["Content-Range"], came) == (status, told, body)


def test_all_is_given_where_the_file_may_have_changed(server: ThrowawayServer) -> None:
    response, came = ask(server, "/0/a%20file", "bytes=2-4", If_Range='"x"')

    assert (response.status, came) == (200, CONTENT)


def test_a_head_has_the_length_but_no_body(server: ThrowawayServer) -> None:
    response, body = ask(server, "/0/a%20file", method="HEAD")

    assert (response.status, response.headers["Content-Length"], body) == (200, "10", b"")


def test_a_connection_is_kept_even_after_a_refusal(server: ThrowawayServer) -> None:
    connection = connect(server)
    sockets, statuses = set(), []

    for path in ("/0/a%20file", "/0/nothing", "/0/empty"):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
        sockets.add(connection.sock)
    connection.close()

    assert statuses == [200, 404, 200]
    assert len(sockets) == 1


def test_it_says_nothing(server: ThrowawayServer, capfd: pytest.CaptureFixture[str]) -> None:
    ask(server, "/0/a%20file")
    with socket.create_connection(urlsplit(server.url).netloc.split(":")) as client:  # type: ignore[arg-type] # a list does
        client.sendall(b"GET /0/a")

    assert capfd.readouterr() == ("", "")


def test_it_ends_with_its_block_though_a_client_stays(workdir: Path) -> None:
    with ThrowawayServer({"/": workdir}) as server:
        connection = connect(server)
        connection.request("GET", "/nothing")
        connection.getresponse().read()

    with closing(connection), pytest.raises(ConnectionRefusedError):
        connect(server).connect()
