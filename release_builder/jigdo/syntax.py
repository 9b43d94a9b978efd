"""The text level of a .jigdo file: its lines, its words, and how they are quoted.

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

from release_builder.errors import WrongBytesError, printable
from release_builder.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from release_builder.digests import Readable

_LONGEST_TEXT: Final = 64 << 20  # bytes, unpacked
_LONGEST_LINE: Final = 64 << 10  # bytes
_MOST_LINES: Final = 1 << 19  # a DVD of Debian has 3,900
_COMMENTS: Final = ("Comment", "comment")
_HEADER: Final = re.compile(
    # Possessive: a line of 64 KiB must not be gone over again from each of its blanks.
    r"\[[ \t]*+(?:(?P<name>[^ \t\[\]]*+)[ \t]*+|Include[ \t][^\]]*+)\][ \t]*+(?:#.*+)?",
    re.DOTALL,
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


def read_content(stream: Readable, name: str) -> bytes:
    """The bytes of a .jigdo file as they stand there, packed or not; see unpack.

    Raises:
        JigdoError: There are more than any .jigdo file can have.
    """
    try:
        return read_bounded(stream, _LONGEST_TEXT, printable(name))
    except WrongBytesError as error:
        raise JigdoError(error.what) from error


def unpack(content: bytes, name: str) -> bytes:
    """The text of a .jigdo file, which may be packed by gzip.

    Raises:
        JigdoError: It is broken, or larger than any can be.
    """
    packed = content.startswith(b"\x1f\x8b")
    stream = gzip.GzipFile(fileobj=io.BytesIO(content)) if packed else io.BytesIO(content)
    try:
        return read_content(stream, name)
    except (OSError, EOFError, zlib.error) as error:
        raise JigdoError(f"{printable(name)}: its gzip stream is broken") from error


def read_lines(text: bytes, name: str, *, needs: Collection[str] = ("Image",)) -> Iterator[Line]:
    """The lines of an unpacked .jigdo file; they end in LF or CR LF, a BOM may come first.

    Raises:
        JigdoError: A line has a NUL or more than 64 KiB, there are more than 524,288 lines, or
            none of them opens a section that is needed.
    """
    section, is_jigdo = "", False
    for number, row in enumerate(io.BytesIO(text), 1):
        if number > _MOST_LINES:
            raise JigdoError(f"{printable(name)}: more than {_MOST_LINES:,} lines: no .jigdo file")
        if b"\0" in row or len(row) > _LONGEST_LINE:
            what = "a NUL" if b"\0" in row else f"more than {_LONGEST_LINE:,} bytes"
            raise JigdoError(f"{printable(name)}:{number}: a line with {what}: no .jigdo file")
        decoded = row.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")
        line = read_line(
            number, decoded.removeprefix("\ufeff") if number == 1 else decoded, section
        )
        section = line.section
        is_jigdo = is_jigdo or (line.opens and section in needs)
        yield line
    if not is_jigdo:
        needed = " or ".join(f"[{each}]" for each in needs)
        raise JigdoError(f"{printable(name)}: no .jigdo file: it has no {needed} section")


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


def read_line(number: int, text: str, section: str) -> Line:
    """The line ``text``, without its end, in ``section``."""
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
