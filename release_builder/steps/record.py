"""What a public release says of itself for programs: ``release.json`` in its folder."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from release_builder.descriptor.version import Stage, Version
from release_builder.digests import Digest
from release_builder.errors import WrongBytesError, printable
from release_builder.files import check_leaf, check_relative
from release_builder.pages.release_page import (
    ChangeKind,
    PackageChange,
    PublishedImage,
    ReleasePage,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any  # JSON

    from _typeshed import DataclassInstance

_T = TypeVar("_T", bound="DataclassInstance")
NAME: Final = "release.json"
_SCHEMA: Final = 1
# What reading may end in if the bytes are others than ours.
_DAMAGED: Final = (
    *(ValueError, LookupError, TypeError, AttributeError),
    *(OverflowError, RecursionError, WrongBytesError),
)


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file beside an image, the image included: its size in bytes, and its digests."""

    size: int
    digests: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A public release.

    Attributes:
        page: What its page tells.
        files: By folder below the release's and by name, the files that sums are told of.
        count: How often the release became public, this time included.
    """

    page: ReleasePage
    files: Mapping[str, Mapping[str, RecordedFile]]
    count: int = 1

    def image(self, name: str) -> PublishedImage | None:
        """The image called ``name``."""
        return next((each for each in self.page.images if each.name == name), None)

    def without(self, gone: Collection[tuple[str, str]]) -> Record:
        """This release without the images that have one of these folders and names."""
        images = tuple(each for each in self.page.images if (each.folder, each.name) not in gone)
        lost = {
            (folder, name)
            for each in self.page.images
            if each not in images
            for folder in [each.folder]
            for name in (each.name, each.jigdo, each.template)
        }
        files = {
            folder: {name: file for name, file in inside.items() if (folder, name) not in lost}
            for folder, inside in self.files.items()
        }
        left = {folder: inside for folder, inside in files.items() if inside}
        return replace(self, page=replace(self.page, images=images), files=left)

    def with_image(self, image: PublishedImage, files: Mapping[str, RecordedFile]) -> Record:
        """This release with ``image``, for whatever has its name, and the sums of its files."""
        others = self.without({(image.folder, image.name)})
        images = sorted((*others.page.images, image), key=lambda each: (each.arch, each.name))
        beside = {**others.files.get(image.folder, {}), **files}
        return replace(
            self,
            page=replace(self.page, images=tuple(images)),
            files={**others.files, image.folder: dict(sorted(beside.items()))},
        )

    def told_as(self, page: ReleasePage) -> Record:
        """This release, told by ``page`` but for its images."""
        return replace(self, page=replace(page, images=self.page.images))


def write_record(record: Record) -> bytes:
    """The text of ``release.json``."""
    document: dict[str, Any] = {"schema": _SCHEMA, "count": record.count, **asdict(record.page)}
    document["published"] = record.page.published.astimezone(UTC).isoformat()
    for image in document["images"]:
        image["digests"] = _sums(image["digests"])
    document["files"] = {
        folder: {
            name: {"size": file.size, "digests": {d.algorithm: d.hex for d in file.digests}}
            for name, file in files.items()
        }
        for folder, files in record.files.items()
    }
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode(
        "utf-8", "surrogateescape"
    )


def read_record(content: bytes, name: str) -> Record:
    """What a ``release.json`` says.

    Raises:
        WrongBytesError: It is none, or one of another schema.
    """
    try:
        document = json.loads(content.decode("utf-8", "surrogateescape"))
        schema = document.pop("schema")
        if schema == _SCHEMA:
            count, files = document.pop("count"), _files(document.pop("files"))
            return Record(_page(document), files, _whole(count))
    except _DAMAGED as error:
        raise WrongBytesError(
            f"{printable(name)} does not say what is public there: {printable(str(error))}",
            hint="remove the file and publish the release anew",
        ) from error
    raise WrongBytesError(
        f"{printable(name)} is of schema {printable(str(schema))}, and not of {_SCHEMA}",
        hint="another version of release-builder wrote it: use that one",
    )


def _files(document: Mapping[str, Any]) -> dict[str, dict[str, RecordedFile]]:
    return {
        check_relative(folder): {
            check_leaf(name): _made(RecordedFile, file, digests=_digests(file["digests"]))
            for name, file in inside.items()
        }
        for folder, inside in document.items()
    }


def _whole(count: object) -> int:
    if type(count) is not int or count < 1:
        raise TypeError("'count' is no number of times")
    return count


def _page(document: Mapping[str, Any]) -> ReleasePage:
    published = datetime.fromisoformat(document["published"])
    if published.tzinfo is None:
        raise ValueError("the time of publishing has no zone")
    return _made(
        ReleasePage,
        document,
        version=Version.parse(document["version"]).text,
        stage=Stage(document["stage"]).value,
        published=published.astimezone(UTC),
        images=tuple(_image(image) for image in document["images"]),
        changes=tuple(
            _made(PackageChange, change, kind=ChangeKind(change["kind"]))
            for change in document["changes"]
        ),
    )


def _image(values: Mapping[str, Any]) -> PublishedImage:
    image = _made(PublishedImage, values, digests=_digests(values["digests"]))
    check_relative(image.folder)
    for name in (image.name, image.jigdo, image.template, *image.sums, *image.signatures):
        check_leaf(name)
    return image


def _made(cls: type[_T], values: Mapping[str, Any], **read: object) -> _T:
    """The ``cls`` of what was ``read`` and of ``values``: texts, numbers and lists of them."""
    kinds = {each.name: str(each.type) for each in fields(cls)}
    plain = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
        if name not in read
    }
    for name, value in plain.items():
        if not _is(value, kinds[name]):
            raise TypeError(f"'{name}' is no {kinds[name]}")
    return cls(**plain, **read)


def _is(value: object, kind: str) -> bool:
    """Whether ``value`` is what the type hint ``kind`` of a field says."""
    if several := re.fullmatch(r"tuple\[(\w+), \.\.\.\]", kind):
        return isinstance(value, tuple) and all(_is(each, several[1]) for each in value)
    return type(value).__name__.removesuffix("Type") in kind.split(" | ")


def _sums(digests: list[dict[str, Any]]) -> dict[str, str]:
    """``asdict`` has taken the digests apart."""
    return {each["algorithm"]: each["value"].hex() for each in digests}


def _digests(sums: Mapping[str, str]) -> tuple[Digest, ...]:
    return tuple(Digest(algorithm, bytes.fromhex(text)) for algorithm, text in sums.items())
