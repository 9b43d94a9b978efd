"""The .jigdo text: which template an image has, and where its parts may be found.

The lines and words of the format are in syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from release_builder.digests import Digest
from release_builder.errors import printable
from release_builder.files import check_leaf, open_regular
from release_builder.jigdo.syntax import (
    JigdoError,
    Line,
    read_content,
    read_lines,
    split_words,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

__all__ = ["ImageSection", "JigdoError", "JigdoFile", "Server", "parse_jigdo", "read_jigdo"]

_MOST_PROBLEMS: Final = 100  # more tell nobody anything
_MOST_URLS: Final = 256  # of one part
_LONGEST_URL: Final = 64 << 10  # characters; servers take 8,000
_SHOWN: Final = 40  # characters of a label
_DEEPEST: Final = 64  # labels that lead from one to the next
_SECTIONS: Final = ("Jigdo", "Image", "Servers", "Parts", "Comment", "comment")
_VERSION: Final = re.compile(r"([0-9]++)(?:\.[0-9]++)*+")
_TEMPLATE_DIGESTS: Final = {"Template-MD5Sum": "md5", "Template-SHA256Sum": "sha256"}


@dataclass(frozen=True, slots=True)
class ImageSection:
    """The [Image] section that counts, as it stands there; nothing in it was checked.

    Attributes:
        filename: What the image should be called.
        template: URL of the template, absolute or relative to that of the .jigdo.
        template_digests: Of the template, as many as are given.
    """

    filename: str
    template: str
    template_digests: tuple[Digest, ...]

    @property
    def template_leaf(self) -> str:
        """The plain name of the template file.

        Raises:
            WrongBytesError: ``template`` does not end in one.
        """
        return check_leaf(self.template.rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class Server:
    """One line of [Servers].

    Attributes:
        label: What stands before the colon in [Parts].
        url: What the label and its colon are replaced by; may begin with another label.
        options: Further words of the line, such as ``--try-last``.
        line: Its number in the file, from 1.
    """

    label: str
    url: str
    options: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class JigdoFile:
    """What a .jigdo file says.

    Attributes:
        version: Of the format; empty when not given.
        generator: The program that wrote it; empty when not given.
        image: The image.
        servers: In the order of the file.
        parts: The locations of each part, ``label:path`` or URLs, in the order of the file.
        problems: Lines that say nothing, as ``name:line: what``.
        name: For messages.
    """

    version: str
    generator: str
    image: ImageSection
    servers: tuple[Server, ...]
    parts: Mapping[Digest, tuple[str, ...]]
    problems: tuple[str, ...] = ()
    name: str = ".jigdo"
    _urls_of: dict[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        urls_of: dict[str, list[str]] = {}
        for server in self.servers:
            urls_of.setdefault(server.label, []).append(server.url)
        object.__setattr__(self, "_urls_of", urls_of)

    def urls(self, location: str) -> tuple[str, ...]:
        """``location`` with its label, and those that this leads to, replaced by their URLs.

        Returns:
            Every URL that results, in the order of [Servers]; ``location`` itself when it has no
            label that [Servers] knows.

        Raises:
            JigdoError: The labels lead round in a circle, to more than 256 URLs, or to one of more
                than 65,536 characters.
        """
        return tuple(dict.fromkeys(self._expand(location, ())))

    def _expand(self, location: str, labels: tuple[str, ...]) -> list[str]:
        label, colon, path = location.partition(":")
        known = self._urls_of.get(label) if colon else None
        if not known:
            return [location]
        chain = (*labels, label)
        if label in labels:
            raise JigdoError(f"{self.name}: labels of [Servers] lead in a circle: {_told(chain)}")
        if len(labels) == _DEEPEST:
            raise JigdoError(f"{self.name}: more than {_DEEPEST} labels of [Servers] in a row")
        urls: list[str] = []
        for url in known:
            if len(url) + len(path) > _LONGEST_URL:
                raise JigdoError(
                    f"{self.name}: {_told(chain)} leads to a URL of more than {_LONGEST_URL:,}"
                    " characters"
                )
            urls += self._expand(url + path, chain)
            if len(urls) > _MOST_URLS:
                raise JigdoError(
                    f"{self.name}: {_told(chain)} leads to more than {_MOST_URLS} URLs"
                )
        return urls


def read_jigdo(path: Path) -> JigdoFile:
    """Read the .jigdo file at ``path``; see parse_jigdo. Messages name it as ``path`` does.

    Raises:
        JigdoError: As parse_jigdo.
        OSError: It is no regular file, or cannot be read.
    """
    with open_regular(path) as stream:
        content = read_content(stream, str(path))
    return parse_jigdo(content, str(path))


def parse_jigdo(
    content: bytes, name: str, image: int | None = None, *, needs: Collection[str] = ("Image",)
) -> JigdoFile:
    """Read a .jigdo file, plain or packed by gzip; [Include] lines are noted, not followed.

    Args:
        content: The whole file.
        name: For messages.
        image: The [Image] section that counts, from 1; None for the first, others being noted.
        needs: Sections of which it must have one.

    Raises:
        JigdoError: It is no .jigdo file, or a newer one, or larger than any can be. The message
            begins with ``name:line`` where there is one line to blame.
    """
    reader = _Reader(printable(name), image)
    for line in read_lines(unpack(content, name), name, needs=needs):
        if line.problem:
            reader.note(line, line.problem)
        elif line.opens:
            reader.open(line)
        elif line.key:
            reader.entry(line)
    return reader.jigdo()


class _Reader:
    """Takes the lines of a .jigdo file one by one."""

    def __init__(self, name: str, wanted: int | None) -> None:
        self._name, self._wanted = name, wanted
        self._jigdo: dict[str, str] = {}
        self._image: dict[str, str] = {}
        self._images = 0
        self._digests: list[Digest] = []
        self._servers: list[Server] = []
        self._parts: dict[Digest, dict[str, None]] = {}  # ordered sets of locations
        self._problems: list[str] = []

    def note(self, line: Line, problem: str) -> None:
        """``line`` says nothing, because of ``problem``."""
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(f"{self._name}:{line.number}: {printable(problem)}")

    def open(self, line: Line) -> None:
        """``line`` opens a section."""
        self._images += line.section == "Image"
        if line.section == "Image" and self._images > 1 and not self._wanted:
            self.note(line, "only the first [Image] section counts: ignored")
        elif line.section == "Include":
            self.note(line, f"{line.text.strip()} is not followed")
        elif line.section not in _SECTIONS:
            named = line.section.capitalize()
            better = f" (it is spelt [{named}])" if named in _SECTIONS else ""
            self.note(line, f"no section is called [{line.section}]{better}: ignored")

    def entry(self, line: Line) -> None:
        """``line`` is ``key=value``."""
        words, ended = split_words(line.text, line.value_at)
        value, *options = [word.text for word in words] or [""]
        plain = line.text[line.value_at :].strip(" \t")
        is_libjte = self._jigdo.get("Generator", "").startswith("libjte")
        # It quotes nothing, and begins with a label; who adds lines to its files does quote.
        if line.section == "Parts" and is_libjte and not plain.startswith(("'", '"')):
            value, ended = plain, True
        takes = {
            "Jigdo": self._of_jigdo,
            "Image": self._of_image,
            "Servers": self._of_servers,
            "Parts": self._of_parts,
        }.get(line.section)
        if not takes or (line.section == "Image" and self._images != (self._wanted or 1)):
            return
        # ShortInfo and Info are text for people, where a single quote is just that.
        if not ended and line.key not in {"ShortInfo", "Info"}:
            self.note(line, "a quote or backslash has no end")
        if value:
            takes(line, value, options)
        else:
            self.note(line, f"{line.key} has no value: ignored")

    def jigdo(self) -> JigdoFile:
        """What the lines said."""
        return JigdoFile(
            version=self._jigdo.get("Version", ""),
            generator=self._jigdo.get("Generator", ""),
            image=ImageSection(
                filename=self._image.get("Filename", ""),
                template=self._image.get("Template", ""),
                template_digests=tuple(self._digests),
            ),
            servers=tuple(self._servers),
            parts={digest: tuple(locations) for digest, locations in self._parts.items()},
            problems=tuple(self._problems),
            name=self._name,
        )

    def _of_jigdo(self, line: Line, value: str, _options: list[str]) -> None:
        if line.key == "Version":
            version = _VERSION.fullmatch(value)
            if not version:
                self.note(line, f"{value} is no version")
            elif version[1].lstrip("0") not in {"", "1", "2"}:
                raise JigdoError(
                    f"{self._name}:{line.number}: format version {value[:20]} needs a newer program",
                    hint="update release-builder",
                )
        self._jigdo.setdefault(line.key, value)

    def _of_image(self, line: Line, value: str, _options: list[str]) -> None:
        algorithm = _TEMPLATE_DIGESTS.get(line.key)
        if not algorithm:
            self._image.setdefault(line.key, value)
        elif (digest := _digest(value)) and digest.algorithm == algorithm:
            self._digests.append(digest)
        else:
            self.note(line, f"{value} is no {algorithm} digest: ignored")

    def _of_servers(self, line: Line, value: str, options: list[str]) -> None:
        self._servers.append(Server(line.key, value, tuple(options), line.number))

    def _of_parts(self, line: Line, value: str, _options: list[str]) -> None:
        digest = _digest(line.key)
        if not digest:
            self.note(line, f"{line.key} is no digest of a part: ignored")
        elif value.startswith("="):
            self.note(line, "a digest is written without = at its end: ignored")
        else:
            self._parts.setdefault(digest, {})[value] = None


def _digest(text: str) -> Digest | None:
    try:
        return Digest.from_jigdo(text)
    except ValueError:
        return None


def _told(labels: tuple[str, ...]) -> str:
    """``labels`` in a message, where a long one is cut."""
    return " → ".join(printable(label[:_SHOWN]) for label in labels)
