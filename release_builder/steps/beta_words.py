"""The places where an image still calls itself a beta."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.files import open_regular, read_bounded
from release_builder.media import MediaError
from release_builder.media.bootable import read_bootable
from release_builder.media.image import Image
from release_builder.media.rpm import read_package

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.descriptor.version import Version

# What anaconda, the boot menu and yum show of a tree.
_TEXTS: Final = (
    *(".discinfo", ".treeinfo", ".buildstamp", "media.repo"),
    *("isolinux/*.cfg", "isolinux/*.msg", "EFI/BOOT/*.conf", "EFI/BOOT/*.cfg"),
)
_TEXT_LIMIT: Final = 1 << 20  # bytes
_RELEASE_PACKAGES: Final = "*-release-*.rpm"


def beta_words(image: Path, tree: Path | None, beta: Version) -> tuple[str, ...]:
    """A line for each place that says ``rc1``, ``RC-1`` and the like, or ``8.1 rc`` without a number.

    Args:
        image: The image.
        tree: What it was made from; None where that is not at hand.
        beta: The version that it was published as.

    Raises:
        MediaError: ``image`` is none.
        OSError: Something cannot be read.
    """
    phase = beta.phase.name.lower()
    number = re.escape(beta.text.partition(phase)[0])
    word = re.compile(
        rf"(?<![a-z]){phase}[ ._-]?0*{beta.count}(?![0-9])"
        rf"|(?<![0-9.]){number}[ ._-]?{phase}(?![ ._-]?[a-z0-9])",
        re.IGNORECASE,
    )
    return tuple(_places(image, tree, word))


def _places(image: Path, tree: Path | None, word: re.Pattern[str]) -> Iterator[str]:
    with open_regular(image) as stream:
        volume_id = read_bootable(Image(stream)).volume_id
    if word.search(volume_id):
        yield f"the volume id is '{printable(volume_id)}'"
    if tree is None:
        return
    for pattern in _TEXTS:
        for path in sorted(tree.glob(pattern)):
            yield from _lines(path, str(path.relative_to(tree)), word)
    for path in sorted(tree.rglob(_RELEASE_PACKAGES)):
        if word.search(nevra := _nevra(path)):
            yield f"there is the package {printable(nevra)}"


def _lines(path: Path, name: str, word: re.Pattern[str]) -> Iterator[str]:
    with open_regular(path) as stream:
        text = read_bounded(stream, _TEXT_LIMIT, name).decode("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        if word.search(line):
            yield f"{printable(name)}:{number} says '{printable(line.strip()[:80])}'"


def _nevra(path: Path) -> str:
    with open_regular(path) as stream:
        try:
            return read_package(stream, path.name).nevra
        except MediaError:
            return path.name  # not our question what it is
