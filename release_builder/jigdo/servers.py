"""The lines of a .jigdo file, and new URLs in its [Servers] without another byte changed.

Source: the manual page of jigdo-file, "JIGDO FILE FORMAT", and what jigdo-file 0.8 does. Names
are bytes of no known encoding: kept by surrogateescape.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, WrongBytesError, printable
from release_builder.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST_TEXT: Final = 64 << 20  # bytes, unpacked
_LONGEST_LINE: Final = 64 << 10  # bytes
_MOST_LINES: Final = 1 << 20  # a DVD of Debian has 3,900
_COMMENTS: Final = ("Comment", "comment")
_HEADER: Final = re.compile(
    r"\[[ \t]*(?:(?P<name>[^ \t\[\]]*)|Include[ \t]+[^\]]*)[ \t]*\][ \t]*(?:#.*)?", re.DOTALL
)
_WORD: Final = re.compile(
    r"(?P<comment>#)"
    r"|(?:'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|[^ \t#'\"\\]+)*(?P<unended>['\"\\].*)?",
    re.DOTALL,
)
_QUOTED: Final = re.compile(r"'([^']*)'?|\"((?:[^\"\\]|\\.?)*)\"?|\\(.?)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.?)", re.DOTALL)


class JigdoError(WrongBytesError):
    """A .jigdo file is not what its format demands."""

    def __init__(
        self, what: str, *, hint: str = "fetch the .jigdo again; if it stays so, tell who made it"
    ) -> None:
        super().__init__(what, hint=hint)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a .jigdo file.

    Attributes:
        number: From 1.
        text: Without its end.
        section: The section that it stands in or opens; empty above the first.
        opens: Whether it opens its section.
        key: What stands before the ``=``; empty when it is no entry.
        value_at: Offset in ``text`` of what follows the ``=``.
        problem: Why it says nothing though it is no comment; empty when all is well.
    """

    number: int
    text: str
    section: str
    opens: bool = False
    key: str = ""
    value_at: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a value.

    Attributes:
        text: Without its quotes.
        begin: Offset of its first character in the line, quotes included.
        end: Offset behind its last.
    """

    text: str
    begin: int
    end: int


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
            raise DescriptorError(f"{printable(url)!r} is no URL for the server {printable(label)}")
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


def unpack(content: bytes, name: str) -> bytes:
    """The text of a .jigdo file, which may be packed by gzip.

    Raises:
        JigdoError: It is broken, or larger than any can be.
    """
    packed = content.startswith(b"\x1f\x8b")
    stream = gzip.GzipFile(fileobj=io.BytesIO(content)) if packed else io.BytesIO(content)
    try:
        return read_bounded(stream, _LONGEST_TEXT, printable(name))
    except WrongBytesError as error:
        raise JigdoError(error.what) from error
    except (OSError, EOFError, zlib.error) as error:
        raise JigdoError(f"{printable(name)}: its gzip stream is broken") from error


def read_lines(text: bytes, name: str) -> Iterator[Line]:
    """The lines of an unpacked .jigdo file; they end in LF or CR LF, a BOM may come first.

    Raises:
        JigdoError: A line has a NUL or more than 64 KiB, there are more than 1,048,576 lines, or
            none of them opens an [Image] section.
    """
    section, has_image = "", False
    for number, row in enumerate(io.BytesIO(text), 1):
        if number > _MOST_LINES:
            raise JigdoError(f"{printable(name)}: more than {_MOST_LINES:,} lines: no .jigdo file")
        if b"\0" in row or len(row) > _LONGEST_LINE:
            what = "a NUL" if b"\0" in row else f"more than {_LONGEST_LINE:,} bytes"
            raise JigdoError(f"{printable(name)}:{number}: a line with {what}: no .jigdo file")
        decoded = row.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")
        line = _line(number, decoded.removeprefix("\ufeff") if number == 1 else decoded, section)
        section = line.section
        has_image = has_image or (line.opens and section == "Image")
        yield line
    if not has_image:
        raise JigdoError(f"{printable(name)}: no .jigdo file: it has no [Image] section")


def split_words(text: str, begin: int = 0) -> tuple[list[Word], bool]:
    """The words of ``text`` from ``begin`` on, as a shell splits; whether all quotes are ended."""
    words = []
    for word in _WORD.finditer(text, begin):
        if word["comment"]:
            break
        if word[0]:
            words.append(Word(_QUOTED.sub(_unquoted, word[0]), *word.span()))
        if word["unended"]:
            return words, False
    return words, True


def quote_word(text: str) -> str:
    """``text`` as one word for split_words, quoted as jigdo-file does and only if it must be."""
    if not re.search(r"[ \t#\"'\\]", text):
        return text
    return f"'{text}'" if "'" not in text else '"' + re.sub(r"([\"\\])", r"\\\1", text) + '"'


def _unquoted(quoted: re.Match[str]) -> str:
    literal, escaped, bare = quoted.groups()
    return _ESCAPED.sub(r"\1", escaped) if escaped else literal or bare or ""


def _line(number: int, text: str, section: str) -> Line:
    stripped = text.strip(" \t")
    if stripped.startswith("["):
        header = _HEADER.fullmatch(stripped)
        if not header:
            return Line(number, text, section, problem="a broken [section] line is ignored")
        name = "Include" if header["name"] is None else header["name"]
        return Line(number, text, name, opens=True)
    if not stripped or stripped.startswith("#") or section in _COMMENTS:
        return Line(number, text, section)
    before, equals, _ = text.partition("=")
    key = before.strip(" \t")
    if not equals or not key:
        return Line(number, text, section, problem="neither key=value nor a comment: ignored")
    return Line(number, text, section, key=key, value_at=len(before) + 1)


def _label_of_part(line: Line) -> str:
    """The label that a line of [Parts] uses; empty when it uses none."""
    if line.section != "Parts" or not line.key:
        return ""
    label, colon, path = _url(line).text.partition(":")
    is_url = path.startswith("//") or label == "file"
    # A label that [Servers] could not have is none.
    could_be_key = _line(0, f"{label}=", "Servers").key == label
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
