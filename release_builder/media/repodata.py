"""Metadata of a package repository: ``repodata/repomd.xml`` and the list of packages it names.

Source: what createrepo and createrepo_c write; the names of elements are in the name spaces
``http://linux.duke.edu/metadata/repo`` and ``…/common``. The list may be long: it is read as it
streams. XML that declares entities is refused: no metadata does, and few bytes of it could become
any number.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from release_builder.digests import BLOCK, Digest
from release_builder.errors import WrongBytesError, printable
from release_builder.files import check_relative
from release_builder.media.image import MediaError
from release_builder.media.xz import XzReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from release_builder.digests import Readable

MOST_UNPACKED: Final = 1 << 30  # bytes of a list of packages; Fedora's largest has 200 MB
_MOST_REPOMD: Final = 1 << 20  # bytes
_LONGEST_TEXT: Final = 1024  # of an element that is of use here
_LONGEST_TOKEN: Final = 4 << 20  # bytes of a tag, a comment and the like, which expat holds
_DEEPEST: Final = 64  # elements inside one another; expat holds them too
_OPENERS: Final[dict[str, Callable[[BinaryIO], Readable]]] = {
    "gz": lambda stream: gzip.GzipFile(fileobj=stream),
    "bz2": bz2.BZ2File,
    "xz": XzReader,
    "lzma": XzReader,
    "xml": lambda stream: stream,
}
_ALGORITHMS: Final = {"sha": "sha1"}
_SIZE: Final = re.compile("[0-9]{1,18}")  # int() would take signs, blanks and foreign digits


@dataclass(frozen=True, slots=True)
class Listed:
    """A file that metadata list.

    Attributes:
        path: Below the folder of the repository.
        size: Bytes; None where it is not told.
        digest: Of the file.
        kind: Of a file of repomd.xml, such as ``primary``; ``package`` for a package.
    """

    path: str
    size: int | None
    digest: Digest
    kind: str


def read_repomd(stream: Readable) -> tuple[Listed, ...]:
    """The files that a repomd.xml lists.

    Raises:
        MediaError: It is none, or names something outside its folder.
    """
    return tuple(_read(stream, "repomd.xml", "data", _MOST_REPOMD))


def read_primary(stream: BinaryIO, name: str, most: int = MOST_UNPACKED) -> Iterator[Listed]:
    """The packages that a primary.xml lists, in its order.

    Args:
        stream: Its bytes, as compressed as ``name`` says.
        name: Of the file, for messages.
        most: Bytes that it may have when it is unpacked.

    Raises:
        MediaError: It is none, is larger than ``most``, or names something outside its folder.
            Raised while one iterates.
        UnknownCompressionError: It is compressed in another way than gzip, bzip2 or xz.
    """
    ending = name.rpartition(".")[2]
    if ending not in _OPENERS:
        raise UnknownCompressionError(
            f"{printable(name)}: files of .{printable(ending)} cannot be read here"
        )
    yield from _read(_OPENERS[ending](stream), printable(name), "package", most)


class UnknownCompressionError(MediaError):
    """Nobody knows whether the bytes are right: they are compressed in a way that is not read."""


def _read(stream: Readable, name: str, element: str, most: int) -> Iterator[Listed]:
    handler = _Handler(element)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = handler.refuse
    parser.EntityDeclHandler = handler.refuse
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    left = most
    try:
        while block := stream.read(BLOCK):
            left -= len(block)
            if left < 0:
                raise MediaError(f"it has more than {most:,} bytes")
            parser.Parse(block, False)  # noqa: FBT003 (expat's own argument)
            if most - left - max(parser.CurrentByteIndex, 0) > _LONGEST_TOKEN:
                raise MediaError(f"a tag has more than {_LONGEST_TOKEN:,} bytes")
            yield from handler.taken()
        parser.Parse(b"", True)  # noqa: FBT003 (expat's own argument)
    except (expat.ExpatError, EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise MediaError(f"{name}: it cannot be read: {printable(str(error))}") from error
    except WrongBytesError as error:
        raise MediaError(f"{name}: {error.what}", hint=error.hint) from error
    except OSError as error:
        if error.errno:
            raise
        raise MediaError(f"{name}: it cannot be read: {printable(str(error))}") from error
    yield from handler.taken()
    if not handler.right_root:
        raise MediaError(f"{name}: it is no metadata")


class _Handler:
    """Collects what the elements called ``element`` say; all others are passed over."""

    def __init__(self, element: str) -> None:
        self.right_root = False
        self._element = element
        self._depth = 0
        self._found: list[Listed] = []
        self._kind = element
        self._values: dict[str, str] = {}
        self._text: str | None = None

    def taken(self) -> list[Listed]:
        """What was found since the last call."""
        found, self._found = self._found, []
        return found

    def refuse(self, *_declaration: object) -> None:
        raise MediaError("it declares entities or a document type: no metadata does")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise MediaError("its elements are nested too deeply")
        name = name.rpartition(" ")[2]
        if self._depth == 1:
            self.right_root = name in {"repomd", "metadata"}
        elif self._depth == 2:
            self._values = {}
            self._kind = attributes.get("type", "") if self._element == "data" else self._element
        elif self._depth == 3 and name in {"checksum", "location", "size"}:
            for each in ("type", "href", "package"):
                if each in attributes:
                    self._values[f"{name} {each}"] = attributes[each]
            if "http://www.w3.org/XML/1998/namespace base" in attributes:
                self._values["base"] = "elsewhere"
            self._text = ""

    def end(self, name: str) -> None:
        self._depth -= 1
        name = name.rpartition(" ")[2]
        if self._text is not None and self._depth == 2:
            self._values[name] = self._text.strip()
            self._text = None
        elif self._depth == 1 and name == self._element:
            self._found.append(self._listed())

    def text(self, data: str) -> None:
        if self._text is not None:
            self._text += data
            if len(self._text) > _LONGEST_TEXT:
                raise MediaError(f"an element has more than {_LONGEST_TEXT} characters")

    def _listed(self) -> Listed:
        values = self._values
        path = check_relative(values.get("location href", ""))
        where = f"{printable(path)}: "
        if "base" in values:
            raise MediaError(f"{where}it lies elsewhere, says xml:base: it cannot be on an image")
        size = values.get("size package") or values.get("size")
        algorithm = values.get("checksum type", "")
        try:
            digest = Digest(
                _ALGORITHMS.get(algorithm, algorithm), bytes.fromhex(values["checksum"])
            )
        except (KeyError, ValueError) as error:
            raise MediaError(f"{where}it has no digest that can be read") from error
        if size and not _SIZE.fullmatch(size):
            raise MediaError(f"{where}it has no size that can be read: {printable(size)}")
        return Listed(path, int(size) if size else None, digest, self._kind)
