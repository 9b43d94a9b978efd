"""What a .jigdo and its template tell of a release: its parts, by name, digest and length."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from release_builder.comparison.inventory import File
from release_builder.comparison.packages import from_file_name
from release_builder.errors import ReleaseBuilderError, WrongBytesError, printable
from release_builder.files import check_leaf, open_regular
from release_builder.jigdo.entries import LONGEST_DESCRIPTION, TemplateError, parse_description
from release_builder.jigdo.location import read_jigdo
from release_builder.jigdo.sources import digest_of_file
from release_builder.jigdo.template import read_template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from release_builder.comparison.inventory import Contents
    from release_builder.digests import Digest
    from release_builder.jigdo.location import JigdoFile
    from release_builder.jigdo.sources import DigestCache

_MOST_TOLD: Final = 5  # odd lines of a .jigdo


@dataclass(frozen=True, slots=True)
class PairParts:
    """What a pair tells.

    Attributes:
        where: The .jigdo, for messages and to choose by.
        lengths: Bytes of each part; None where the template is not at hand.
        names: Where each part lies below its server, ``Packages/bash-4.2-1.noarch.rpm``.
        template_size: Bytes of the template; None where it is not at hand.
        problems: What the user should know, a sentence each.
    """

    where: str
    lengths: Mapping[Digest, int | None]
    names: Mapping[Digest, tuple[str, ...]]
    template_size: int | None
    problems: tuple[str, ...]

    @property
    def algorithms(self) -> frozenset[str]:
        """Of the digests."""
        return frozenset(digest.algorithm for digest in self.lengths)

    def known(self) -> dict[str, tuple[int | None, Digest]]:
        """By path below a server, size and digest of what lies there."""
        return {
            name: (self.lengths[digest], digest)
            for digest, names in self.names.items()
            for name in names
        }

    def add_to(self, into: Contents) -> None:
        """Add the packages and files that [Parts] names to ``into``."""
        for name, (size, digest) in self.known().items():
            if package := from_file_name(name, size, digest):
                into.packages.append(package)
            else:
                into.files.append(File(name, size, digest))


def read_pair(path: Path, cache: DigestCache) -> PairParts:
    """The pair of the .jigdo at ``path``; a template beside it is used if it is the one meant.

    Raises:
        JigdoError: It is none.
        OSError: It cannot be read.
    """
    jigdo = read_jigdo(path)
    try:
        leaf = jigdo.image.template_leaf if jigdo.image.template else f"{path.stem}.template"
        template = path.parent / check_leaf(leaf)
        for digest in jigdo.image.template_digests:
            if digest_of_file(str(template), digest.algorithm, cache) != digest:
                raise WrongBytesError(
                    f"{printable(leaf)} beside {jigdo.name} is another's template"
                )
        lengths, size, _ = read_lengths(template)
    except FileNotFoundError:
        problem = f"the template of {jigdo.name} is not beside it: sizes are not known"
        return pair_parts(jigdo, None, None, (problem,))
    except (ReleaseBuilderError, OSError) as error:
        return pair_parts(jigdo, None, None, (_said(error),))
    return pair_parts(jigdo, lengths, size)


def read_lengths(template: Path) -> tuple[dict[Digest, int], int, int]:
    """Bytes of each part that the template names, of itself, and of the image.

    Raises:
        TemplateError: It is none.
        OSError: It cannot be read.
    """
    with open_regular(template) as stream:
        description = read_template(stream, printable(template.name)).description
        size = stream.seek(0, io.SEEK_END)
    lengths = {part.digest: part.length for part in description.parts}
    return lengths, size, description.image.length


def lengths_at_end(tail: bytes, size: int) -> dict[Digest, int] | int:
    """Bytes of each part that a template names, from its last bytes alone.

    Args:
        tail: The last bytes, at least 6.
        size: Bytes of the whole template.

    Returns:
        The lengths; or, if the description begins before ``tail``, how long it is.

    Raises:
        TemplateError: The end is not that of a template.
    """
    length = int.from_bytes(tail[-6:], "little")
    if not 16 <= length <= min(size, LONGEST_DESCRIPTION):
        raise TemplateError("the template has no description at its end")
    if length > len(tail):
        return length
    parts = parse_description(tail[-length:]).parts
    return {part.digest: part.length for part in parts}


def pair_parts(
    jigdo: JigdoFile,
    lengths: Mapping[Digest, int] | None,
    template_size: int | None,
    problems: tuple[str, ...] = (),
) -> PairParts:
    """What ``jigdo`` and the lengths of its template tell together.

    Args:
        jigdo: Its [Parts] may have more than the image needs, if its template is known.
        lengths: Of the template; None where it is not at hand.
        template_size: Bytes of the template.
        problems: Known already.
    """
    wanted = dict.fromkeys(jigdo.parts) if lengths is None else lengths
    return PairParts(
        where=jigdo.name,
        lengths=wanted,
        names={
            digest: tuple(map(_path, jigdo.parts[digest]))
            for digest in wanted
            if digest in jigdo.parts
        },
        template_size=template_size,
        problems=(*jigdo.problems[:_MOST_TOLD], *problems),
    )


def _path(location: str) -> str:
    """What of a location in [Parts] follows its label; of a URL, all that follows the host."""
    label, colon, path = location.partition(":")
    if colon and path.startswith("//"):
        return unquote(path[2:].partition("/")[2], errors="surrogateescape")
    return path if colon else label


def _said(error: ReleaseBuilderError | OSError) -> str:
    if isinstance(error, ReleaseBuilderError):
        return error.what
    return f"{printable(str(error.filename or 'the template'))}: {error.strerror or error}"
