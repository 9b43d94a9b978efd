"""What lies in the folders of a web server, by the pages that list them.

Sources: the pages of nginx (ngx_http_autoindex_module), Apache (mod_autoindex) and lighttpd
(mod_dirlisting): each entry is an ``<a href>`` to a name in the folder; a folder's ends in a slash.
"""

from __future__ import annotations

import codecs
import html
import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from release_builder.errors import DescriptorError, IncompleteError
from release_builder.transport.http import Answer, HttpError
from release_builder.transport.http.urls import shown
from release_builder.transport.listing import LONGEST, Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from release_builder.transport.http import Client

MAX_PAGE: Final = 4 << 20  # bytes
_AT_A_TIME: Final = 8
_ABSENT: Final = {Answer.NOT_FOUND, Answer.FORBIDDEN}
# html.parser is no choice: of some versions a page of many tags without end takes hours, others
# end in an AssertionError at "<![<![". No server writes a < into a tag.
_LINK: Final = re.compile(r"<a(\s(?:[^<>\"']|\"[^<\"]*+\"|'[^<']*+')*+)>", re.IGNORECASE)
_TARGET: Final = re.compile(
    r"\shref\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"']++))", re.IGNORECASE
)
_RSYNC: Final = "name it by rsync, or write `version:` and the release's own folder"


class HttpLister:
    """The folders below ``url``; which of them are links, a web server never tells.

    Args:
        client: What asks.
        url: With a slash at the end.
    """

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self._url = url

    def folders(self, names: Iterable[str]) -> dict[str, tuple[Entry, ...]]:
        """See Lister."""
        wanted = list(dict.fromkeys(names))
        with ThreadPoolExecutor(_AT_A_TIME) as threads:
            listed = list(threads.map(self._entries, wanted))
        return {
            name: entries
            for name, entries in zip(wanted, listed, strict=True)
            if entries is not None
        }

    def _entries(self, name: str) -> tuple[Entry, ...] | None:
        url = self._url + quote(f"{name}/" if name else "")
        try:
            page = self._page(url)
        except HttpError as error:
            if name and error.answer in _ABSENT:
                return None
            raise _refusal(url, error) from error
        return parse_page(page, url)

    def _page(self, url: str) -> str:
        page = bytearray()
        with self._client.get(url) as body:
            for block in body.blocks():
                page += block
                if len(page) > MAX_PAGE:
                    raise DescriptorError(
                        f"{shown(url)} is no list of a folder: it has more than {MAX_PAGE:,} bytes",
                        hint=_RSYNC,
                    )
        return codecs.decode(page, "utf-8", "replace")


def parse_page(page: str, url: str) -> tuple[Entry, ...]:
    """The names to which the links of a page lead that lie in the folder ``url`` itself.

    Args:
        page: HTML; anything else has no links.
        url: Of the page, with a slash at the end.
    """
    found = {entry.name: entry for link in links(page) if (entry := _entry(link, url))}
    return tuple(entry for _, entry in sorted(found.items()))


def links(page: str) -> Iterator[str]:
    """Where the first links of a page lead, in time that grows as the page does."""
    shown = page.split("<!--", 1)[0] + "".join(
        comment.partition("-->")[2] for comment in page.split("<!--")[1:]
    )
    for tag in itertools.islice(_LINK.finditer(shown), LONGEST):
        if target := _TARGET.search(tag[1]):
            yield html.unescape(next(filter(None, target.groups()), ""))


def _entry(link: str, url: str) -> Entry | None:
    """What ``link`` names of the folder ``url``; None for sorting, other folders, other servers."""
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, link.strip()))
    except ValueError:
        return None
    folder, path = unquote(here.path), unquote(there.path, errors="surrogateescape")
    if (there.scheme, there.netloc) != (here.scheme, here.netloc) or there.query or there.fragment:
        return None
    name = path.removeprefix(folder)
    leaf = name.removesuffix("/")
    if name == path or leaf in {"", ".", ".."} or "/" in leaf or not leaf.isprintable():
        return None
    return Entry(leaf, EntryKind.FOLDER if name.endswith("/") else EntryKind.FILE)


def _refusal(url: str, error: HttpError) -> DescriptorError | IncompleteError:
    said = f"{error.answer.value}" + (f" ({error.detail})" if error.detail else "")
    if error.answer is Answer.NOT_FOUND:
        return DescriptorError(
            f"{shown(url)}: the mirror has no such place", hint="correct `mirror:`"
        )
    if error.answer is Answer.FORBIDDEN:
        return DescriptorError(f"{shown(url)}: the server lists no folders: {said}", hint=_RSYNC)
    return IncompleteError(f"{shown(url)} cannot be listed: {said}", hint="run again later")
