"""``print-missing`` and ``print-missing-all``: where to get what an image still lacks."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.cli.jigdo_file.options import UsageError
from release_builder.cli.jigdo_file.piped import opened, seekable
from release_builder.errors import Status, printable
from release_builder.files import open_regular
from release_builder.jigdo.entries import MatchedFile, TemplateError
from release_builder.jigdo.location import Server, parse_jigdo
from release_builder.jigdo.syntax import read_content, split_words
from release_builder.jigdo.template import read_template
from release_builder.jigdo.unfinished import read_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.cli.jigdo_file.options import Options
    from release_builder.cli.jigdo_file.screen import Screen
    from release_builder.digests import Digest
    from release_builder.jigdo.entries import Description
    from release_builder.jigdo.location import JigdoFile

# A part that [Parts] does not know may lie on a server under its digest.
_BY_DIGEST: Final = {"md5": "MD5Sum", "sha256": "SHA256Sum"}
_NATIVE: Final = "file:"
_ANY: Final = ("Image", "Parts", "Servers")  # --no-image-section leaves the first out


def run(options: Options, screen: Screen) -> Status:
    """Print the first place, or all places, of each part that the image lacks."""
    if options.image != "-" and Path(options.image).exists():
        return Status.DONE
    jigdo = _read_jigdo(options)
    for problem in jigdo.problems:
        screen.complain(problem)
    with seekable(options.template) as template, open_regular(template) as stream:
        description = read_template(stream, options.template).description
    everything = options.command == "print-missing-all"
    for digest in sorted(_lacking(description, Path(f"{options.image}.tmp"), screen)):
        for place in _places(jigdo, digest):
            screen.result(place.removeprefix(_NATIVE).encode("utf-8", "surrogateescape"))
            if not everything:
                break
        if everything:
            screen.result(b"")
    return Status.DONE


def _read_jigdo(options: Options) -> JigdoFile:
    """The .jigdo file, the servers of --uri before its own."""
    with opened(options.jigdo) as stream:
        content = read_content(stream, options.jigdo)
    jigdo = parse_jigdo(content, options.jigdo, needs=_ANY)
    servers = tuple(Server(label, _first_word(value), (), 0) for label, value in options.uris)
    return dataclasses.replace(jigdo, servers=(*servers, *jigdo.servers))


def _first_word(value: str) -> str:
    """What a value of [Servers] begins with, unquoted; jigdo-lite quotes the URLs that it gives."""
    words, ended = split_words(value)
    if not ended:
        raise UsageError(
            f"--uri: a quote or backslash has no end in {printable(value)}", hint="quote it twice"
        )
    return words[0].text if words else ""


def _lacking(description: Description, unfinished: Path, screen: Screen) -> set[Digest]:
    """The parts that the image needs and ``unfinished`` has not got."""
    written: frozenset[int] = frozenset()
    try:
        with open_regular(unfinished) as stream:
            found = read_unfinished(stream, str(unfinished))
        if found.description == description:
            written = found.written
        else:
            screen.complain(f"{unfinished} is of another image or template: it is not used")
    except FileNotFoundError:
        pass
    except TemplateError as error:
        screen.complain(error.what, error.hint)
    return {
        each.digest
        for number, each in enumerate(description.runs)
        if isinstance(each, MatchedFile) and number not in written
    }


def _places(jigdo: JigdoFile, digest: Digest) -> Iterator[str]:
    by_digest = f"{_BY_DIGEST[digest.algorithm]}:{digest.jigdo}"
    for location in (*jigdo.parts.get(digest, ()), by_digest):
        yield from jigdo.urls(location)
