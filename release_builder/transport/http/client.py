"""The client: asks servers for files over http and https, through urllib3."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, PoolManager, ProxyManager, Timeout
from urllib3.util import parse_url

from release_builder.transport.http import Answer, HttpError
from release_builder.transport.http.answers import TROUBLES, failure, refusal
from release_builder.transport.http.backoff import end_after
from release_builder.transport.http.body import HttpBody
from release_builder.transport.http.connections import (
    CONNECT_TIMEOUT,
    LendingPool,
    Patience,
    StaleError,
    pool_classes,
)
from release_builder.transport.http.credentials import Credentials, basic
from release_builder.transport.http.head import OtherPieceError, drain, promise
from release_builder.transport.http.line import stays_open
from release_builder.transport.http.proxies import Proxies
from release_builder.transport.http.rate_limit import RateLimit
from release_builder.transport.http.reach import STRANGER, Reach
from release_builder.transport.http.request import request_headers
from release_builder.transport.http.tls import trusting
from release_builder.transport.http.urls import Address, followed, parse, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any, Self

    from release_builder.transport.http import HttpOptions
    from release_builder.transport.http.head import Promise
    from release_builder.transport.http.line import Line
    from release_builder.transport.http.proxies import Proxy

    _Opened = tuple[BaseHTTPResponse, HttpBody]

_NEVER: Final = float("inf")
_CONNECTIONS: Final = 8  # kept open, a server
_SERVERS: Final = 64  # that connections are kept open to
_REDIRECTS: Final = 10
_STALE: Final = 3  # kept connections that may turn out to be closed, one after another
_PROXY_REFUSES: Final = 407
_REDIRECTING: Final = {301, 302, 303, 307, 308}


class HttpClient:
    """Asks servers; see Client. Used by several threads at once.

    Args:
        options: How; ``deadline`` counts from now.
        environ: Names proxies, the netrc file and certificates; see Proxies, Credentials and
            trusting.
        home: Where ``.netrc`` lies, in the place of ``HOME``.
        reach: Of another client that asked for the same; in the place of what ``options`` say.

    Attributes:
        options: How.
        reach: Which servers may be asked.
        ends_at: When all asking ends, by the monotonic clock; None for never.
        notes: What the user should know, such as a netrc file that cannot be used.

    Raises:
        SurroundingsError: The file of certificates cannot be read.
        DescriptorError: It holds none, or a proxy is neither http nor https.
    """

    def __init__(
        self,
        options: HttpOptions,
        environ: Mapping[str, str],
        home: Path | None = None,
        reach: Reach | None = None,
    ) -> None:
        self.options = options
        self.reach = reach or Reach(options.named, options.origin)
        self.ends_at = end_after(options.deadline, time.monotonic())
        self._patience = Patience(options.timeout, self.ends_at)
        self._limit = RateLimit(options.limit_rate)
        self._credentials = Credentials(environ, home)
        self.notes = self._credentials.notes
        self._proxies = Proxies(environ)
        kept: dict[str, Any] = {
            "num_pools": _SERVERS,
            "maxsize": options.connections or _CONNECTIONS,
            "ssl_context": trusting(options.ca_bundle, environ),
        }
        self._managers = {None: PoolManager(**kept)} | {
            proxy: _through(proxy.address, kept) for proxy in self._proxies.all
        }
        proxies = Reach([proxy.address.url for proxy in self._proxies.all], STRANGER)
        for proxy, manager in self._managers.items():
            manager.pool_classes_by_scheme = self._pools(proxies if proxy else self.reach)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        for manager in self._managers.values():
            manager.clear()

    def _pools(self, reach: Reach) -> dict[str, type[HTTPConnectionPool]]:
        """By scheme, what keeps connections to servers or, with a ``reach`` of theirs, proxies."""
        return pool_classes(self._patience, reach)

    @contextlib.contextmanager
    def get(
        self,
        url: str,
        *,
        start: int = 0,
        expected: int | None = None,
        patience: float | None = None,
        line: Line | None = None,
    ) -> Iterator[HttpBody]:
        """See Client."""
        longest = _NEVER if patience is None else patience
        if line and line.shared:
            with contextlib.ExitStack() as stack:
                yield self._ask_by(
                    line, stack, url, start=start, expected=expected, longest=longest
                )
            return
        try:
            response, body = self._open(url, start, expected, longest, line)
        except OtherPieceError:
            response, body = self._open(url, 0, expected, longest, line)
        try:
            yield body
        finally:
            _let_go(response)

    def _ask_by(  # noqa: PLR0913 (as get has them)
        self,
        line: Line,
        stack: contextlib.ExitStack,
        url: str,
        *,
        start: int,
        expected: int | None,
        longest: float,
    ) -> HttpBody:
        """The body of an answer that comes by a shared ``line``, which ``stack`` leaves."""
        asked = parse(url)
        self.reach.begin(asked)
        pool = cast("LendingPool", self._managers[None].connection_from_url(asked.url))
        headers = request_headers(start, self._authorization([asked]))
        path = parse_url(asked.url).request_uri
        try:
            response = stack.enter_context(line.ask(pool, path, headers, self._patience, longest))
            promised = promise(response, asked.path, start, expected)
        except OtherPieceError as error:
            raise HttpError(Answer.SERVER_ERROR) from error
        except TROUBLES as error:
            if self._patience.is_over():
                raise HttpError(Answer.NO_TIME) from error
            raise failure(error) from error
        return self._arriving(response, promised, expected)

    def _open(
        self, url: str, start: int, expected: int | None, longest: float, line: Line | None
    ) -> _Opened:
        asked = parse(url)
        response, address = self._follow(asked, start, longest)
        try:
            promised = promise(response, asked.path, start, expected)
        except BaseException as error:
            _let_go(response)
            if isinstance(error, HttpError):
                raise _at(address, asked, error) from error
            raise
        if line:
            direct = address == asked and not self._proxies.on_the_way_to(asked)
            line.fit = direct and stays_open(response)
        return response, self._arriving(response, promised, expected)

    def _arriving(
        self, response: BaseHTTPResponse, promised: Promise, expected: int | None
    ) -> HttpBody:
        return HttpBody(response, promised, expected, patience=self._patience, limit=self._limit)

    def _follow(
        self, asked: Address, start: int, longest: float
    ) -> tuple[BaseHTTPResponse, Address]:
        """The first answer that is no redirect, and where it came from."""
        address, way = asked, [asked]
        self.reach.begin(asked)
        while True:
            authorization = self._authorization(way)
            try:
                response = self._ask(address, start, authorization, longest)
            except HttpError as error:
                raise _at(address, asked, error) from error
            location = response.headers.get("Location")
            if response.status not in _REDIRECTING or not location:
                return response, address
            drain(response)
            _let_go(response)
            address = followed(address, location)
            self.reach.lead(way[-1], address)
            if address in way or len(way) > _REDIRECTS:
                raise HttpError(Answer.REDIRECTS, f"the last to {shown(address.url)}")
            way.append(address)

    def _authorization(self, way: list[Address]) -> str | None:
        """The secret that the last address on the way may be told; a URL's own is for its server.

        Once the way went over open http, a stranger may have led it on.
        """
        asked, last = way[0], way[-1]
        if asked.scheme == "https" and any(each.scheme == "http" for each in way):
            return None
        if last.server == asked.server:
            return self._credentials.header(
                replace(last, user=asked.user, password=asked.password), anybody=True
            )
        return self._credentials.header(replace(last, user=None), anybody=False)

    def _ask(
        self, address: Address, start: int, authorization: str | None, longest: float
    ) -> BaseHTTPResponse:
        proxy = self._proxies.on_the_way_to(address)
        if proxy:
            self.reach.pass_on(address)
        headers = request_headers(start, authorization)
        stale, sent = 0, False
        while not self._patience.is_over():
            timeout = Timeout(
                connect=self._patience.left(min(CONNECT_TIMEOUT, longest)),
                read=self._patience.left(longest),
            )
            try:
                sent = True
                response = self._managers[proxy].urlopen(
                    "GET",
                    address.url,
                    headers=headers,
                    timeout=timeout,
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
            except TROUBLES as error:
                if any(isinstance(each, StaleError) for each in error.args) and stale < _STALE:
                    stale += 1
                elif not self._patience.is_over():
                    raise failure(error, proxy=proxy) from error
            else:
                if proxy and response.status == _PROXY_REFUSES:
                    raise _refused_by(proxy, response)
                return response
        raise HttpError(Answer.NO_TIME, sent=sent)


def _refused_by(proxy: Proxy, response: BaseHTTPResponse) -> HttpError:
    drain(response)
    _let_go(response)
    told = refusal(response.status, response.reason)
    return HttpError(told.answer, f"{proxy}: {told.detail}")


def _through(proxy: Address, kept: Mapping[str, Any]) -> ProxyManager:
    secret = None if proxy.user is None else basic(proxy.user, proxy.password)
    return ProxyManager(
        proxy.url,
        proxy_headers={"Proxy-Authorization": secret} if secret else None,
        proxy_ssl_context=kept["ssl_context"],
        **kept,
    )


def _let_go(response: BaseHTTPResponse) -> None:
    """Give the connection back; one on which bytes may still come is closed."""
    if response.length_remaining == 0:  # urllib3 notices only by reading that this was all
        drain(response)
    response.close()
    response.release_conn()


def _at(address: Address, asked: Address, error: HttpError) -> HttpError:
    """``error``, with the place where it happened if a redirect led there."""
    if address == asked:
        return error
    detail = " at ".join(filter(None, (error.detail, shown(address.url))))
    return HttpError(error.answer, detail, error.after)
