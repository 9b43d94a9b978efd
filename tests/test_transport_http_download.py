from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest
from bad_server import PORTAL, BadServer, Trouble

from release_builder.digests import Digest
from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    WrongBytesError,
)
from release_builder.transport.http import Answer, HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.download import NotHadError, download

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

TEXT = b"[Jigdo]\nVersion=1.1\n" * 100
MD5 = Digest("md5", hashlib.md5(TEXT).digest())
SHA256 = Digest("sha256", hashlib.sha256(TEXT).digest())
WRONG = Digest("md5", bytes(16))


class Downloader:
    """Brings ``/a`` of a server into a folder without ever sleeping."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "a.jigdo"
        self.naps: list[float] = []
        self._client = HttpClient(HttpOptions(timeout=5), {})

    def bring(
        self,
        server: BadServer | str,
        *,
        limit: int = 1 << 20,
        digests: Sequence[Digest] = (),
        check: Callable[[bytes], object] | None = None,
        retries: int = 4,
    ) -> int:
        return download(
            self._client,
            server if isinstance(server, str) else f"{server.url}/a",
            self.path,
            limit=limit,
            digests=digests,
            check=check,
            retries=retries,
            sleep=self.naps.append,
            draw=lambda: 0.5,
        )

    def fail(
        self,
        server: BadServer | str,
        *,
        limit: int = 1 << 20,
        digests: Sequence[Digest] = (),
        retries: int = 4,
    ) -> ReleaseBuilderError:
        with pytest.raises(ReleaseBuilderError) as caught:
            self.bring(server, limit=limit, digests=digests, retries=retries)
        assert not list(self.path.parent.iterdir())
        return caught.value

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def it(workdir: Path) -> Iterator[Downloader]:
    downloader = Downloader(workdir)
    yield downloader
    downloader.close()


def test_a_file_comes_to_its_place(it: Downloader) -> None:
    with BadServer({"/a": TEXT}) as server:
        length = it.bring(server, digests=[MD5, SHA256])

    assert length == len(TEXT)
    assert it.path.read_bytes() == TEXT
    assert it.naps == []


def test_an_older_file_is_replaced(it: Downloader) -> None:
    it.path.write_text("old")

    with BadServer({"/a": TEXT}) as server:
        it.bring(server)

    assert it.path.read_bytes() == TEXT


def test_an_older_file_stays_when_the_new_one_does_not_come(it: Downloader) -> None:
    it.path.write_text("old")

    with (
        BadServer({"/a": TEXT}, {"/a": Trouble(cut_after=9)}) as server,
        pytest.raises(IncompleteError),
    ):
        it.bring(server)

    assert it.path.read_text() == "old"


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(status=500), id="server-error"),
        pytest.param(Trouble(status=503), id="busy"),
        pytest.param(Trouble(cut_after=100), id="cut-off"),
        pytest.param(Trouble(hang_up=True), id="no-answer"),
    ],
)
def test_what_may_pass_is_tried_again(it: Downloader, trouble: Trouble) -> None:
    with BadServer({"/a": TEXT}, {"/a": [trouble] * 4}) as server:
        it.bring(server, retries=4)

    assert it.path.read_bytes() == TEXT
    assert len(server.requests) == 5


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_what_does_not_pass_ends(it: Downloader, retries: int) -> None:
    with BadServer({"/a": TEXT}, {"/a": Trouble(cut_after=100)}) as server:
        error = it.fail(server, retries=retries)

    assert isinstance(error, IncompleteError)
    assert error.what == f"{server.url}/a: cut off (100 of 2,000 bytes, it hung up)"
    assert "later" in error.hint
    assert len(server.requests) == 1 + retries
    assert len(it.naps) == retries


def test_the_pauses_grow(it: Downloader) -> None:
    with BadServer(everywhere=Trouble(status=500)) as server:
        it.fail(server)

    assert it.naps == [0.25, 0.5, 1.0, 2.0]


def test_a_server_is_left_alone_as_long_as_it_asks(it: Downloader) -> None:
    busy = Trouble(status=503, headers=(("Retry-After", "20"),))

    with BadServer({"/a": TEXT}, {"/a": [busy]}) as server:
        it.bring(server)

    assert it.naps == [20.25]


@pytest.mark.parametrize(
    ("trouble", "words", "hint"),
    [
        pytest.param(Trouble(status=404), "not found (404 Not Found)", "address", id="404"),
        pytest.param(Trouble(status=403), "forbidden (403 Forbidden)", "~/.netrc", id="403"),
        pytest.param(Trouble(status=400), "refused (400 Bad Request)", "browser", id="400"),
        pytest.param(PORTAL, "a web page (Please log in)", "log-in", id="portal"),
        pytest.param(Trouble(redirect="/a"), "too many redirects", "browser", id="circle"),
        pytest.param(Trouble(redirect="file:///etc/passwd"), "no http URL", "browser", id="file"),
    ],
)
def test_what_will_not_pass_is_asked_once(
    it: Downloader, trouble: Trouble, words: str, hint: str
) -> None:
    with BadServer({}, {"/a": trouble}) as server:
        error = it.fail(server)

    assert isinstance(error, IncompleteError)
    assert f"{server.url}/a: {words}" in error.what
    assert hint in error.hint
    assert len(server.requests) == 1


def test_a_server_that_is_away_makes_it_incomplete(it: Downloader) -> None:
    error = it.fail("http://127.0.0.1:1/a")

    assert isinstance(error, IncompleteError)
    assert error.what == "http://127.0.0.1:1/a: unreachable (Connection refused)"


@pytest.mark.parametrize("url", ["ftp://x/a", "a.jigdo", "http:///a"])
def test_what_is_no_url_is_the_users_error(it: Downloader, url: str) -> None:
    error = it.fail(url)

    assert isinstance(error, DescriptorError)
    assert error.hint == "correct the address"


def test_a_wrong_digest_is_tried_once_more_and_may_be_right(it: Downloader) -> None:
    changing = [Trouble(body=TEXT[::-1])]

    with BadServer({"/a": TEXT}, {"/a": changing}) as server:
        it.bring(server, digests=[MD5])

    assert it.path.read_bytes() == TEXT


@pytest.mark.parametrize(("retries", "requests"), [(0, 1), (1, 2), (4, 2)])
def test_a_file_that_stays_wrong_is_refused(it: Downloader, retries: int, requests: int) -> None:
    with BadServer({"/a": TEXT}) as server:
        error = it.fail(server, digests=[SHA256, WRONG], retries=retries)

    assert isinstance(error, WrongBytesError)
    assert error.what == f"{server.url}/a is {MD5}, and should be {WRONG}"
    assert len(server.requests) == requests


def test_a_file_of_just_the_limit_comes(it: Downloader) -> None:
    with BadServer({"/a": TEXT}) as server:
        assert it.bring(server, limit=len(TEXT)) == len(TEXT)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_that_is_too_long_is_refused_at_once(it: Downloader, chunked: bool) -> None:
    with BadServer({"/a": bytes(50 << 20)}, {"/a": Trouble(chunked=chunked)}) as server:
        error = it.fail(server, limit=1000)

    assert isinstance(error, WrongBytesError)
    assert error.what == f"{server.url}/a is longer than 1,000 bytes: that cannot be right"
    assert server.requests[0].sent < 30 << 20
    assert len(server.requests) == 1


def test_an_empty_file_comes(it: Downloader) -> None:
    with BadServer({"/a": b""}) as server:
        assert it.bring(server, limit=0) == 0

    assert it.path.read_bytes() == b""


NO_LENGTH = (("Content-Length", ""),)


def test_a_file_with_a_digest_goes_on_where_it_broke(it: Downloader) -> None:
    cut = Trouble(cut_after=1200)

    with BadServer({"/a": TEXT}, {"/a": cut}) as server:
        it.bring(server, digests=[MD5, SHA256])

    assert it.path.read_bytes() == TEXT
    assert [each.headers.get("range") for each in server.requests] == [None, "bytes=1200-"]


def test_a_file_goes_on_from_a_server_that_gives_no_pieces(it: Downloader) -> None:
    cut, whole = Trouble(cut_after=1200), Trouble(ignore_range=True)

    with BadServer({"/a": TEXT}, {"/a": [cut, whole]}) as server:
        it.bring(server, digests=[MD5])

    assert it.path.read_bytes() == TEXT


def test_pieces_that_do_not_fit_are_fetched_anew(it: Downloader) -> None:
    changing = Trouble(body=TEXT[::-1], cut_after=1200)

    with BadServer({"/a": TEXT}, {"/a": [changing]}) as server:
        it.bring(server, digests=[MD5])

    assert it.path.read_bytes() == TEXT
    assert [each.headers.get("range") for each in server.requests] == [None, "bytes=1200-", None]


def test_without_a_digest_a_file_begins_anew(it: Downloader) -> None:
    with BadServer({"/a": TEXT}, {"/a": [Trouble(cut_after=1200)]}) as server:
        it.bring(server)

    assert it.path.read_bytes() == TEXT
    assert [each.headers.get("range") for each in server.requests] == [None, None]


def test_a_big_file_that_is_cut_often_comes_all_the_same(it: Downloader) -> None:
    big = TEXT * 1000
    digest = Digest("md5", hashlib.md5(big).digest())

    with BadServer({"/a": big}, {"/a": Trouble(cut_after=300_000)}) as server:
        it.bring(server, limit=len(big), digests=[digest], retries=0)

    assert it.path.read_bytes() == big
    assert sum(each.sent for each in server.requests) == len(big)


def test_the_same_bytes_again_are_no_progress(it: Downloader) -> None:
    trouble = Trouble(cut_after=300_000, ignore_range=True)

    with BadServer({"/a": TEXT * 1000}, {"/a": trouble}) as server:
        error = it.fail(server, limit=1 << 30, digests=[MD5], retries=2)

    assert isinstance(error, IncompleteError)
    assert len(server.requests) == 4  # the first of them was progress


def _ends_well(content: bytes) -> None:
    if not content.endswith(TEXT[-100:]):
        raise WrongBytesError("it has no end")


def test_a_file_that_seems_whole_is_checked_before_it_replaces_another(it: Downloader) -> None:
    it.path.write_text("old")
    cut = Trouble(headers=NO_LENGTH, cut_after=1210)

    with (
        BadServer({"/a": TEXT}, {"/a": cut}) as server,
        pytest.raises(WrongBytesError, match="no end"),
    ):
        it.bring(server, check=_ends_well)

    assert it.path.read_text() == "old"
    assert len(server.requests) == 2


def test_a_file_that_failed_its_check_may_be_right_the_next_time(it: Downloader) -> None:
    cut = Trouble(headers=NO_LENGTH, cut_after=1210)

    with BadServer({"/a": TEXT}, {"/a": [cut]}) as server:
        it.bring(server, check=_ends_well)

    assert it.path.read_bytes() == TEXT


def test_no_pause_is_longer_than_the_time_that_is_left(workdir: Path) -> None:
    busy = Trouble(status=503, headers=(("Retry-After", "20"),))
    naps: list[float] = []

    with (
        BadServer({}, {"/a": busy}) as server,
        HttpClient(HttpOptions(deadline=10), {}) as client,
        pytest.raises(
            NotHadError, match=r"out of time \(after: busy: 503 Service Unavailable\)"
        ) as caught,
    ):
        download(client, f"{server.url}/a", workdir / "a", limit=9, sleep=naps.append)

    assert caught.value.answer is Answer.NO_TIME
    assert naps == []


def test_wrong_bytes_are_told_when_no_time_is_left_for_others(workdir: Path) -> None:
    with (
        BadServer({"/a": TEXT}) as server,
        HttpClient(HttpOptions(deadline=60), {}) as client,
        pytest.raises(WrongBytesError, match="should be"),
    ):
        download(
            client,
            f"{server.url}/a",
            workdir / "a",
            limit=9999,
            digests=[WRONG],
            clock=lambda: float("inf"),
        )


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        pytest.param(Trouble(status=404), Answer.NOT_FOUND, id="404"),
        pytest.param(Trouble(status=500), Answer.SERVER_ERROR, id="500"),
    ],
)
def test_the_answer_is_told(it: Downloader, trouble: Trouble, answer: Answer) -> None:
    with BadServer(everywhere=trouble) as server:
        error = it.fail(server)

    assert isinstance(error, NotHadError)
    assert error.answer is answer


def test_who_is_held_back_is_not_slow(workdir: Path) -> None:
    times = iter(range(0, 10_000, 8))  # seconds: a hundred bytes come each eight of them

    with (
        BadServer({"/a": TEXT}) as server,
        HttpClient(HttpOptions(limit_rate=8000), {}) as client,
    ):
        came = download(
            client,
            f"{server.url}/a",
            workdir / "a",
            limit=1 << 20,
            retries=0,
            clock=lambda: float(next(times)),
        )

    assert came == len(TEXT)


def test_no_password_is_shown(it: Downloader) -> None:
    with BadServer() as server:
        error = it.fail(f"{server.url.replace('://', '://me:secret@')}/a")

    assert not re.search("secret|me:", str(error))


def test_a_server_that_trickles_is_given_up(workdir: Path) -> None:
    times = iter(range(0, 10_000, 8))  # seconds: a few bytes come each eight of them

    with (
        BadServer({"/a": TEXT}, {"/a": Trouble(piece=10, pause=0.005)}) as server,
        HttpClient(HttpOptions(), {}) as client,
        pytest.raises(IncompleteError, match="slow"),
    ):
        download(
            client,
            f"{server.url}/a",
            workdir / "a",
            limit=1 << 20,
            retries=0,
            clock=lambda: float(next(times)),
        )
