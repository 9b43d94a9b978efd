"""Any bytes as ~/.netrc, any text as a URL and as where a redirect leads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.decency import check_line

from release_builder.transport.http import HttpError
from release_builder.transport.http.credentials import Credentials
from release_builder.transport.http.urls import followed, parse, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = tempfile.TemporaryDirectory()
_FILE = Path(_FOLDER.name, "netrc")
_HERE = parse("https://user:secret@mirror.example:8443/a/b?c")


def seeds() -> Iterator[bytes]:
    """Files, URLs, and redirects."""
    yield b"# c\nmachine mirror.example login me password p\\ w\ndefault login a password b\n"
    yield b'machine x login "a b" password c account d\nmacdef init\ncd /\n\nmachine y\n'
    yield b"http://u%40:p@[::1]:80/a%2fb;c?d#e"
    yield b"//other.example/x/../y\x1b[2J"
    yield b"HTTP://\xe4\xb8\xad.example:99999/" + b"//" * 20 + b"@"


def one_input(content: bytes) -> None:
    """Credentials for the server of the URL alone; secrets are in nothing that is shown."""
    _FILE.write_bytes(content)
    known = Credentials({"NETRC": str(_FILE)})
    for note in known.notes:
        check_line(note)
    header = known.header(parse("http://nobody.example/"), anybody=False)
    assert header is None or b"nobody.example" in content
    text = content.decode("utf-8", "surrogateescape")
    check_line(shown(text))
    try:
        address = parse(text)
        assert parse(address.url).url == address.url
        assert "@" not in address.url.partition("//")[2].partition("/")[0]
        assert 0 < address.port < 1 << 16
    except HttpError as error:
        check_line(error.detail)
    try:
        there = followed(_HERE, content.decode("latin-1"))
        assert there.scheme in {"http", "https"}
        check_line(there.url)
    except HttpError as error:
        _check_refusal(error.detail, content)


def _check_refusal(detail: str, content: bytes) -> None:
    check_line(detail)
    assert "secret" not in detail or b"secret" in content
