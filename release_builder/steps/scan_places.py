"""Folders, files and older images in which a user wants parts to be looked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from release_builder.errors import ReleaseBuilderError, WrongBytesError, printable
from release_builder.extents import Extent, Kind
from release_builder.files import open_regular, real_path
from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.extent_source import ExtentSource
from release_builder.jigdo.location import read_jigdo
from release_builder.jigdo.sources import ImageSource
from release_builder.jigdo.template import read_template
from release_builder.media import MediaError, find_layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import Description
    from release_builder.jigdo.sources import Candidate, PartSource


@dataclass(frozen=True, slots=True)
class ScanPlaces:
    """Where parts are to be looked for.

    Attributes:
        files: Folders and files that may be parts, or have them in them: all that was given.
        images: Images among them, each once; they are not opened before a part is looked for.
        problems: Images and templates that are of no or little use, and why. More come while the
            sources are asked.
    """

    files: tuple[Path, ...]
    images: tuple[Path, ...]
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """The problems as they are up to now, a line each, printable."""
        return tuple(
            why if why.startswith(place) else f"{place}: {why}"
            for place, why in (
                (printable(place), printable(why)) for place, why in self.problems.items()
            )
        )

    def sources(self, description: Description) -> list[PartSource]:
        """The images as sources of the parts of ``description``, those that cost less first.

        Each image is asked by its own template, if that lies beside it, and by its file system.
        Nothing is read before a source is first asked.
        """
        wanted = _Wanted.of(description)
        by_template = [_TemplateSource(image, wanted, self.problems) for image in self.images]
        by_layout = [
            ExtentSource(image, _files(image), wanted.lengths, wanted.sum_length, self.problems)
            for image in self.images
        ]
        return [*by_template, *by_layout]


def scan_places(paths: Sequence[Path]) -> ScanPlaces:
    """Sort what the user gave by --scan.

    Images are: a file with a file system or archive in it that we can read; a file beside which
    its own template was given; the ``*.iso`` files of a folder, but not of the folders in it. As
    for all files in folders, a link counts when it leads to somewhere in ``paths``.

    Args:
        paths: What was given; what is not there is passed over.
    """
    problems: dict[str, str] = {}
    places = tuple(map(real_path, paths))
    images: dict[Path, Path] = {}  # by their real paths
    for path in paths:
        for image in _images(path, places, problems):
            images.setdefault(image.resolve(), image)
    return ScanPlaces(tuple(paths), tuple(images.values()), problems)


def _images(path: Path, places: Sequence[Path], problems: dict[str, str]) -> Iterator[Path]:
    """The images that ``path`` is, or means."""
    try:
        if path.is_dir():
            for image in sorted(path.iterdir()):
                if image.suffix.lower() == ".iso" and image.is_file():
                    real = image.resolve()
                    if any(real.is_relative_to(place) for place in places):
                        yield image
        elif path.suffix == ".template":
            stem = path.with_suffix("")
            yield from (each for each in (stem, Path(f"{stem}.iso")) if each.is_file())
        elif path.is_file():
            with open_regular(path) as stream:
                if find_layout(stream):
                    yield path
    except (WrongBytesError, OSError) as error:
        problems[str(path)] = _why(error)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What sources need to know of the image that is to be made."""

    digests: frozenset[Digest]
    lengths: frozenset[int]
    algorithm: str
    sum_length: int | None

    @classmethod
    def of(cls, description: Description) -> _Wanted:
        parts = description.parts
        return cls(
            frozenset(part.digest for part in parts),
            frozenset(part.length for part in parts),
            description.image.digest.algorithm,
            description.image.sum_length,
        )


class _TemplateSource:
    """Parts where the template of an older image says that they lie; read when first asked."""

    def __init__(self, image: Path, wanted: _Wanted, problems: dict[str, str]) -> None:
        self._image = image
        self._wanted = wanted
        self._problems = problems
        self._source: PartSource | None = None
        self._is_read = False

    def candidates(self, part: MatchedFile, /) -> Iterator[Candidate]:
        """See PartSource."""
        if not self._is_read:
            self._source = self._read()
            self._is_read = True
        if self._source:
            yield from self._source.candidates(part)

    def _read(self) -> PartSource | None:
        """The source by the first template that is the image's own; None if there is none."""
        for template in dict.fromkeys(self._templates()):
            try:
                with open_regular(template) as stream:
                    old = read_template(stream, str(template)).description
                size = self._image.stat().st_size
            except (ReleaseBuilderError, OSError) as error:
                self._problems[str(template)] = _why(error)
                continue
            if old.image.length == size:
                return self._by(old)
            self._problems[str(template)] = (
                f"is of an image of {old.image.length:,} bytes, {self._image.name} has {size:,}"
            )
        return None

    def _templates(self) -> Iterator[Path]:
        """The templates that may be the image's own: by their names, then by those of .jigdos."""
        bases = dict.fromkeys((str(self._image.with_suffix("")), str(self._image)))
        for base in bases:
            if (template := Path(f"{base}.template")).is_file():
                yield template
        for base in bases:
            if (jigdo := Path(f"{base}.jigdo")).is_file():
                try:
                    template = jigdo.with_name(read_jigdo(jigdo).image.template_leaf)
                except (ReleaseBuilderError, OSError) as error:
                    self._problems[str(jigdo)] = _why(error)
                else:
                    if template.is_file():
                        yield template

    def _by(self, old: Description) -> PartSource:
        wanted = self._wanted
        if old.image.digest.algorithm == wanted.algorithm:
            return ImageSource(self._image, old, wanted.digests)
        # Its digests tell nothing, but its parts are more than what the file system may tell.
        return ExtentSource(
            self._image, _parts(old), wanted.lengths, wanted.sum_length, self._problems
        )


def _files(image: Path) -> Iterator[Extent]:
    """Where the files of ``image`` lie; it is opened when the first is asked for.

    Raises:
        MediaError: It is broken, or of no format that we know.
        OSError: It cannot be read.
    """
    with open_regular(image) as stream:
        layout = find_layout(stream)
        if layout is None:
            raise MediaError("has no file system or archive in it that can be read")
        yield from layout.extents


def _parts(description: Description) -> Iterator[Extent]:
    """Where the parts lie in the image that ``description`` is of."""
    offset = 0
    for run in description.runs:
        if isinstance(run, MatchedFile):
            yield Extent(offset, run.length, Kind.FILE)
        offset += run.length


def _why(error: ReleaseBuilderError | OSError) -> str:
    return error.what if isinstance(error, ReleaseBuilderError) else error.strerror or str(error)
