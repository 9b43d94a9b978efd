"""The server that misbehaves must itself behave: its tests would prove nothing otherwise."""

from __future__ import annotations

import socket
import time

import pytest
from bad_server import FOR_EVER, GOOD, BadServer, Trouble, hops


def say(server: BadServer, path: str, header: str = "") -> bytes:
    """All that the server says to a plain request on a connection of its own."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n"
        connection.sendall(head.encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(delay=FOR_EVER), id="before-the-answer"),
        pytest.param(Trouble(stall_after=1), id="in-its-midst"),
        pytest.param(Trouble(piece=1, pause=FOR_EVER), id="between-pieces"),
    ],
)
def test_it_ends_at_once_whatever_it_does(trouble: Trouble) -> None:
    with (
        socket.socket() as asking,
        socket.socket() as idle,
        BadServer({"/a": b"content"}, {"/a": trouble}) as server,
    ):
        for connection in (asking, idle):
            connection.connect(("127.0.0.1", server.port))
        asking.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        while not server.requests:
            time.sleep(0.01)
        began = time.monotonic()

    assert time.monotonic() - began < 10


def test_a_list_of_troubles_is_for_the_first_requests() -> None:
    with BadServer({"/a": b"content"}, {"/a": [Trouble(status=500), GOOD]}) as server:
        answers = [say(server, "/a").split()[1] for _ in range(3)]

    assert answers == [b"500", b"200", b"200"]


def test_it_tells_what_was_asked_and_sent() -> None:
    with BadServer({"/a b": b"content"}) as server:
        answer = say(server, "/a%20b", "Range: bytes=3-\r\n")

    (request,) = server.asked("/a%20b")
    assert answer.endswith(b"\r\n\r\ntent")
    assert (request.method, request.headers["range"], request.sent) == ("GET", "bytes=3-", 4)
    assert (server.connections, server.busiest) == (1, 1)


def test_a_fault_of_its_own_is_told() -> None:
    with pytest.raises(ValueError, match="invalid literal"), BadServer({"/a": b""}) as server:
        say(server, "/a", "Range: bytes=x-\r\n")


def test_hops_lead_to_their_end() -> None:
    assert {path: trouble.redirect for path, trouble in hops("/a", 3, "/b").items()} == {
        "/a": "/a.hop1",
        "/a.hop1": "/a.hop2",
        "/a.hop2": "/b",
    }
