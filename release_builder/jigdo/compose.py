"""The writer of .jigdo text: a new file, or additions to one that is there.

Source: the manual page of jigdo-file, "FORMAT OF .JIGDO FILES", --merge and --uri, and what
jigdo-file 0.8 writes.
"""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, WrongBytesError, printable
from release_builder.jigdo.location import JigdoError, JigdoFile, parse_jigdo
from release_builder.jigdo.part_lines import PartLines
from release_builder.jigdo.syntax import (
    Line,
    quote_word,
    read_line,
    read_lines,
    split_words,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from release_builder.digests import Digest
    from release_builder.jigdo.input_files import InputFile, Root

_MAGIC: Final = "# JigsawDownload"  # jigit reads no file that begins otherwise
_HEADER: Final = (_MAGIC, "# What an image consists of, and where to get it; see jigdo-file(1)", "")
_MERGED: Final = "--merge"  # for messages
_SUM_KEYS: Final = {"md5": "Template-MD5Sum", "sha256": "Template-SHA256Sum"}


@dataclass(frozen=True, slots=True)
class ImageText:
    """What [Image] says.

    Attributes:
        filename: What the image should be called.
        template: Name of the template file beside the .jigdo.
        template_digest: Of the template.
        short_info: What it is, for people: one line of at most 200 characters; empty for none.
        info: The same at length, at most 5,000 characters; empty for none.
    """

    filename: str
    template: str
    template_digest: Digest
    short_info: str = ""
    info: str = ""


def compose_jigdo(  # noqa: PLR0913 (each is a piece of the text)
    *,
    generator: str,
    version: str,
    image: ImageText | None,
    servers: Mapping[str, Sequence[str]] | None,
    parts: Iterable[tuple[Digest, str]],
    merge: bytes | None,
) -> bytes:
    """Write a .jigdo file; the same values give the same bytes.

    Args:
        generator: The program that writes it, as ``name/version``.
        version: Of the format: 1.2 for MD5, 2.0 for SHA-256.
        image: Becomes an [Image] section, unless ``merge`` has one whose sum of the template is
            empty: then that is filled in. None for neither.
        servers: The URLs of each label, written as they are: one with blanks or quotes in it must
            be quoted already. Labels that no new part uses are left out, and so are lines that
            ``merge`` has. None for no new [Servers] lines.
        parts: The digest and the location, ``label:name``, of each part. Left out when ``merge``
            knows where to find that digest.
        merge: A .jigdo file, or pieces of one, to start from; may be packed by gzip. It stays as
            it is, but [Parts] moves to the end, sorted, each line once, and lines end in LF.

    Raises:
        JigdoError: ``merge`` is no .jigdo text.
        WrongBytesError: A name or location cannot be written: it has a line's end or NUL in it.
        DescriptorError: A label or URL cannot stand in [Servers].
    """
    old, text = _read(merge or b"")
    _check_servers(servers or {})
    used: set[str] = set()
    part_lines = PartLines(text.parts)
    for digest, at in parts:
        if digest not in old.parts:
            part_lines.add(digest.jigdo, _word(at))
            used.add(at.partition(":")[0])
    sections = {}
    if not text.has_jigdo:
        sections["Jigdo"] = [f"Version={version}", f"Generator={generator}"]
    if image and not _fill_in(text, image.template_digest):
        sections["Image"] = _image_lines(image)
    if servers is not None:
        sections["Servers"] = _server_lines(old, servers, used)
    written = io.BytesIO()  # a join would hold every line beside the whole
    written.writelines(itertools.chain(_encoded_rows(text, sections), part_lines.encoded()))
    return written.getvalue()


def has_location(file: InputFile) -> bool:
    """Whether a .jigdo can say where ``file`` is."""
    return not _breaks_line(file.name)


def used_labels(merge: bytes) -> frozenset[str]:
    """The labels that mean something in a .jigdo file to merge; new ones must be others.

    Raises:
        JigdoError: ``merge`` is no .jigdo text.
    """
    old, _ = _read(merge)
    places = (place for places in old.parts.values() for place in places)
    of_parts = {place.partition(":")[0] for place in places if ":" in place}
    return frozenset({server.label for server in old.servers} | of_parts)


def servers_of(
    labels: Mapping[Root, str], uris: Sequence[tuple[str, str]]
) -> dict[str, tuple[str, ...]]:
    """The [Servers] values for roots: the user's, else ``file:`` and the root's path as typed.

    Args:
        labels: As pick_labels found them.
        uris: ``(label, URL)`` of each --uri, quoted where they must be. The first of a label
            counts, and only for a label that the user gave to a root.

    Raises:
        WrongBytesError: A root's path cannot be written: it has a line's end in it.
    """
    url_of = dict(reversed(uris))
    servers: dict[str, tuple[str, ...]] = {}
    for root, label in labels.items():
        url = url_of.get(root.label) if root.label else None
        value = _word(f"file:{root.path}") if url is None else url
        servers[label] = tuple(dict.fromkeys((*servers.get(label, ()), value)))
    return servers


@dataclass(slots=True)
class _Text:
    """A .jigdo text without its [Parts].

    Attributes:
        rows: Its lines.
        parts: Key and value of each line of [Parts], as they stand there.
        empty_sums: Where to write each kind of sum that [Image] lacks: index in ``rows``, offset.
        has_jigdo: Whether it has a [Jigdo] section.
        sections_at: Index of the first section in ``rows``; None when there is none.
        servers_at: Index behind the last line of the last [Servers]; None when there is none.
    """

    rows: list[str] = field(default_factory=list)
    parts: list[tuple[str, str]] = field(default_factory=list)
    empty_sums: dict[str, tuple[int, int]] = field(default_factory=dict)
    has_jigdo: bool = False
    sections_at: int | None = None
    servers_at: int | None = None


def _read(merge: bytes) -> tuple[JigdoFile, _Text]:
    """What ``merge`` says, and how."""
    # The readers ask for an [Image] section, which pieces may lack.
    content = unpack(merge, _MERGED) + b"\n[Image]\n"
    old, text = parse_jigdo(content, _MERGED), _Text()
    opens = says_something = False
    for line, _ in itertools.pairwise(read_lines(content, _MERGED)):  # all but our own [Image]
        if line.number == 1 and not line.text.startswith(_MAGIC):
            text.rows += _HEADER
        opens = opens or line.opens
        says_something = says_something or bool(line.key or line.problem)
        if line.section != "Parts":
            _keep(text, line)
        elif line.key:
            text.parts.append((line.key, line.text[line.value_at :].strip(" \t")))
        elif not line.opens and line.text.strip(" \t"):
            text.rows.append(line.text)  # a comment
    if says_something and not opens:
        raise JigdoError(
            f"{_MERGED}: no .jigdo file: it has no [section]",
            hint="put a line like [Servers] above its entries",
        )
    return old, text


def _keep(text: _Text, line: Line) -> None:
    at = len(text.rows)
    text.rows.append(line.text)
    if line.opens:
        text.has_jigdo |= line.section == "Jigdo"
        text.sections_at = at if text.sections_at is None else text.sections_at
    if line.section == "Servers" and (line.opens or line.key):
        text.servers_at = at + 1
    if line.section == "Image" and line.key and not any(_words(line.text[line.value_at :])):
        text.empty_sums.setdefault(line.key, (at, line.value_at))


def _fill_in(text: _Text, digest: Digest) -> bool:
    """Write ``digest`` where it is missing; whether there was such a place."""
    place = text.empty_sums.get(_SUM_KEYS[digest.algorithm])
    if place:
        row, offset = place
        old = text.rows[row]
        text.rows[row] = old[:offset] + digest.jigdo + old[offset:]
    return place is not None


def _image_lines(image: ImageText) -> list[str]:
    digest = image.template_digest
    words = {"ShortInfo": image.short_info[:200], "Info": image.info[:5000]}
    return [
        f"Filename={_word(image.filename)}",
        f"Template={_word(image.template)}",
        f"{_SUM_KEYS[digest.algorithm]}={digest.jigdo}",
        *(f"{key}={' '.join(text.split())}" for key, text in words.items() if text),
    ]


def _server_lines(
    old: JigdoFile, servers: Mapping[str, Sequence[str]], used: Container[str]
) -> list[str]:
    """The lines for ``servers`` that parts need and ``old`` has not."""
    known = {(server.label, server.url, *server.options) for server in old.servers}
    return [
        f"{label}={url}"
        for label, urls in servers.items()
        for url in urls
        if label in used and (label, *_words(url)) not in known
    ]


def _check_servers(servers: Mapping[str, Sequence[str]]) -> None:
    for label, urls in servers.items():
        could_be_key = read_line(0, f"{label}=", "Servers").key == label
        if not label or not could_be_key or ":" in label or _breaks_line(label):
            raise DescriptorError(
                f"'{printable(label)}' cannot be a label", hint="take a plain word such as Base"
            )
        for url in urls:
            first, *_ = (*_words(url), "")
            if not first or _breaks_line(url):
                raise DescriptorError(
                    f"'{printable(url)}' is no URL for the label {printable(label)}"
                )
            if first.startswith(f"{label}:"):
                raise DescriptorError(
                    f"the label {printable(label)} cannot be that of {printable(url)}: it would"
                    " lead to itself",
                    hint="take another word, such as Base",
                )


def _encoded_rows(text: _Text, sections: dict[str, list[str]]) -> Iterator[bytes]:
    """``text`` with ``sections`` added where they belong, and an open [Parts] at the end."""
    rows = text.rows
    if text.servers_at is not None:  # first what stands below: the other index must stay right
        rows[text.servers_at : text.servers_at] = sections.pop("Servers", [])
    if text.sections_at is not None and "Jigdo" in sections:
        rows[text.sections_at : text.sections_at] = ["[Jigdo]", *sections.pop("Jigdo"), ""]
    for name, lines in (*sections.items(), ("Parts", [])):
        while not rows[-1].strip(" \t"):
            rows.pop()
        rows += ["", f"[{name}]", *lines]
    return (_encoded(row) + b"\n" for row in rows)


def _word(text: str) -> str:
    """``text`` as one word that a reader takes for ``text``."""
    if not text or _breaks_line(text):
        raise WrongBytesError(
            f"a .jigdo file cannot have the name '{printable(text)}'", hint="rename the file"
        )
    word = quote_word(text)
    # Readers drop a CR at the end of a line.
    return f"'{word}'" if word.endswith("\r") else word


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.text for word in split_words(value)[0])


def _breaks_line(text: str) -> bool:
    return "\n" in text or "\0" in text


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
