"""Finding a release's pair among the files of a tree; .jigdo files have no fixed place."""

from __future__ import annotations

import filecmp
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.version import Version
from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    WrongBytesError,
    WrongFileError,
    printable,
)
from release_builder.files import open_regular, read_bounded
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.template import read_template
from release_builder.steps.image_file import measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from release_builder.descriptor.release import Release
    from release_builder.jigdo.location import JigdoFile
    from release_builder.jigdo.sources import DigestCache
    from release_builder.jigdo.template import Template

_JIGDO_LIMIT: Final = 64 << 20  # bytes
_ARCHES: Final = {"i386", "x86_64"}


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


def find_pair(root: Path, release: Release, cache: DigestCache) -> Pair:
    """The pair of ``release`` below ``root``, its template checked against the .jigdo.

    Raises:
        IncompleteError: There is none, or its template is not there.
        DescriptorError: There are others, or several, and nothing tells which is meant.
        WrongBytesError: The .jigdo cannot be read, or the template is not the one it means.
    """
    path = find_jigdo(root, release)
    content, jigdo = read_jigdo(path)
    return Pair(path, content, jigdo, _find_template(root, release, path, jigdo, cache))


def read_jigdo(path: Path) -> tuple[bytes, JigdoFile]:
    """The bytes of the .jigdo at ``path`` and what they mean.

    Raises:
        WrongBytesError: It is no .jigdo.
    """
    name = printable("/".join(path.parts[-3:]))
    with open_regular(path) as stream:
        content = read_bounded(stream, _JIGDO_LIMIT, name)
    return content, parse_jigdo(content, name)


def find_jigdo(root: Path, release: Release) -> Path:
    """The .jigdo of ``release`` below ``root``; see find_pair for the errors.

    Its name tells: that of the image, with the extension replaced or added. Where none has it,
    the only one that is not said to be of another version or arch is taken.
    """
    stem = release.image.removesuffix(".iso")
    names = (f"{stem}.jigdo", f"{release.image}.jigdo")
    folders = [root / folder for folder in release.jigdo]
    found = [path for folder in folders for name in names if (path := folder / name).is_file()]
    if not found:
        others = [path for folder in folders for path in sorted(folder.glob("*.jigdo"))]
        meant = [path for path in others if _may_be(path.name, release)]
        found = [path for path in meant if path.is_file()]
        if meant and not found:
            raise WrongBytesError(
                f"{printable(str(meant[0].relative_to(root)))} is no file, and so no .jigdo",
                hint="the mirror may be half-way through an update; if it stays so, tell who runs it",
            )
        if not found:
            raise _no_jigdo(root, release, names[0], others)
    if any(not filecmp.cmp(path, found[0], shallow=False) for path in found[1:]):
        raise DescriptorError(
            "several .jigdo files, and nothing tells which is meant: "
            + _listed(path.relative_to(root) for path in found),
            hint="name one folder with `jigdo:`, or the image with `image:`",
        )
    return found[0]


def _may_be(name: str, release: Release) -> bool:
    """Whether a .jigdo called ``name`` may be the release's: ``9`` may well be called ``9.2``."""
    for word in name.removesuffix(".jigdo").removesuffix(".iso").split("-"):
        with suppress(ValueError):
            version = Version.parse(word)
            if not version.is_within(release.version):
                return False
    others = _ARCHES - {release.arch}
    return not any(arch in name for arch in others) or release.arch in name


def _no_jigdo(
    root: Path, release: Release, name: str, others: list[Path]
) -> IncompleteError | DescriptorError:
    what = f"no {name} in {' or '.join(release.jigdo)}"
    if others:
        there = _listed(path.relative_to(root) for path in others)
        return DescriptorError(
            f"{what}; there is {there}",
            hint="correct `version:`, or name the image with `image:`",
        )
    if not any((root / folder).is_dir() for folder in release.jigdo):
        return IncompleteError(
            f"nothing of {release.product} {release.version} was fetched yet: {what}",
            hint="fetch it: release-builder build",
        )
    return IncompleteError(
        what, hint="the mirror may not have it yet: run again later; or correct `jigdo:`"
    )


def _find_template(
    root: Path, release: Release, path: Path, jigdo: JigdoFile, cache: DigestCache
) -> Path:
    paths = dict.fromkeys(_template_paths(root, release, path, jigdo))
    candidates = [each for each in paths if each.is_file()]
    if not candidates:
        raise IncompleteError(
            f"{printable(path.name)} is here, its template is not",
            hint="the mirror may still be at it: run again later",
        )
    wanted = {digest.algorithm: digest for digest in jigdo.image.template_digests}
    found = [measure(each, wanted, cache).digests for each in candidates]
    if wanted in found:
        return candidates[found.index(wanted)]
    raise WrongFileError(
        f"{candidates[0]} is not the template that {printable(path.name)} means:"
        f" found {_listed(found[0].values())}, expected {_listed(wanted.values())}",
        candidates[0],
        hint="the mirror may be half-way through an update; if it stays so, tell who runs it",
    )


def _template_paths(root: Path, release: Release, path: Path, jigdo: JigdoFile) -> Iterator[Path]:
    """Where the template may lie: under the name of [Image] first, then under the image's."""
    stem = release.image.removesuffix(".iso")
    named = [jigdo.image.template_leaf] if jigdo.image.template else []
    for folder in (path.parent, *(root / folder for folder in release.jigdo)):
        for leaf in (*named, f"{path.stem}.template", f"{stem}.template"):
            yield folder / leaf


def _listed(values: Iterable[object]) -> str:
    return ", ".join(printable(str(value)) for value in values)
