"""New URLs in [Servers] of a .jigdo file, without another byte changed."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError, printable
from release_builder.jigdo.syntax import (
    Line,
    Word,
    quote_word,
    read_line,
    read_lines,
    split_words,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Change:
    """One line of [Servers] that is new or has a new URL.

    Attributes:
        label: Its label.
        old: The URL that it had; empty when it is new.
        new: The URL that it has.
        line: Its number in the new content, from 1.
    """

    label: str
    old: str
    new: str
    line: int


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A .jigdo file with new URLs in [Servers].

    Attributes:
        content: The whole file; byte for byte the old one when nothing changed.
        changes: What changed, in the order of the lines.
        unknown: Labels that [Parts] uses or [Servers] has, and no URL was given for.
        notes: Further lines of a changed label, left as they are: ``name:line: what``.
    """

    content: bytes
    changes: tuple[Change, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]


def rewrite_servers(content: bytes, wanted: Mapping[str, str], name: str) -> Rewrite:
    """Give the labels of [Servers] the URLs that are wanted.

    Of a label with several lines the first is changed, unless one of them is right already. A
    label that only [Parts] has gets a line of its own. All other bytes stay as they are, but a
    file packed by gzip comes back unpacked if it is changed. To do it again changes nothing.

    Args:
        content: The .jigdo file.
        wanted: The URL for each label; a URL is a prefix: a slash more or less is a change.
        name: For messages.

    Raises:
        JigdoError: ``content`` is no .jigdo file.
        DescriptorError: A wanted URL is empty or has control characters.
    """
    for label, url in wanted.items():
        if not url or printable(url) != url:
            raise DescriptorError(f"'{printable(url)}' is no URL for the server {printable(label)}")
    text = unpack(content, name)
    lines, rows = list(read_lines(text, name)), list(io.BytesIO(text))
    servers = [line for line in lines if line.section == "Servers" and line.key]
    listed = list(dict.fromkeys(line.key for line in servers))
    used = list(dict.fromkeys(label for line in lines if (label := _label_of_part(line))))
    missing = [label for label in used if label in wanted and label not in listed]
    at = _make_room(rows, lines) if missing else 0
    changes = [Change(label, "", wanted[label], at + i) for i, label in enumerate(missing, 1)]
    notes = []
    for label in (label for label in listed if label in wanted):
        of_label = [(line, _url(line)) for line in servers if line.key == label]
        if any(url.text == wanted[label] for _, url in of_label):
            continue
        (first, old), *others = of_label
        rows[first.number - 1] = _replaced(rows[first.number - 1], first, old, wanted[label])
        changes.append(Change(label, old.text, wanted[label], first.number + len(missing)))
        notes += [
            f"{printable(name)}:{line.number + len(missing)}: "
            f"{printable(label)} is {printable(url.text)} as well: left as it is"
            for line, url in others
        ]
    end = b"\r\n" if rows[at - 1].endswith(b"\r\n") else b"\n"
    rows[at:at] = [_encoded(f"{label}={quote_word(wanted[label])}") + end for label in missing]
    return Rewrite(
        content=b"".join(rows) if changes else content,
        changes=tuple(sorted(changes, key=lambda change: change.line)),
        unknown=tuple(label for label in dict.fromkeys([*used, *listed]) if label not in wanted),
        notes=tuple(notes),
    )


def _label_of_part(line: Line) -> str:
    """The label that a line of [Parts] uses; empty when it uses none."""
    if line.section != "Parts" or not line.key:
        return ""
    label, colon, path = _url(line).text.partition(":")
    is_url = path.startswith("//") or label == "file"
    # A label that [Servers] could not have is none.
    could_be_key = read_line(0, f"{label}=", "Servers").key == label
    return label if colon and could_be_key and not is_url else ""


def _url(line: Line) -> Word:
    """The first word of an entry's value; an empty word right behind the ``=`` if it has none."""
    words, _ = split_words(line.text, line.value_at)
    return words[0] if words else Word("", line.value_at, line.value_at)


def _replaced(row: bytes, line: Line, old: Word, new: str) -> bytes:
    end = row[len(_encoded(line.text)) :]
    return _encoded(line.text[: old.begin] + quote_word(new) + line.text[old.end :]) + end


def _make_room(rows: list[bytes], lines: list[Line]) -> int:
    """The index in ``rows`` below the first [Servers] line; one is added if there is none."""
    end = b"\r\n" if rows[0].endswith(b"\r\n") else b"\n"
    header = next((line for line in lines if line.opens and line.section == "Servers"), None)
    if not rows[-1].endswith(b"\n"):
        rows[-1] += end
    if header:
        return header.number
    rows += [end, b"[Servers]" + end]
    return len(rows)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
