r"""Text for manual pages, in the few requests of man(7) that each groff since 1.18 knows.

Source: groff 1.18, man page groff_man(7), and groff_char(7) for what is escaped.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ESCAPES: Final = {
    "\\": r"\e",
    "-": r"\-",
    "'": r"\(aq",
    "`": r"\(ga",
    "^": r"\(ha",
    "~": r"\(ti",
    "…": "...",
    "→": r"\(->",
}
_IN_PROSE: Final = {**_ESCAPES, "-": "-"}
_INLINE: Final = re.compile(
    r"``(?P<quoted>[^`]+)``|`(?P<ticked>[^`]+)`"
    r"|(?<![\w/.-])(?P<option>--?[A-Za-z][\w-]*)"
    r"|(?P<path>(?<![\w:/.<])~?/[a-z.][\w./-]*\w/?)"
)
_TERM: Final = re.compile(r"--?[A-Za-z0-9\[][\w\[\]-]*|[A-Za-z][\w.]*(?:\([0-9]\))?")


def prose(text: str, width: int = 78) -> str:
    """A paragraph: code, options and paths in bold, without a request by accident.

    Args:
        text: As a help text has it.
        width: Columns of the source's lines; 0 for one line.
    """
    pieces, end = [], 0
    for found in _INLINE.finditer(text):
        pieces.append(_escaped(text[end : found.start()], _IN_PROSE))
        pieces.append(bold(next(each for each in found.groups() if each)))
        end = found.end()
    pieces.append(_escaped(text[end:], _IN_PROSE))
    joined = "".join(pieces)
    lines = textwrap.wrap(
        joined, width or len(joined), break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(_no_request(line) for line in lines)


def plain(text: str) -> str:
    """``text`` as one types it, in no style."""
    return _escaped(text, _ESCAPES)


def bold(text: str) -> str:
    """``text`` as one types it."""
    return rf"\fB{plain(text)}\fR"


def term(shown: str) -> str:
    """An option as its help shows it: names and values in bold, what they stand for in italics."""
    pieces, end = [], 0
    for found in _TERM.finditer(shown):
        pieces.append(_escaped(shown[end : found.start()], _ESCAPES))
        word = found[0]
        letters = word.replace("_", "").replace(".", "")
        style = "I" if letters.isupper() and not word.startswith("-") else "B"
        pieces.append(rf"\f{style}{plain(word)}\fR")
        end = found.end()
    pieces.append(_escaped(shown[end:], _ESCAPES))
    return _no_request("".join(pieces))


def as_it_stands(lines: Iterable[str]) -> str:
    """Lines that are not to be folded, such as examples."""
    margin = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    shown = (_no_request(plain(line[margin:])) for line in lines)
    return "\n".join([".nf", ".RS 4", *shown, ".RE", ".fi"])


def tagged(rows: Iterable[tuple[str, str]]) -> str:
    """A list of terms, which are roff already, each with its text below it."""
    return "\n".join(f".TP\n{name}\n{prose(text) or '.br'}" for name, text in rows)


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(
        escapes.get(each, each if each.isascii() else rf"\[u{ord(each):04X}]") for each in text
    )


def _no_request(line: str) -> str:
    """A line that begins with a dot would be a request."""
    return rf"\&{line}" if line.startswith((".", "'")) else line
