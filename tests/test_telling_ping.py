"""Pings, as a server that watches gets them."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from release_builder.errors import SurroundingsError
from release_builder.telling import Occasion
from release_builder.telling.ping import ping, ping_url
from release_builder.transport.http import HttpOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

SOON = HttpOptions(connections=1, timeout=0.3, deadline=5.0)


@dataclass(slots=True)
class Watcher:
    """A server that is pinged.

    Attributes:
        url: To be pinged.
        statuses: Of its answers, one after another; then 200. 0 stands for no answer.
        got: Method, path, text and its type of each request.
    """

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    got: list[tuple[str, str, bytes, str]] = field(default_factory=list)


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watcher, over = Watcher(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            watcher.got.append((self.command, self.path, text, self.headers["Content-Type"]))
            status = watcher.statuses.pop(0) if watcher.statuses else 200
            if not status:
                over.wait(5)
                return
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "2")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(b"OK")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        watcher.url = f"http://127.0.0.1:{server.server_port}/secret"
        yield watcher
        over.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("occasion", "path"),
    [
        pytest.param(Occasion.START, "/secret/start", id="start"),
        pytest.param(Occasion.SUCCESS, "/secret", id="success"),
        pytest.param(Occasion.CHANGE, "/secret", id="change"),
        pytest.param(Occasion.RECOVERY, "/secret", id="recovery"),
        pytest.param(Occasion.FAILURE, "/secret/fail", id="failure"),
    ],
)
def test_each_occasion_has_its_url(watcher: Watcher, occasion: Occasion, path: str) -> None:
    ping(watcher.url, occasion, "Größe \udcff", {})

    text = "Größe ".encode() + rb"\udcff"
    assert watcher.got == [("POST", path, text, "text/plain; charset=utf-8")]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        pytest.param("https://h/u/", "https://h/u/fail", id="slash"),
        pytest.param("https://h", "https://h/fail", id="no path"),
        pytest.param("https://h/u?create=1", "https://h/u/fail?create=1", id="query"),
    ],
)
def test_the_ending_belongs_to_the_path(url: str, wanted: str) -> None:
    assert ping_url(url, Occasion.FAILURE) == wanted


@pytest.mark.parametrize("status", [pytest.param(500, id="500"), pytest.param(503, id="503")])
def test_a_server_in_trouble_is_asked_once_more(watcher: Watcher, status: int) -> None:
    watcher.statuses = [status]

    ping(watcher.url, Occasion.SUCCESS, "", {})

    assert len(watcher.got) == 2


@pytest.mark.parametrize(
    ("statuses", "times", "words"),
    [
        pytest.param([404], 1, "404 Not Found", id="refused for good"),
        pytest.param([500, 502, 500], 2, "502 Bad Gateway", id="in trouble twice"),
        pytest.param([0, 0, 0], 2, "silent", id="silent twice"),
    ],
)
def test_a_server_that_does_not_take_it_is_named_without_the_secret(
    watcher: Watcher, statuses: list[int], times: int, words: str
) -> None:
    watcher.statuses = statuses

    with pytest.raises(SurroundingsError, match=words) as caught:
        ping(watcher.url, Occasion.SUCCESS, "", {}, SOON)

    assert len(watcher.got) == times
    assert "127.0.0.1" in caught.value.what
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_word_of_success_will_do(watcher: Watcher, status: int) -> None:
    watcher.statuses = [status]

    ping(watcher.url, Occasion.SUCCESS, "", {})

    assert len(watcher.got) == 1


def test_a_long_text_is_cut(watcher: Watcher) -> None:
    ping(watcher.url, Occasion.FAILURE, "x" * 1_000_000, {})

    assert len(watcher.got[0][2]) == 10_000
