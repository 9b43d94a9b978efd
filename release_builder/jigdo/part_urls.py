"""The URLs of a part, as web servers want them.

[Parts] has names of files: behind its label a blank is a blank, and ``%20`` most likely three
characters. [Servers], and the parts without a label, have URLs, whose escapes mean what they say.
RFC 3986 tells what may stand in a URL. jigdo-file puts the two together as they are.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from release_builder.errors import WrongBytesError, printable
from release_builder.jigdo.location import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from release_builder.digests import Digest
    from release_builder.jigdo.location import JigdoFile

# Labels of servers that have files under their digests, and what stands for such a file in [Parts].
_BY_DIGEST: Final = {"md5": "MD5Sum", "sha256": "SHA256Sum"}
_MOST_URLS: Final = 256  # of one part
_LONGEST_URL: Final = 64 << 10  # characters; servers take 8,000
_SHOWN: Final = 200  # characters of a location
_HTTP: Final = re.compile(r"(https?)://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
_HOST_PORT: Final = re.compile(
    r"(?:(?P<host>[\w.~-]+)|(?P<address>\[[0-9A-Fa-f:.]+\]))(?P<port>(?::[0-9]*)?)"
)
_USER: Final = re.compile(r"(?<=://)[^/?]*@")
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_STRAY: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IN_USER: Final = "!$&'()*+,;=:"  # beside letters, digits, and -._~
_IN_PATH: Final = f"{_IN_USER}@/"
_IN_URL: Final = f"{_IN_PATH}?"


@dataclass(frozen=True, slots=True)
class PartUrl:
    """A URL that may have a part.

    Attributes:
        url: http or https, percent-encoded; any user and password kept.
        last: To be asked only when others failed.
        location: What it was made of: a location of [Parts], or ``MD5Sum:`` and a digest.
    """

    url: str
    last: bool
    location: str


@dataclass(frozen=True, slots=True)
class PartUrls:
    """All URLs of a part.

    Attributes:
        http: What can be asked, in the order of [Parts] and then of [Servers], each once.
        others: What is no http URL, as jigdo-file prints it, but without any password: ``file:``,
            ``ftp:``, a label that no server has, a plain path.
        problems: Locations that were left out, and why; printable.
    """

    http: tuple[PartUrl, ...]
    others: tuple[str, ...]
    problems: tuple[str, ...] = ()


class PartLocator:
    """Tells the URLs of parts.

    Args:
        jigdo: What [Parts] and [Servers] say.
        instead: By label, servers that come before those of [Servers].
    """

    def __init__(
        self, jigdo: JigdoFile, instead: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        mirrors = [
            Server(label, url, (), 0) for label, urls in (instead or {}).items() for url in urls
        ]
        servers = (*mirrors, *jigdo.servers)
        prompt = tuple(server for server in servers if "--try-last" not in server.options)
        self._jigdo = dataclasses.replace(jigdo, servers=servers)
        self._prompt = dataclasses.replace(jigdo, servers=prompt)
        self._labels = frozenset(server.label for server in servers)

    def urls(self, digest: Digest) -> PartUrls:
        """All URLs of the part with ``digest``; see PartUrls."""
        found = _Found()
        for location in self._locations(digest):
            try:
                expanded = self._expanded(location)
            except WrongBytesError as error:
                found.refuse(location, error)
            else:
                for base, name, last in expanded:
                    found.add(location, base, name, last=last)
            if found.is_full:
                found.refuse(location, WrongBytesError(f"more than {_MOST_URLS} URLs: no more"))
                break
        return found.urls()

    def _locations(self, digest: Digest) -> Iterator[str]:
        yield from self._jigdo.parts.get(digest, ())
        if (label := _BY_DIGEST.get(digest.algorithm)) in self._labels:
            yield f"{label}:{digest.jigdo}"

    def _expanded(self, location: str) -> list[tuple[str, str, bool]]:
        """The URLs that ``location`` begins with, what of it follows them, whether they are last.

        Raises:
            WrongBytesError: As JigdoFile.urls; or it leads out of the folder that its label stands for.
        """
        label, colon, name = location.partition(":")
        if not colon or label not in self._labels:
            return [(location, "", False)]
        _check_inside(name)
        bases = self._jigdo.urls(f"{label}:")
        prompt = frozenset(self._prompt.urls(f"{label}:"))
        return [(base, name, base not in prompt) for base in bases]


def part_urls(
    jigdo: JigdoFile, digest: Digest, instead: Mapping[str, Sequence[str]] | None = None
) -> PartUrls:
    """All URLs of one part; for many, a PartLocator is quicker.

    Args:
        jigdo: What [Parts] and [Servers] say.
        digest: Of the part.
        instead: By label, servers that come before those of [Servers].
    """
    return PartLocator(jigdo, instead).urls(digest)


def encoded_url(url: str) -> str:
    """``url``, absolute or relative, with what may not stand in a URL encoded; escapes are kept.

    A ``#`` is encoded too: a fragment is never sent, and nobody means one where a file is wanted.

    Raises:
        WrongBytesError: It is of http or https, but names no host.
    """
    web = _HTTP.fullmatch(url)
    if not web:
        return _quoted(url, _IN_URL)
    scheme, authority, rest = web.groups()
    return f"{scheme}://{_encoded_authority(authority)}{_quoted(rest, _IN_URL)}"


class _Found:
    """What was found of a part, each URL once."""

    def __init__(self) -> None:
        self._http: dict[str, PartUrl] = {}
        self._others: dict[str, None] = {}
        self._problems: dict[str, None] = {}

    @property
    def is_full(self) -> bool:
        """Whether it is more than any honest part has."""
        return len(self._http) + len(self._others) + len(self._problems) > _MOST_URLS

    def add(self, location: str, base: str, name: str, *, last: bool) -> None:
        """``base`` is a URL, or the begin of one that ends in ``name``."""
        if not _HTTP.fullmatch(base):
            self._others[_USER.sub("", base + name)] = None
            return
        try:
            for url in _readings(base, name):
                known = self._http.get(url)
                if not known or (known.last and not last):
                    self._http[url] = PartUrl(url, last, location)
        except WrongBytesError as error:
            self.refuse(location, error)

    def refuse(self, location: str, why: WrongBytesError) -> None:
        """Nothing, or nothing more, comes of ``location``."""
        self._problems[f"{printable(_USER.sub('', location)[:_SHOWN])}: {why.what}"] = None

    def urls(self) -> PartUrls:
        return PartUrls(tuple(self._http.values()), tuple(self._others), tuple(self._problems))


def _readings(base: str, name: str) -> Iterator[str]:
    """The URLs that may be meant by a file's name behind a server's URL, the likeliest first."""
    begin = encoded_url(base)
    parts = urlsplit(begin)
    if name and not name.startswith("/") and not parts.path and not parts.query:
        raise WrongBytesError("its server's URL has no slash behind the host")
    safe = "/" if "?" in begin else _IN_PATH
    yield _bounded(begin + quote(_bytes(name), safe))
    if _ESCAPE.search(name):
        _check_inside(unquote(name))
        yield _bounded(begin + _quoted(name, safe))


def _bounded(url: str) -> str:
    if len(url) > _LONGEST_URL:
        raise WrongBytesError(f"a URL of more than {_LONGEST_URL:,} characters")
    return url


def _check_inside(name: str) -> None:
    if ".." in name.split("/"):
        raise WrongBytesError("leads out of its server's folder")


def _encoded_authority(authority: str) -> str:
    """User, password, host and port as they may stand in a URL."""
    user, at, host_port = authority.rpartition("@")
    parts = _HOST_PORT.fullmatch(host_port)
    if not parts or "#" in user:
        raise _no_host(host_port)
    try:
        host = parts["host"].encode("idna").decode() if parts["host"] else parts["address"]
        encoded = f"{_quoted(user, _IN_USER)}{at}{host}{parts['port']}"
        urlsplit(f"//{encoded}").port  # noqa: B018 (it raises when address or port is none)
    except ValueError as error:
        raise _no_host(host_port) from error
    return encoded


def _no_host(host: str) -> WrongBytesError:
    return WrongBytesError(f"'{printable(host[:_SHOWN])}' is no host that can be asked")


def _quoted(text: str, safe: str) -> str:
    """``text`` percent-encoded but for letters, digits, ``-._~``, ``safe``, and what is already."""
    return quote(_bytes(_STRAY.sub("%25", text)), f"{safe}%")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
