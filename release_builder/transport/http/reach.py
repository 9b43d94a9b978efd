"""Which servers may be asked: those that the user named, and those of the public.

Texts of strangers, such as a .jigdo from the web, name URLs, and servers lead on to others. None
of them shall make this machine ask what only it can reach: itself, and its own network.

Sources: IANA's registries of special addresses, as Python's ipaddress knows them; RFC 6052 (NAT64),
RFC 3056 (6to4), RFC 9637 (documentation).
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from release_builder.errors import printable
from release_builder.transport.http import Answer, HttpError
from release_builder.transport.http.look_up import look_up
from release_builder.transport.http.urls import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_builder.transport.http.urls import Address

    _Server = tuple[str, int]  # host and port

_UNICAST: Final = ipaddress.ip_network("2000::/3")  # all that is given out of IPv6
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
# Younger than some Python 3.11.
_YOUNG: Final = ("192.0.0.0/24", "3fff::/20")
# Public by the registries, yet whoever is nearest answers: the host of a virtual machine at Azure,
# and 6to4's relays.
_NEAREST: Final = ("168.63.129.16/32", "192.88.99.0/24")
_NOT_PUBLIC: Final = tuple(map(ipaddress.ip_network, (*_YOUNG, *_NEAREST)))
_HERE: Final = {
    *("localhost", "localhost.localdomain", "localhost4", "localhost4.localdomain4"),
    *("localhost6", "localhost6.localdomain6", "ip6-localhost", "ip6-loopback"),
}
_ANY_PORT: Final = 9
_SHOWN: Final = 3  # addresses of a server
_PATIENCE: Final = 5.0  # seconds
STRANGER: Final = ""
"""Nobody whom the user knows wrote the text."""


def is_public(address: str) -> bool:
    """Whether ``address`` is one that anybody on the internet can have.

    Args:
        address: IPv4 or IPv6, perhaps with a zone. What stands for an IPv4 address in IPv6 counts
            as that one.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if inner:
            return is_public(str(inner))
        if found not in _UNICAST:
            return False
    special = found.is_multicast or found.is_reserved or any(found in each for each in _NOT_PUBLIC)
    return found.is_global and not special


def is_far(address: str) -> bool:
    """Whether ``address`` is public, and not this machine's own, which may serve more to itself."""
    return is_public(address) and not _is_own(address)


class Reach:
    """What a client may ask; used by several threads at once.

    A server that the user named may be anywhere. One that turned out to be public has to stay so:
    whoever has its name cannot lead us home by a second address. Of a private server's redirects
    nothing is feared: it could ask its neighbours itself.

    Behind a proxy nobody here sees to whom it connects: only an address in the URL itself, or a
    name of this machine, is refused then.

    Args:
        named: URLs whose servers the user named.
        origin: Who wrote the text with the other URLs that the client will be told to ask; see
            HttpOptions.
    """

    def __init__(self, named: Iterable[str], origin: str | None) -> None:
        self._origin = origin
        self._trusts_text = None if origin else origin is None  # None: not known yet
        self._named: set[_Server] = set()
        self._private: set[_Server] = set()
        self._public: set[_Server] = set()
        self._refused: dict[_Server, str] = {}
        for url in named:
            with contextlib.suppress(HttpError):  # no http URL: left to who asks for it
                self._named.add(_server(parse(url)))

    @property
    def trusts_text(self) -> bool:
        """Whether URLs that the client is told to ask are the user's own, or as good as that."""
        if self._trusts_text is None:
            self._trusts_text = _is_private(self._origin or "")
        return self._trusts_text

    def text_came(self) -> None:
        """What was fetched last is a text with URLs, which the client will be told to ask."""
        self._trusts_text = bool(self._private) and not self._public

    def text_stayed(self, url: str) -> None:
        """The text with URLs is a copy from before: ``url`` is not to be had now.

        A name may have led elsewhere then: if nobody was met, it has to be an address.
        """
        self.text_came()
        if not self._private and not self._public:
            with contextlib.suppress(HttpError):
                self._trusts_text = _is_local(parse(url).host.rstrip("."))

    def begin(self, address: Address) -> None:
        """The client was told to ask ``address``."""
        server = _server(address)
        if server not in self._named and self.trusts_text:
            self._named.add(server)

    def lead(self, origin: Address, target: Address) -> None:
        """The server of ``origin`` leads on to ``target``."""
        if _server(origin) in self._private - self._public:
            self._named.add(_server(target))

    def pass_on(self, address: Address) -> None:
        """``address`` is about to be asked through a proxy.

        Raises:
            HttpError: OUT_OF_REACH.
        """
        server = _server(address)
        if _is_local(server[0]):
            self._private.add(server)
            if server not in self._named:
                raise _refusal(f"{server[0]} is not public")
        else:
            self._public.add(server)

    def addresses(self, host: str, port: int, seconds: float | None) -> list[str]:
        """Where a connection to ``host`` may go.

        Args:
            host: A name or an address.
            port: Of it.
            seconds: To wait for its look-up; None for as long as it takes.

        Raises:
            HttpError: OUT_OF_REACH: to none of those that it has.
            TimeoutError: The look-up takes longer.
            OSError: There is no such name.
            UnicodeError: Nothing can have that name.
        """
        server = (host.rstrip("."), port)
        free = server in self._named and server not in self._public
        if not free and server in self._refused:  # thousands of parts may be there
            raise self._refusal(server)
        found = look_up(host, port, seconds)
        if free:
            return found
        public = [each for each in found if is_far(each)]
        if not public:
            why = "is this machine's own" if any(map(is_public, found)) else "is not public"
            self._refused[server] = f"{', '.join(found[:_SHOWN])} {why}"
            raise self._refusal(server)
        return public

    def met(self, host: str, port: int, address: str) -> None:
        """There is a connection to ``host``, which has ``address``."""
        (self._public if is_far(address) else self._private).add((host.rstrip("."), port))

    def _refusal(self, server: _Server) -> HttpError:
        return _refusal(self._refused[server], was_public=server in self._public)


def _server(address: Address) -> _Server:
    return address.host.rstrip("."), address.port


def _is_local(host: str) -> bool:
    """Whether ``host`` is an address that is not far, in any form that is understood."""
    if host in _HERE or host.endswith(".localhost"):
        return True
    with contextlib.suppress(OSError):
        host = socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0x7f000001, 2130706433
    try:
        return not is_far(host)
    except ValueError:  # a name
        return False


def _is_private(url: str) -> bool:
    """Whether the server of ``url`` has no public address."""
    try:
        found = look_up(urlsplit(url).hostname or "", 0, _PATIENCE)
    except (OSError, ValueError):  # nobody knows: a stranger
        return False
    return not any(map(is_far, found))


def _is_own(address: str) -> bool:
    """Whether this machine has ``address``; nothing is sent to find out."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as door:
            door.connect((address, _ANY_PORT))
            own = str(door.getsockname()[0])
    except OSError:  # nothing leads there
        return False
    return ipaddress.ip_address(own.partition("%")[0]) == ipaddress.ip_address(address)


def _refusal(why: str, *, was_public: bool = False) -> HttpError:
    if was_public:
        hint = "though its server was: name the address itself, by --uri, --mirror or a descriptor"
    else:
        hint = "and only the user may name such a server, by --uri, --mirror or a descriptor"
    detail = f"{printable(why)}, {hint}"
    return HttpError(Answer.OUT_OF_REACH, detail, sent=False)
