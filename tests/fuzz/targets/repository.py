"""Any bytes as what an image repository says of itself: configuration, meta files, CKSUMS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.decency import check_error
from repository_builder import ONE, TWO, URL

from release_builder.errors import DescriptorError, WrongBytesError
from release_builder.repository.cksums import format_lines, parse_cksums
from release_builder.repository.configuration import (
    Compat,
    Series,
    format_configuration,
    parse_configuration,
)
from release_builder.repository.description import Described, describe, parse_meta, without
from release_builder.repository.selection import Pair
from release_builder.repository.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH = Path("buster.json")
_SUMS = Sums(7, 123, "ab" * 32, "cd" * 64)
_PAIR = Pair(ONE, TWO)


def seeds() -> Iterator[bytes]:
    """All three, and JSON that goes far."""
    images = {name: Described(_SUMS, {"a": {"default": "b"}}) for name in (ONE, TWO)}
    yield describe(Series("s", (ONE, TWO)), [_PAIR], images, {_PAIR: _SUMS}, URL)
    yield f'{{"s": ["{ONE}", "{TWO}"]}}'.encode()
    yield f'{{"s": {{"images": ["{TWO}"], "extra_rdiffs": {{"{TWO}": ["{ONE}"]}}}}}}'.encode()
    yield format_lines({ONE: (1, 2), _PAIR.rdiff: (4294967295, 0)})
    yield b'{"s": {"images": [1e400, -1, NaN, "\\ud800", {"size": ' + b"[" * 2000 + b"]}]}}"


def one_input(content: bytes) -> None:
    """What is written again says the same; or an error that names the file."""
    try:
        configuration = parse_configuration(content.decode("utf-8", "replace"), _PATH)
        text = format_configuration(configuration, Compat.LATEST)
        assert parse_configuration(text, _PATH) == configuration
    except DescriptorError as error:
        check_error(error, content, "buster.json: ")
    try:
        told = parse_cksums(content, "CKSUMS")
        assert parse_cksums(format_lines(told), "CKSUMS") == told
        assert not any("/" in name for name in told)
    except WrongBytesError as error:
        check_error(error, content, "CKSUMS:")
    try:
        meta = parse_meta(content, "meta")
    except WrongBytesError as error:
        check_error(error, content, "meta: ")
        return
    assert not any("/" in name for name in (*meta.images, *meta.rdiffs))
    left = parse_meta(without(content, {*meta.images, *meta.rdiffs}), "meta")
    assert (left.series, left.images, left.rdiffs) == (meta.series, {}, {})
