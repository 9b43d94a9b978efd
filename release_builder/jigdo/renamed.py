"""An image of another name, and servers at other URLs, in a .jigdo without another byte changed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from release_builder.jigdo.syntax import quote_word, read_lines, split_words, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_builder.jigdo.syntax import Line

_FOR_PEOPLE = {"ShortInfo", "Info"}  # quotes mean nothing in them


def renamed(
    content: bytes, name: str, image: Mapping[str, str], servers: Mapping[str, str]
) -> bytes:
    """``content`` with new values in the first [Image] and new URLs in [Servers].

    Args:
        content: A .jigdo file; packed by gzip, it comes back unpacked.
        name: For messages.
        image: The new value of each key of [Image]; those that are not there are not added.
        servers: The new URL in the place of each old one.

    Raises:
        JigdoError: ``content`` is no .jigdo file.
    """
    text = unpack(content, name)
    rows = list(io.BytesIO(text))
    wanted = dict(image)
    images = 0
    for line in read_lines(text, name):
        images += line.opens and line.section == "Image"
        if line.section == "Image" and images == 1 and line.key in wanted:
            value = wanted.pop(line.key)
            new = value if line.key in _FOR_PEOPLE else quote_word(value)
        elif line.section == "Servers" and line.key:
            new = _moved(line, servers)
        else:
            continue
        row = rows[line.number - 1]
        end = row[len(row.removesuffix(b"\n").removesuffix(b"\r")) :]
        start = line.text[: line.value_at]
        rows[line.number - 1] = (start + new).encode("utf-8", "surrogateescape") + end
    return b"".join(rows)


def _moved(line: Line, servers: Mapping[str, str]) -> str:
    value = line.text[line.value_at :]
    words = [word.text for word in split_words(value)[0]]
    if not words or words[0] not in servers:
        return value
    return " ".join(quote_word(word) for word in (servers[words[0]], *words[1:]))
