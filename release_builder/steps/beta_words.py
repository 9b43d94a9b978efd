"""The places where an image still calls itself a beta."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final

from release_builder.errors import WrongBytesError, printable
from release_builder.extents import Kind
from release_builder.files import open_regular
from release_builder.media import MediaError, find_layout
from release_builder.media.bootable import read_bootable
from release_builder.media.image import Image
from release_builder.media.rpm import read_package

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from release_builder.descriptor.version import Version
    from release_builder.extents import Extent

# What anaconda, the boot menu and yum show. A plain ISO 9660 name has capital letters, and an
# underscore for most that is no letter: all are compared as _plain() has them.
_TEXTS: Final = (
    *(r"_discinfo", r"_treeinfo", r"_buildstamp", r"media_repo"),
    *(r"isolinux/[^/]*_cfg", r"isolinux/[^/]*_msg", r"efi/boot/[^/]*_conf", r"efi/boot/[^/]*_cfg"),
)
_TEXT_LIMIT: Final = 1 << 20  # bytes
_RELEASE_PACKAGE: Final = r"(?:.*/)?[^/]*_release_[^/]*_rpm"
_HEADER_LIMIT: Final = 4 << 20  # bytes of a package in which its header ends


def beta_words(image: Path, beta: Version) -> tuple[str, ...]:
    """A line for each place that says ``rc1``, ``RC-1`` and the like, or ``8.1 rc`` without a number.

    Args:
        image: The image; its volume id, its texts and its release packages are looked at.
        beta: The version that it was published as.

    Raises:
        MediaError: ``image`` is none, or its file system is broken.
        WrongBytesError: A text of it is larger than a text can be.
        OSError: It cannot be read.

    Cost: all directories of the image are read, and the few files that count.
    """
    phase = beta.phase.name.lower()
    number = re.escape(beta.text.partition(phase)[0])
    word = re.compile(
        rf"(?<![a-z]){phase}[ ._-]?0*{beta.count}(?![0-9])"
        rf"|(?<![0-9.]){number}[ ._-]?{phase}(?![ ._-]?[a-z0-9])",
        re.IGNORECASE,
    )
    with open_regular(image) as stream:
        opened = Image(stream)
        volume_id = read_bootable(opened).volume_id
        layout = find_layout(stream)
        assert layout is not None  # it has a volume id
        texts, packages = _sought(layout.extents)
        return tuple(_places(opened, volume_id, texts, packages, word))


def _sought(extents: Iterable[Extent]) -> tuple[list[Extent], list[Extent]]:
    """The texts, in the order of ``_TEXTS``, and the release packages, both sorted by name."""
    texts: list[tuple[int, str, Extent]] = []
    packages: list[Extent] = []
    for extent in extents:
        if extent.kind is not Kind.FILE:
            continue
        name = _plain(extent.name)
        if re.fullmatch(_RELEASE_PACKAGE, name):
            packages.append(extent)
        for number, pattern in enumerate(_TEXTS):
            if re.fullmatch(pattern, name):
                texts.append((number, extent.name, extent))
    texts.sort(key=lambda each: each[:2])
    packages.sort(key=lambda each: each.name)
    return [extent for _, _, extent in texts], packages


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9/]", "_", name.lower())


def _places(
    image: Image,
    volume_id: str,
    texts: Iterable[Extent],
    packages: Iterable[Extent],
    word: re.Pattern[str],
) -> Iterator[str]:
    if word.search(volume_id):
        yield f"the volume id is '{printable(volume_id)}'"
    for text in texts:
        yield from _lines(image, text, word)
    for package in packages:
        if word.search(nevra := _nevra(image, package)):
            yield f"there is the package {printable(nevra)}"


def _lines(image: Image, text: Extent, word: re.Pattern[str]) -> Iterator[str]:
    name = printable(text.name)
    if text.length > _TEXT_LIMIT:
        raise WrongBytesError(
            f"{name} in the image is larger than {_TEXT_LIMIT:,} bytes: that cannot be right"
        )
    content = image.read(text.offset, text.length, name).decode("utf-8", "replace")
    for number, line in enumerate(content.splitlines(), 1):
        if word.search(line):
            yield f"{name}:{number} says '{printable(line.strip()[:80])}'"


def _nevra(image: Image, package: Extent) -> str:
    leaf = package.name.rpartition("/")[2]
    start = image.read(package.offset, min(package.length, _HEADER_LIMIT), printable(leaf))
    try:
        return read_package(io.BytesIO(start), leaf).nevra
    except MediaError:
        return leaf  # not our question what it is
