"""Finding a release's pair among the files of a tree; .jigdo files have no fixed place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.digests import digest_stream
from release_builder.errors import DescriptorError, IncompleteError, WrongFileError, printable
from release_builder.files import check_leaf, open_regular, read_bounded
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.template import read_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from release_builder.descriptor.release import Release
    from release_builder.digests import Digest
    from release_builder.jigdo.location import JigdoFile
    from release_builder.jigdo.template import Template

_JIGDO_LIMIT: Final = 64 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Pair:
    """A .jigdo and its template, as the mirror has them.

    Attributes:
        jigdo_path: Where the .jigdo lies.
        content: Its bytes.
        jigdo: What they mean.
        template_path: Where the template lies; its digest is as the .jigdo demands.
    """

    jigdo_path: Path
    content: bytes
    jigdo: JigdoFile
    template_path: Path

    def open_template(self) -> BinaryIO:
        """The template's bytes."""
        return open_regular(self.template_path)

    def read_template(self, stream: BinaryIO) -> Template:
        """The template in ``stream``, which must stay open as long as its data is read.

        Raises:
            TemplateError: It is damaged.
        """
        return read_template(stream, printable(self.template_path.name))


def find_pair(root: Path, release: Release) -> Pair:
    """The pair of ``release`` below ``root``, its template checked against the .jigdo.

    Raises:
        IncompleteError: There is none, or its template is not there.
        DescriptorError: There are several, and nothing tells which is meant.
        WrongBytesError: The .jigdo cannot be read, or the template is not the one it means.
    """
    path = find_jigdo(root, release)
    content, jigdo = read_jigdo(path)
    return Pair(path, content, jigdo, _find_template(root, release, path, jigdo))


def read_jigdo(path: Path) -> tuple[bytes, JigdoFile]:
    """The bytes of the .jigdo at ``path`` and what they mean.

    Raises:
        WrongBytesError: It is no .jigdo.
    """
    name = printable(str(path))
    with open_regular(path) as stream:
        content = read_bounded(stream, _JIGDO_LIMIT, name)
    return content, parse_jigdo(content, name)


def find_jigdo(root: Path, release: Release) -> Path:
    """The .jigdo of ``release`` below ``root``; see find_pair for the errors."""
    stem = release.image.removesuffix(".iso")
    names = (f"{stem}.jigdo", f"{release.image}.jigdo")
    found = [root / folder / name for folder in release.jigdo for name in names]
    found = [path for path in found if path.is_file()]
    if not found:
        found = [
            path for folder in release.jigdo for path in sorted((root / folder).glob("*.jigdo"))
        ]
    if not found:
        places = " or ".join(release.jigdo)
        raise IncompleteError(
            f"no {names[0]} in {places} of {root}",
            hint="the mirror may not have it yet: run again later; or correct `jigdo:` or `image:`",
        )
    if any(path.read_bytes() != found[0].read_bytes() for path in found[1:]):
        listed = ", ".join(printable(str(path.relative_to(root))) for path in found)
        raise DescriptorError(
            f"several .jigdo files in {root}, and nothing tells which is meant: {listed}",
            hint="name one folder with `jigdo:`, or the image with `image:`",
        )
    return found[0]


def _find_template(root: Path, release: Release, path: Path, jigdo: JigdoFile) -> Path:
    candidates = [each for each in _template_paths(root, release, path, jigdo) if each.is_file()]
    if not candidates:
        raise IncompleteError(
            f"{printable(path.name)} is here, its template is not",
            hint="the mirror may still be at it: run again later",
        )
    wanted = jigdo.image.template_digests
    if not wanted:
        return candidates[0]
    found: dict[str, Digest] = {}
    for each in reversed(candidates):
        with open_regular(each) as stream:
            found = digest_stream(stream, [digest.algorithm for digest in wanted])
        if all(found[digest.algorithm] == digest for digest in wanted):
            return each
    raise WrongFileError(
        f"{candidates[0]} is not the template that {printable(path.name)} means:"
        f" its digest is {_listed(found.values())}, wanted is {_listed(wanted)}",
        candidates[0],
        hint="the mirror may be half-way through an update: run again later",
    )


def _template_paths(root: Path, release: Release, path: Path, jigdo: JigdoFile) -> Iterator[Path]:
    stem = release.image.removesuffix(".iso")
    named = check_leaf(jigdo.image.template_leaf)
    for folder in (path.parent, *(root / folder for folder in release.jigdo)):
        for leaf in (named, f"{path.stem}.template", f"{stem}.template"):
            yield folder / leaf


def _listed(digests: Iterable[Digest]) -> str:
    return " and ".join(str(digest) for digest in digests)
