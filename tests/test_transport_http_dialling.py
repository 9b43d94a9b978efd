"""Connections to servers with several addresses, some of which are silent."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

import pytest
from bad_server import BadServer

from release_builder.transport.http import HttpError, HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.look_up import look_up

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = "many.test"


def test_silent_addresses_take_no_longer_than_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [f"127.0.0.{number}" for number in range(2, 7)]
    _give_name(monkeypatch, addresses)
    begin = time.monotonic()
    with _silent("0.0.0.0") as port, pytest.raises(HttpError):
        _read(f"http://{_NAME}:{port}/a", deadline=1)

    assert time.monotonic() - begin < 2


def test_a_silent_address_leaves_time_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    _give_name(monkeypatch, ["127.0.0.2", "127.0.0.3", "127.0.0.1"])
    with BadServer({"/a": b"file"}) as server:
        silent = _silent("127.0.0.2", server.port), _silent("127.0.0.3", server.port)
        with silent[0], silent[1]:
            content = _read(f"http://{_NAME}:{server.port}/a", deadline=2)

    assert content == b"file"


def test_an_address_of_one_link_keeps_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 80, 0, 2))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_how: [found])

    assert look_up(_NAME, 80, 1) == ["fe80::1%2"]


@contextlib.contextmanager
def _silent(address: str, port: int = 0) -> Iterator[int]:
    """A port where connections are neither made nor refused: its queue is full."""
    with contextlib.ExitStack() as stack:
        door = stack.enter_context(socket.socket())
        door.bind((address, port))
        door.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(door.getsockname())
        yield door.getsockname()[1]


def _give_name(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    """Let the system's look-up find ``addresses`` for the name."""
    real = socket.getaddrinfo

    def found(host: str, port: int, *how: int) -> list[tuple[object, ...]]:
        if host != _NAME:
            return list(real(host, port, *how))
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def _read(url: str, deadline: float) -> bytes:
    with HttpClient(HttpOptions(deadline=deadline), {}) as client, client.get(url) as body:
        return b"".join(body.blocks())
