"""A web server that watches: it raises the alarm when nobody asks it in time.

Source: healthchecks.io, "Pinging API": ``URL/start``, ``URL``, ``URL/fail``, a text as the body.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from release_builder.errors import SurroundingsError
from release_builder.telling import Occasion
from release_builder.transport.http import HttpError, HttpOptions
from release_builder.transport.http.answers import refusal
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.head import drain
from release_builder.transport.http.server import PASSING
from release_builder.transport.http.urls import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from urllib3 import BaseHTTPResponse

    from release_builder.transport.http.reach import Reach

_OPTIONS: Final = HttpOptions(connections=1, timeout=10.0, deadline=25.0)
_TRIES: Final = 2
_PAUSE: Final = 1.0  # seconds
_TEXT: Final = 10_000  # bytes
_ENDINGS: Final = {Occasion.START: "/start", Occasion.FAILURE: "/fail"}


def ping(
    url: str,
    occasion: Occasion,
    text: str,
    environ: Mapping[str, str],
    options: HttpOptions = _OPTIONS,
) -> None:
    """Tell the server at ``url``.

    Args:
        url: http or https.
        occasion: A start and a failure have URLs of their own.
        text: Goes along.
        environ: Of the user; names proxies and certificates.
        options: How long it may take.

    Raises:
        SurroundingsError: It did not answer as it should, twice.
        DescriptorError: ``environ`` names proxies or certificates that are none.
    """
    body = text.encode("utf-8", "backslashreplace")[:_TEXT]
    with _PingClient(options, environ, body) as client:
        for left in reversed(range(_TRIES)):
            try:
                client.post(ping_url(url, occasion))
                break
            except HttpError as error:
                if not left or error.answer not in PASSING:
                    raise _told(url, error) from error
            time.sleep(_PAUSE)


def ping_url(url: str, occasion: Occasion) -> str:
    """Where ``occasion`` is told; a query stays behind the path."""
    parts = urlsplit(url)
    return parts._replace(path=parts.path.rstrip("/") + _ENDINGS.get(occasion, "")).geturl()


def _told(url: str, error: HttpError) -> SurroundingsError:
    detail = f" ({error.detail})" if error.detail else ""
    # The rest of the URL is as good as a password.
    return SurroundingsError(
        f"notify: ping: {urlsplit(url).hostname}: {error.answer.value}{detail}",
        hint="correct `ping:` if that happens again",
    )


class _PingClient(HttpClient):
    """Posts a text; else it is as any client here."""

    def __init__(self, options: HttpOptions, environ: Mapping[str, str], body: bytes) -> None:
        self._body = body
        super().__init__(options, environ)

    def _pools(self, reach: Reach) -> dict[str, type[HTTPConnectionPool]]:
        body, kept = self._body, super()._pools(reach)

        class Pool(_PostPool):
            ConnectionCls = kept["http"].ConnectionCls
            posted = body

        class TlsPool(_PostPool, HTTPSConnectionPool):
            ConnectionCls = kept["https"].ConnectionCls  # type: ignore[assignment] # a TLS pool's
            posted = body

        return {"http": Pool, "https": TlsPool}

    def post(self, url: str) -> None:
        """Post the text to ``url``.

        Raises:
            HttpError: The answer is no 2xx, or there is none.
        """
        response, _ = self._follow(parse(url), 0, float("inf"))
        drain(response)
        response.close()
        if not 200 <= response.status < 300:
            raise refusal(response.status, response.reason)


class _PostPool(HTTPConnectionPool):
    """Connections on which everything is posted."""

    posted = b""

    def urlopen(self, _method: str, url: str, *given: Any, **options: Any) -> BaseHTTPResponse:  # type: ignore[override] # noqa: ANN401 (its base's many)
        options["headers"] = {**options["headers"], "Content-Type": "text/plain; charset=utf-8"}
        return super().urlopen("POST", url, *given, **{**options, "body": self.posted})
