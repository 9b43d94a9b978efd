"""Which images a repository serves: ``config/images/DIST.json``, in both of its forms.

Source: puavo-os, ``config/images``: a list of images for each series, or since 2023-01-27 an
object with ``images`` and ``extra_rdiffs``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, printable
from release_builder.repository.names import parse_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_KEYS: Final = {"images", "extra_rdiffs"}
_IMAGE: Final = "an image is named PREFIX-YYYY-MM-DD-HHMMSS-ARCH.img"


class Compat(StrEnum):
    """Which generator of Puavo's the files are for."""

    SEED = "seed"  # of 2022: lists of images; librsync's own block size
    LATEST = "2024"  # objects with extra_rdiffs; blocks of 128 bytes


@dataclass(frozen=True, slots=True)
class Series:
    """Images that follow one another.

    Attributes:
        name: Also the name of its meta file.
        images: File names, oldest first; each an image's name, and each once.
        extra_rdiffs: By target, further images that get a delta to it; of any series.
    """

    name: str
    images: tuple[str, ...]
    extra_rdiffs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one file tells: the series of one distribution.

    Attributes:
        dist: The file's name without ``.json``.
        series: In the file's order.
    """

    dist: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """What lies in a folder of images.

    Attributes:
        configurations: By distribution; series by name, images by date.
        ignored: Names that end in ``.img`` but are not of Puavo's grammar, sorted.
        no_files: Names of images that no file has: a FIFO, a folder, a link to nothing; sorted.
    """

    configurations: tuple[Configuration, ...]
    ignored: tuple[str, ...]
    no_files: tuple[str, ...] = ()


def scan_images(image_dir: Path) -> Scan:
    """Find the images directly in a folder.

    Raises:
        OSError: The folder cannot be read.
    """
    found: defaultdict[str, defaultdict[str, list[tuple[str, str]]]]
    found = defaultdict(lambda: defaultdict(list))
    ignored, no_files = [], []
    for path in sorted(image_dir.iterdir()):
        image = parse_image(path.name)
        if image and image.series:
            if path.is_file():
                found[image.series.dist][str(image.series)].append((image.stamp, path.name))
            else:
                no_files.append(path.name)
        elif path.suffix == ".img":
            ignored.append(path.name)
    configurations = tuple(
        Configuration(dist, tuple(_by_date(name, named) for name, named in sorted(series.items())))
        for dist, series in sorted(found.items())
    )
    return Scan(configurations, tuple(ignored), tuple(no_files))


def _by_date(name: str, stamped: Iterable[tuple[str, str]]) -> Series:
    return Series(name, tuple(image for _, image in sorted(stamped)))


def parse_configuration(text: str, path: Path) -> Configuration:
    """Read what stands in ``config/images/DIST.json``.

    Args:
        text: Its content.
        path: Its name, which tells the distribution, and for messages.

    Raises:
        DescriptorError: It is not JSON, in neither form, or names what no repository can serve.
    """
    try:
        said = json.loads(text, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise DescriptorError(f"{_shown(path)}: not JSON: {error}") from error
    if not isinstance(said, dict):
        raise DescriptorError(f"{_shown(path)}: it must be an object, a key for each series")
    return Configuration(
        path.stem, tuple(_series(name, told, _shown(path)) for name, told in said.items())
    )


def format_configuration(configuration: Configuration, compat: Compat) -> str:
    """The text of ``config/images/DIST.json``; the inverse of ``parse_configuration``.

    Raises:
        DescriptorError: There are ``extra_rdiffs``, which the generator of 2022 knows not.
    """
    if compat is Compat.SEED:
        extra = [series.name for series in configuration.series if series.extra_rdiffs]
        if extra:
            raise DescriptorError(
                f"{extra[0]} has extra_rdiffs: lists of images cannot tell that",
                hint="use --compat 2024",
            )
    said = {series.name: _told(series, compat) for series in configuration.series}
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def check_apart(configurations: Iterable[Configuration]) -> None:
    """See to it that no two distributions have a series of the same name, and so one meta file.

    Raises:
        DescriptorError: Two have.
    """
    first: dict[str, str] = {}
    for configuration in configurations:
        for series in configuration.series:
            other = first.setdefault(series.name, configuration.dist)
            if other != configuration.dist:
                raise DescriptorError(
                    f"the series {series.name} stands in {other}.json and {configuration.dist}.json",
                    hint="give one of them another name",
                )


def _told(series: Series, compat: Compat) -> list[str] | dict[str, object]:
    if compat is Compat.SEED:
        return list(series.images)
    extra = {target: list(sources) for target, sources in series.extra_rdiffs.items()}
    return {"images": list(series.images), "extra_rdiffs": extra}


def _series(name: str, told: object, where: str) -> Series:
    what = f"{where}: {printable(name)}"
    if not name or name.startswith(".") or "/" in name or not name.isprintable():
        raise DescriptorError(f"{what}: a series is named like a file, and not a hidden one")
    if isinstance(told, list):
        return Series(name, _images(told, what))
    if not isinstance(told, dict) or not {"images"} <= told.keys() <= _KEYS:
        raise DescriptorError(
            f"{what}: it must be a list of images, or an object with images and extra_rdiffs"
        )
    images = _images(told["images"], what)
    extra = told.get("extra_rdiffs", {})
    if not isinstance(extra, dict):
        raise DescriptorError(f"{what}: extra_rdiffs must be an object: target, list of sources")
    if unknown := extra.keys() - images:
        raise DescriptorError(
            f"{what}: extra_rdiffs: {printable(min(unknown))} is not among images",
            hint="a target must be an image of the series",
        )
    return Series(name, images, {target: _sources(target, s, what) for target, s in extra.items()})


def _sources(target: str, told: object, what: str) -> tuple[str, ...]:
    sources = _images(told, f"{what}: extra_rdiffs: {target}")
    if target in sources:
        raise DescriptorError(f"{what}: extra_rdiffs: {target} needs no delta from itself")
    return sources


def _images(told: object, what: str) -> tuple[str, ...]:
    if not isinstance(told, list):
        raise DescriptorError(f"{what}: it must be a list of images")
    images: dict[str, None] = {}
    for name in told:
        if not isinstance(name, str) or parse_image(name) is None:
            raise DescriptorError(f"{what}: {printable(str(name))} is no image's name", hint=_IMAGE)
        if name in images:
            raise DescriptorError(f"{what}: {name} is named twice")
        images[name] = None
    return tuple(images)


def _once_each(members: list[tuple[str, object]]) -> dict[str, object]:
    said = dict(members)
    if len(said) < len(members):
        raise ValueError("an object has a key twice")
    return said


def _shown(path: Path) -> str:
    return printable(str(path))
