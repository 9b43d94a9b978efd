"""What cannot be brought about on the loopback interface; the rest is in the client's tests."""

from __future__ import annotations

import errno
import ssl

import pytest
from urllib3 import exceptions

from release_builder.transport.http import Answer
from release_builder.transport.http.answers import failure, title, words

_LEFT = OSError(errno.EHOSTUNREACH, "No route to host")
_GARBLED = ssl.SSLError(1, "[SSL: BAD_RECORD_MAC] bad record mac")


@pytest.mark.parametrize(
    ("error", "before", "after"),
    [
        pytest.param(_LEFT, Answer.UNREACHABLE, Answer.CUT_OFF, id="no-route"),
        pytest.param(_GARBLED, Answer.TLS, Answer.CUT_OFF, id="garbled"),
        pytest.param(TimeoutError(), Answer.TIMEOUT, Answer.TIMEOUT, id="silent"),
        pytest.param(ssl.SSLEOFError(), Answer.CUT_OFF, Answer.CUT_OFF, id="tls-hung-up"),
        pytest.param(exceptions.InvalidHeader("x"), Answer.SERVER_ERROR, Answer.SERVER_ERROR),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_server_that_was_reached_and_trusted_stays_so(
    error: Exception, before: Answer, after: Answer, wrapped: bool
) -> None:
    raised = exceptions.ProtocolError("Connection aborted.", error) if wrapped else error

    assert failure(raised).answer is before
    assert failure(raised, connected=True).answer is after


@pytest.mark.parametrize("reason", ["WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"])
def test_a_server_that_speaks_no_tls_is_told_only_before_it_did(reason: str) -> None:
    error = ssl.SSLError(1, f"[SSL: {reason}] some words")
    error.reason = reason

    assert failure(error).detail == "does not speak TLS: http:// may do"
    assert failure(error, connected=True).detail == reason.replace("_", " ").lower()


def test_an_error_that_holds_itself_is_read_once() -> None:
    error = exceptions.ProtocolError("broken", _LEFT)
    error.__cause__ = error

    assert failure(error).detail == "No route to host"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (b"<title>a</title>", "a"),
        (b'<TITLE lang="en">\n a\n  b </TITLE>', "a b"),
        (b"<title>Gr\xc3\xbc\xc3\x9fe &lt;3 \xff</title>", "Grüße <3 �"),
        (b"<title></title>", ""),
        (b"<title>endless", ""),
        (b"", ""),
    ],
)
def test_the_title_of_a_page_is_read(page: bytes, text: str) -> None:
    assert title(page) == text


def test_words_are_cut_to_a_line() -> None:
    assert words("a\n\tb\x07") == r"a b\x07"
    assert words("x" * 101) == "x" * 99 + "…"
    assert words("x" * 100) == "x" * 100
