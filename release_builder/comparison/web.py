"""A release on the web: its .jigdo, or a page that leads to it."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit

from release_builder.comparison.pair import lengths_at_end, pair_parts
from release_builder.comparison.places import ARCHES, LAYOUT, Place, no_release
from release_builder.errors import DescriptorError, WrongBytesError
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.part_urls import encoded_url
from release_builder.transport.http import HttpError
from release_builder.transport.http.download import NotHadError, download
from release_builder.transport.http.listing import links
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from release_builder.comparison.pair import PairParts
    from release_builder.digests import Digest
    from release_builder.jigdo.location import JigdoFile
    from release_builder.transport.http.client import HttpClient

_JIGDO_LIMIT: Final = 64 << 20  # bytes
_PAGE_LIMIT: Final = 4 << 20
_TAIL: Final = 1 << 17  # bytes of a template that tell the parts of most
_MOST_PAGES: Final = 16
_MOST_PAIRS: Final = 16


def is_url(text: str) -> bool:
    """Whether ``text`` is meant as the address of something on the web."""
    return text.lower().startswith(("http://", "https://"))


def find_web_place(url: str, arch: str | None, client: HttpClient) -> Place:
    """The release at ``url``: a .jigdo, or a folder whose pages lead to some.

    Of templates, only the end is fetched.

    Args:
        url: http or https.
        arch: Of several .jigdo files, only those of this one count; None for all of them.
        client: Asks the server.

    Raises:
        IncompleteError: The server cannot be reached, or has it not.
        DescriptorError: There is no release.
        WrongBytesError: The .jigdo is none.
    """
    label, path = shown(url), _path(url)
    if path.endswith((".iso", ".template", ".yaml", ".yml")):
        raise no_release(label, "of a release on the web, its .jigdo or folder is read")
    if path.endswith((".jigdo", ".jigdo.gz")):
        return Place(label, pairs=(_pair(url, client),))
    jigdos = _linked_jigdos(url if path.endswith("/") else f"{url}/", client)
    wanted = [each for each in jigdos if arch is None or arch in _path(each)]
    if not wanted:
        of = f" of {arch}" if arch else ""
        raise no_release(label, f"its pages lead to no .jigdo{of}")
    if len(wanted) > _MOST_PAIRS:
        raise DescriptorError(
            f"{label} leads to {len(wanted)} .jigdo files", hint="name one of them, or use --arch"
        )
    return Place(label, pairs=tuple(_pair(each, client) for each in wanted))


def _linked_jigdos(root: str, client: HttpClient) -> list[str]:
    """The URLs of .jigdo files below ``root`` that its page, or those of its folders, name."""
    pages, seen, found = [root], {root}, dict[str, None]()
    while pages and len(seen) <= _MOST_PAGES:
        page = pages.pop(0)
        try:
            text = _fetched(page, client, _PAGE_LIMIT)
        except NotHadError:
            if page == root:
                raise
            continue
        urls = dict.fromkeys(_urls(text.decode("utf-8", "replace"), page))
        below = [link for link in urls if link.startswith(root)]
        found |= dict.fromkeys(link for link in below if _path(link).endswith(".jigdo"))
        if found:
            continue  # the page of a release names its .jigdo files itself
        for link in below:
            names = _path(link.removeprefix(root)).strip("/").split("/")
            if link.endswith("/") and link not in seen and set(names) <= LAYOUT | ARCHES:
                seen.add(link)
                pages.append(link)
    return list(found)


def _urls(text: str, page: str) -> Iterator[str]:
    """The addresses that a page links to, without what follows ``#``; none with ``?``."""
    for target in links(text):
        if target and "?" not in target:
            with contextlib.suppress(ValueError):  # no address
                yield urljoin(page, target.partition("#")[0])


def _pair(url: str, client: HttpClient) -> PairParts:
    content = _fetched(url, client, _JIGDO_LIMIT, lambda got: parse_jigdo(got, shown(url)))
    client.reach.text_came()
    jigdo = parse_jigdo(content, shown(url))
    try:
        lengths, size = _template(urljoin(url, encoded_url(_template_url(url, jigdo))), client)
    except HttpError as error:
        problem = f"the template of {jigdo.name} is not to be had ({error.answer.value})"
        return pair_parts(jigdo, None, None, (f"{problem}: sizes are not known",))
    except WrongBytesError as error:
        return pair_parts(jigdo, None, None, (f"{jigdo.name}: {error.what}",))
    return pair_parts(jigdo, lengths, size)


def _template_url(url: str, jigdo: JigdoFile) -> str:
    leaf = _path(url).rpartition("/")[2]
    return jigdo.image.template or f"{leaf.partition('.jigdo')[0]}.template"


def _template(url: str, client: HttpClient) -> tuple[dict[Digest, int], int]:
    """Bytes of each part that the template at ``url`` names, and of itself.

    Raises:
        HttpError: It is not to be had, or the server does not tell how long it is.
        TemplateError: It is none.
    """
    with client.get(url) as body:
        size = body.length
    if size is None:
        raise WrongBytesError("the server does not tell how long the template is")
    wanted = min(size, _TAIL)
    found = lengths_at_end(_tail(url, size, wanted, client), size)
    if isinstance(found, int):
        found = lengths_at_end(_tail(url, size, found, client), size)
    if isinstance(found, int):
        raise WrongBytesError("the template changed meanwhile")
    return found, size


def _tail(url: str, size: int, wanted: int, client: HttpClient) -> bytes:
    """The last ``wanted`` bytes of a file of ``size`` bytes."""
    tail = bytearray()
    with client.get(url, start=size - wanted, expected=size) as body:
        for block in body.blocks():
            tail += block
            del tail[:-wanted]  # a server may give the whole file all the same
    return bytes(tail)


def _fetched(
    url: str, client: HttpClient, limit: int, check: Callable[[bytes], object] | None = None
) -> bytes:
    with tempfile.TemporaryDirectory(prefix="release-builder-") as folder:
        path = Path(folder, "file")
        download(client, url, path, limit=limit, retries=client.options.retries, check=check)
        return path.read_bytes()


def _path(url: str) -> str:
    try:
        return unquote(urlsplit(url).path)
    except ValueError as error:
        raise no_release(shown(url), f"no address ({error})") from error
