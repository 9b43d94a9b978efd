"""``list-template``: what a template or an unfinished image holds, a line each."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import Status
from release_builder.files import open_regular
from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.template import read_template
from release_builder.jigdo.unfinished import read_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.cli.jigdo_file.options import Options
    from release_builder.cli.jigdo_file.screen import Screen
    from release_builder.digests import Digest
    from release_builder.jigdo.entries import Description

_VERSION: Final = 1  # of the JSON document
_MAGIC: Final = b"JigsawDownload template "
_NO_SUM: Final = bytes(8)  # what jigdo-file shows where the template is too old to have one
_IN_TEMPLATE: Final = "in-template"
_NEED: Final = "need-file"
_HAVE: Final = "have-file"


@dataclass(frozen=True, slots=True)
class _Content:
    """What a file says of its image; format and generator are a template's alone."""

    description: Description
    written: frozenset[int]
    format: str | None
    generator: str | None


@dataclass(frozen=True, slots=True)
class _Entry:
    offset: int  # in the image, bytes
    length: int  # bytes
    kind: str
    digest: Digest | None
    rsync_sum: bytes | None


def run(options: Options, screen: Screen) -> Status:
    """Print the entries of ``options.template`` with offset, length, digest and rsync sum."""
    content = _read(options.template)
    lines = _document(options.template, content) if options.json else _lines(content, options)
    for line in lines:
        screen.result(line.encode())
    return Status.DONE


def _read(name: str) -> _Content:
    with open_regular(name) as stream:
        is_template = stream.read(len(_MAGIC)) == _MAGIC
        if is_template or not name.endswith(".tmp"):
            template = read_template(stream, name)
            return _Content(template.description, frozenset(), template.version, template.generator)
        unfinished = read_unfinished(stream, name)
        return _Content(unfinished.description, unfinished.written, None, None)


def _entries(content: _Content) -> Iterator[_Entry]:
    offset = 0
    for number, each in enumerate(content.description.runs):
        if isinstance(each, MatchedFile):
            kind = _HAVE if number in content.written else _NEED
            yield _Entry(offset, each.length, kind, each.digest, each.rsync_sum)
        else:
            yield _Entry(offset, each.length, _IN_TEMPLATE, None, None)
        offset += each.length


def _lines(content: _Content, options: Options) -> Iterator[str]:
    """The lines of jigdo-file, to the blank."""
    image = content.description.image
    algorithm = image.digest.algorithm
    for each in _entries(content):
        kind, width = each.kind, 18
        if each.kind == _HAVE:
            kind, width = f"{_HAVE}{'-sha256' if algorithm == 'sha256' else ''}", 17
        elif each.kind == _NEED:
            kind = f"{_NEED}-{algorithm}"
        line = f"{kind:<{width}}{each.offset:>12} {each.length:>12}"
        if each.digest:
            shown = _shown(each.digest.value, options)
            line += f" {shown:>46} {_shown(each.rsync_sum or _NO_SUM, options):>12}"
        yield line
    shown = _shown(image.digest.value, options)
    kind = f"image-info-{algorithm}"
    yield f"{kind:<18}{image.length:>12} {image.block_length or 0:>12} {shown:>46}"


def _shown(value: bytes, options: Options) -> str:
    if options.hexadecimal:
        return value.hex()
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _document(name: str, content: _Content) -> Iterator[str]:
    """A document as data/jigdo-ls.schema.json describes it, an entry a line."""
    image = content.description.image
    head = {
        "version": _VERSION,
        "command": "list-template",
        "exit_status": Status.DONE,
        "template": {"file": name, "format": content.format, "generator": content.generator},
        "image": {
            "length": image.length,
            "digest": str(image.digest),
            "block_length": image.block_length,
        },
    }
    yield json.dumps(head)[:-1] + ', "entries": ['
    row = ""
    for each in _entries(content):
        if row:
            yield f"{row},"
        entry = {
            "offset": each.offset,
            "length": each.length,
            "kind": each.kind,
            "digest": str(each.digest) if each.digest else None,
            "rsync_sum": each.rsync_sum.hex() if each.rsync_sum else None,
        }
        row = json.dumps(entry)
    yield f"{row}]}}"
