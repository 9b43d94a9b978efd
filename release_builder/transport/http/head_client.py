"""The client that asks what files are, and leaves their bytes where they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool

from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.head import drain

if TYPE_CHECKING:
    from typing import Any

    from release_builder.transport.http.reach import Reach

_NO_HEAD: Final = {405, 501}  # method not allowed, not implemented (RFC 9110, 15)
_FIRST_BYTE: Final = {"Range": "bytes=0-0"}


class HeadClient(HttpClient):
    """Asks by HEAD, and for the first byte those who refuse that; see HttpClient.

    Redirects, secrets, proxies, certificates and timeouts are as of a download; a connection is
    kept from one file to the next. What ``get`` gives has a length, but no blocks.
    """

    def _pools(self, reach: Reach) -> dict[str, type[HTTPConnectionPool]]:
        kept = super()._pools(reach)

        class Pool(_HeadPool):
            ConnectionCls = kept["http"].ConnectionCls

        class TlsPool(_HeadPool, HTTPSConnectionPool):
            ConnectionCls = kept["https"].ConnectionCls  # type: ignore[assignment] # a TLS pool's

        return {"http": Pool, "https": TlsPool}

    def length(self, url: str, expected: int) -> int | None:
        """The bytes that the file at ``url`` has: as many as ``expected``, or None if not told.

        Raises:
            HttpError: It is not to be had, is another file, or a web page in its place.
        """
        with self.get(url, expected=expected) as body:
            return body.length


class _HeadPool(HTTPConnectionPool):
    """Connections to one server, or proxy, which learn whether it knows HEAD."""

    _knows_head = True

    def urlopen(self, _method: str, url: str, *given: Any, **options: Any) -> BaseHTTPResponse:  # type: ignore[override] # noqa: ANN401 (its base's many)
        if self._knows_head:
            response = super().urlopen("HEAD", url, *given, **options)
            drain(response)  # of nothing: so the connection is free for the next file
            if response.status not in _NO_HEAD:
                return _with_length(response, response.headers.get("Content-Length", ""))
            self._knows_head = False
        options["headers"] = {**options["headers"], **_FIRST_BYTE}
        response = super().urlopen("GET", url, *given, **options)
        if response.status == 206:
            drain(response)
            return _with_length(response, "")  # but Content-Range may tell it
        return response


def _with_length(response: BaseHTTPResponse, told: str) -> BaseHTTPResponse:
    """``response`` with the length of the file, where urllib3 has that of what came of it."""
    if response.status in {200, 206}:
        response.length_remaining = int(told) if told.isdecimal() and told.isascii() else None
    return response
