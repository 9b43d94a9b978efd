"""Any bytes as a template, read to the end of its data; most are put together well at first sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.choices import Choices
from golden import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Iterator

import bz2
import io
import zlib

from release_builder.jigdo.entries import TemplateError
from release_builder.jigdo.template import read_template

_HEADER = b"JigsawDownload template 1.2 test/1\r\nwords\r\n\r\n"
_PIECE = 70_000  # bytes, not a divisor of anything
_MOST_PARTS = 5
_LONGEST = 300  # bytes of the unmatched data of a part


def seeds() -> Iterator[bytes]:
    """What jigdo-file wrote."""
    for path in sorted(GOLDEN.glob("*.template")):
        yield path.read_bytes()


def one_input(content: bytes) -> None:
    """A template that holds what it claims, or a TemplateError."""
    for each in (content, _assembled(content)):
        template, length, words = None, 0, "t: "
        try:
            template = read_template(io.BytesIO(each), "t")
            reader = template.unmatched()
            while piece := reader.read(_PIECE):
                length += len(piece)
            reader.finish()
        except TemplateError as error:
            template, words = None, error.what
        assert words.startswith("t: ")
        assert words.isprintable()
        assert template is None or length == template.description.unmatched_length


def _assembled(content: bytes) -> bytes:
    """A template whose lengths agree, but for a few bytes that were exchanged."""
    fuzz = Choices(content)
    whole, total = _HEADER, 0
    for _ in range(fuzz.number(0, _MOST_PARTS)):
        plain = fuzz.take(_LONGEST)
        kind, stream = b"DATA", zlib.compress(plain, 1)
        if fuzz.flag():
            kind, stream = b"BZIP", bz2.compress(plain)
        claimed = len(plain)
        if fuzz.flag():
            at = fuzz.number(0, len(stream))
            stream = stream[:at] + fuzz.take(9) + stream[at + fuzz.number(0, 9) :]
            claimed += fuzz.number(-min(2, claimed), 2)
        whole += kind + _u48(16 + len(stream)) + _u48(claimed) + stream
        total += claimed
    first = fuzz.number(0, total)
    entries = b"\2" + _u48(first) + b"\2" + _u48(total - first)
    entries += b"\5" + _u48(total) + bytes(16) + b"\0\4\0\0"
    length = _u48(16 + len(entries))
    return whole + b"DESC" + length + entries + length


def _u48(number: int) -> bytes:
    return number.to_bytes(6, "little")
