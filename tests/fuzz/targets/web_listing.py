"""Any page as the listing of a folder on a web server."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import quote

from release_builder.transport.http.listing import parse_page
from release_builder.transport.listing import LONGEST, Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

_URL = "http://mirror.example/a%20b/"


def seeds() -> Iterator[bytes]:
    """Pages of nginx, Apache and lighttpd, and odd ones."""
    yield b'<h1>Index of /</h1><pre><a href="../">../</a>\n<a href="9.0/">9.0/</a> 1 -\n</pre>'
    yield b'<table><tr><th><a href="?C=N;O=D">Name</a></th></tr><tr><td><a href="a%26b.iso">x</a>'
    yield b"<A HREF='/a%20b/8.1/'><a href=//other/x><a href=http://mirror.example/a%20b/c>"
    yield b'<a href="&#46;&#46;/x"><a href="%2e%2e/"><a href="%1b[2J"><a href="http://[x/"><!-- <a'


def one_input(content: bytes) -> None:
    """Plain names, each once, sorted; and a page that is made of them says the same."""
    entries = parse_page(content.decode("utf-8", "replace"), _URL)
    names = [entry.name for entry in entries]
    assert names == sorted(set(names))
    assert len(names) <= LONGEST
    for entry in entries:
        assert entry.name not in {"", ".", ".."}
        assert "/" not in entry.name
        assert entry.name.isprintable()
        assert entry.kind is not EntryKind.LINK
    assert parse_page("".join(map(_link, entries)), _URL) == entries


def _link(entry: Entry) -> str:
    slash = "/" * (entry.kind is EntryKind.FOLDER)
    target = quote(entry.name, errors="surrogateescape") + slash
    return f'<a href="./{html.escape(target)}">'
