"""The proxies that the environment names, read as curl reads it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError
from release_builder.transport.http import HttpError
from release_builder.transport.http.urls import Address, parse, shown

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Proxy:
    """A server that stands between.

    Attributes:
        address: Its own.
        variable: Of the environment, which names it.
    """

    address: Address
    variable: str

    def __str__(self) -> str:
        place = shown(self.address.url).partition("://")[2].rstrip("/")
        return f"the proxy {place} ({self.variable})"


class Proxies:
    """Who stands between us and the servers.

    Args:
        environ: ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy``, of which all but
            the first may be in upper case: a CGI program is given ``HTTP_PROXY`` by strangers.

    Attributes:
        all: Each proxy, once.

    Raises:
        DescriptorError: A proxy is neither http nor https.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._by_scheme = {
            "http": _proxy(environ, "http_proxy", "all_proxy", "ALL_PROXY"),
            "https": _proxy(environ, "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
        }
        self.all = frozenset(proxy for proxy in self._by_scheme.values() if proxy)
        direct = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
        self._direct = tuple(entry for entry in re.split(r"[,\s]+", direct.lower()) if entry)

    def on_the_way_to(self, address: Address) -> Proxy | None:
        """The proxy for ``address``; None if it is asked directly."""
        proxy = self._by_scheme[address.scheme]
        return None if any(_covers(entry, address) for entry in self._direct) else proxy


def _proxy(environ: Mapping[str, str], *names: str) -> Proxy | None:
    name = next((name for name in names if environ.get(name)), None)
    if name is None:
        return None
    value = environ[name]
    url = value if "://" in value else f"http://{value}"
    try:
        return Proxy(parse(url), name)
    except HttpError as error:
        raise DescriptorError(
            f"{name}={shown(url)}: {error.detail}",
            hint="name an http or https proxy, or unset the variable",
        ) from error


def _covers(entry: str, address: Address) -> bool:
    """Whether ``entry`` of no_proxy means ``address``: a domain, an IP address, a network, all."""
    if with_port := re.fullmatch(r"([^:]+|\[.*\]):(\d+)", entry):
        if int(with_port[2]) != address.port:
            return False
        entry = with_port[1]
    entry, host = entry.strip("[].") or "-", address.host.rstrip(".")
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:  # one of them is a name
        return entry in {"*", host} or host.endswith(f".{entry}")
