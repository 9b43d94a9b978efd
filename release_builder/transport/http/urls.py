"""URLs: what may be asked, and how one is shown."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from release_builder.errors import printable
from release_builder.transport.http import Answer, HttpError

_PORTS: Final = {"http": 80, "https": 443}
_USER: Final = re.compile(r"(?<=//)[^/?#]*@")
_QUERY: Final = re.compile(r"\?[^#]+")


@dataclass(frozen=True, slots=True)
class Address:
    """A URL that may be asked, in its parts.

    Attributes:
        url: Without user, password and fragment; all that must be is percent-encoded.
        scheme: ``http`` or ``https``.
        host: In lower case; an IPv6 address without brackets.
        port: Its own or the scheme's.
        user: Decoded; None if the URL names nobody.
        password: Decoded; empty if the URL has none.
    """

    url: str
    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str = ""

    @property
    def path(self) -> str:
        """What follows the server, without query."""
        return urlsplit(self.url).path

    @property
    def server(self) -> tuple[str, str, int]:
        """Whom a secret for this URL may be told: nobody else."""
        return self.scheme, self.host, self.port


def parse(url: str) -> Address:
    """The parts of ``url``.

    Raises:
        HttpError: BAD_URL: it is not of http or https, names no host, or is no URL at all.
    """
    if not url.isprintable():  # urllib3 would quote a line break, and hide the user's error
        raise HttpError(Answer.BAD_URL, "has a character that no URL has")
    try:
        parts = parse_url(url)
    except LocationParseError as error:
        raise HttpError(Answer.BAD_URL, "cannot be read") from error
    if parts.scheme not in _PORTS:
        raise HttpError(Answer.BAD_URL, "begins with neither http:// nor https://")
    if not parts.host:
        raise HttpError(Answer.BAD_URL, "names no host")
    user, _, password = (parts.auth or "").partition(":")
    plain = Url(parts.scheme, None, parts.host, parts.port, parts.path or "/", parts.query)
    return Address(
        url=plain.url,
        scheme=parts.scheme,
        host=parts.host.strip("[]"),
        port=parts.port or _PORTS[parts.scheme],
        user=None if parts.auth is None else _decoded(user),
        password=_decoded(password),
    )


def followed(address: Address, location: str) -> Address:
    """Where a redirect leads.

    Args:
        address: Of the answer that redirects.
        location: Its header ``Location``: a URL or what of one follows, bytes as Latin-1.

    Raises:
        HttpError: BAD_URL: to nothing that may be asked.
    """
    escaped = quote(location.strip().encode("latin-1", "replace"), safe=string.punctuation)
    try:
        return parse(urljoin(address.url, escaped))
    except (ValueError, HttpError) as error:
        detail = f"{shown(address.url)} leads to {shown(location)[:200]}"
        raise HttpError(Answer.BAD_URL, detail) from error


def shown(url: str) -> str:
    """``url`` as reports may show it: printable, without user, password and query."""
    return _QUERY.sub("?…", without_user(url))


def without_user(url: str) -> str:
    """``url`` as whoever asks may be told it: printable, without user and password."""
    try:
        parse_url(url)
    except LocationParseError:  # perhaps for an odd password, which then ends nobody knows where
        before, slashes, rest = url.partition("//")
        return printable(before + slashes + rest.rpartition("@")[2])
    return printable(_USER.sub("", url))


def _decoded(text: str) -> str:
    return unquote(text, errors="surrogateescape")
