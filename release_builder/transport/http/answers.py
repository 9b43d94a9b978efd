"""What a server's answer, or the lack of one, means."""

from __future__ import annotations

import html
import http.client
import re
import socket
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from urllib3 import exceptions

from release_builder.errors import printable
from release_builder.transport.http import Answer, HttpError
from release_builder.transport.http.head_reader import LongHeadError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What asking may raise; all else is a fault of ours.
TROUBLES: Final = (exceptions.HTTPError, http.client.HTTPException, OSError)
_STATUSES: Final = {
    **dict.fromkeys((404, 410), Answer.NOT_FOUND),
    **dict.fromkeys((401, 403, 407, 451), Answer.FORBIDDEN),
    **dict.fromkeys((408, 429, 503), Answer.BUSY),
}
_LONGEST_WAIT: Final = 3600.0  # seconds: nobody waits longer for a file
_WORDS: Final = 100  # characters of a server's own words that are worth showing
# What one or another OpenSSL says to an answer in plain http.
_NO_TLS: Final = {"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}
_UNKNOWN_ISSUERS: Final = {2, 18, 19, 20, 21}  # X509_V_ERR_*: self-signed, or signed by a stranger
_NAME_ISSUER: Final = "--ca-bundle FILE, or fetch: ca_bundle:, names whom to trust"


def refusal(status: int, reason: str | None, retry_after: str | None = None) -> HttpError:
    """What a status other than 200 and 206 means.

    Args:
        status: Of the answer.
        reason: The words behind it.
        retry_after: The header of that name.
    """
    server_error = Answer.SERVER_ERROR if 500 <= status < 600 else Answer.REFUSED
    answer = _STATUSES.get(status, server_error)
    after = _seconds(retry_after) if answer is Answer.BUSY else 0.0
    return HttpError(answer, words(f"{status} {reason or ''}"), after)


def failure(error: BaseException, *, connected: bool = False, proxy: object = None) -> HttpError:
    """What one of TROUBLES means.

    Args:
        error: As urllib3 raised it.
        connected: Whether the answer had begun.
        proxy: On the way, if one is; its ``str()`` is its name.
    """
    causes = tuple(_causes(error))
    by = f"{proxy}: " if any(isinstance(each, exceptions.ProxyError) for each in causes) else ""
    for cause in causes:
        if refused := re.match(r"Tunnel connection failed: (\d+) ?(.*)", str(cause)):
            told = refusal(int(refused[1]), refused[2])
            return HttpError(told.answer, f"{proxy}: {told.detail}")
    for kinds, answer, detail in _KINDS:
        if found := next((cause for cause in causes if isinstance(cause, kinds)), None):
            said = _said(found) if detail is None else detail
            if connected and answer in {Answer.TLS, Answer.UNREACHABLE}:
                answer = Answer.CUT_OFF  # noqa: PLW2901 (it was to be trusted, and reached)
            elif getattr(found, "reason", "") in _NO_TLS:
                said = "does not speak TLS: http:// may do"
            return HttpError(answer, by + said)
    return HttpError(Answer.SERVER_ERROR, by + _said(causes[-1]))


# The first that fits counts; None: in the words of the error.
_KINDS: Final[tuple[tuple[tuple[type[BaseException], ...], Answer, str | None], ...]] = (
    ((exceptions.NewConnectionError, socket.gaierror), Answer.UNREACHABLE, None),
    ((exceptions.ConnectTimeoutError,), Answer.UNREACHABLE, "no connection in time"),
    ((ssl.SSLCertVerificationError,), Answer.TLS, None),
    ((TimeoutError, exceptions.TimeoutError), Answer.TIMEOUT, ""),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), Answer.CUT_OFF, "it hung up"),
    ((ssl.SSLError,), Answer.TLS, None),
    ((http.client.RemoteDisconnected,), Answer.CUT_OFF, "it hung up without an answer"),
    ((http.client.IncompleteRead,), Answer.CUT_OFF, "it hung up"),
    ((exceptions.LocationValueError, http.client.InvalidURL), Answer.BAD_URL, None),
    ((LongHeadError,), Answer.SERVER_ERROR, None),
    ((http.client.HTTPException,), Answer.SERVER_ERROR, "no proper http answer"),
    ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError), Answer.CUT_OFF, None),
    ((OSError,), Answer.UNREACHABLE, None),
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and what is wrapped in it, outermost first."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            inside = (*each.args, each.__cause__, getattr(each, "reason", None))
            waiting += [cause for cause in inside if isinstance(cause, BaseException)]


def _said(error: BaseException) -> str:
    if isinstance(error.__cause__, OSError):
        error = error.__cause__
    if verdict := getattr(error, "verify_message", ""):  # of a certificate
        unknown = getattr(error, "verify_code", 0) in _UNKNOWN_ISSUERS
        return f"{words(verdict)}: {_NAME_ISSUER}" if unknown else words(verdict)
    if isinstance(error, ssl.SSLError) and (reason := getattr(error, "reason", "")):
        return words(reason.replace("_", " ").lower())  # such as BAD_RECORD_MAC
    return words(getattr(error, "strerror", None) or str(error))


def _seconds(retry_after: str | None) -> float:
    """The header's seconds, or those until its date (RFC 9110, 10.2.3); 0 for nonsense."""
    if not retry_after:
        return 0.0
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (ValueError, OverflowError):
            return 0.0
    return min(max(0.0, seconds), _LONGEST_WAIT)


def words(text: str) -> str:
    """What a server says, in one short printable line."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _WORDS else f"{line[: _WORDS - 1]}…"


def title(page: bytes) -> str:
    """The title of a web page, if it has one that says something."""
    # No pattern: many beginnings without an end would be sought through again and again.
    lower = page.lower()
    begin = lower.find(b"<title")
    end = lower.find(b"</title", begin)
    if begin < 0 or end < 0:
        return ""
    text = page[begin:end].partition(b">")[2]
    return words(html.unescape(text.decode("utf-8", "replace")))
