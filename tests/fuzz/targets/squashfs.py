"""A listing by unsquashfs of any text, and any definitions in an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.decency import check_error

from release_builder.media import MediaError
from release_builder.media.squashfs import DEFINITIONS, parse_definitions, parse_sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

_IMAGE = Path("a.img")
_ROW = f"-rw-r--r-- root/root                23 2022-01-20 17:32 root/{DEFINITIONS}"


def seeds() -> Iterator[bytes]:
    """Listings, and definitions."""
    yield f"drwxr-xr-x 0/0  3 2022-01-20 17:32 root\n{_ROW}/a.json\n{_ROW}/b c.json\n".encode()
    yield f"l{_ROW[1:]}/a.json -> /etc/passwd\n{_ROW}/../x.json\n{_ROW}/.json".encode()
    yield b'{"puavo.a": {"default": "b", "typehint": "bool"}}'
    yield b'{"a": NaN, "b": "\\ud800", "c": ' + b"[" * 5000


def one_input(content: bytes) -> None:
    """Plain names with sizes, definitions that can be written; or a MediaError."""
    try:
        sizes = parse_sizes(content.decode("utf-8", "surrogateescape"), _IMAGE)
        assert all(size >= 0 and "/" not in name for name, size in sizes.items())
    except MediaError as error:
        check_error(error, content, "a.img: ")
    try:
        parse_definitions(content, "a.img: d")
    except MediaError as error:
        check_error(error, content, "a.img: d: ")
