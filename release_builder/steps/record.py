"""What a public release says of itself for programs: ``release.json`` in its folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from release_builder.digests import Digest
from release_builder.errors import WrongBytesError
from release_builder.pages.release_page import (
    ChangeKind,
    PackageChange,
    PublishedImage,
    ReleasePage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any  # JSON

NAME: Final = "release.json"
_SCHEMA: Final = 1


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
    """

    page: ReleasePage
    files: Mapping[str, Mapping[str, RecordedFile]]

    def image(self, name: str) -> PublishedImage | None:
        """The image called ``name``."""
        return next((each for each in self.page.images if each.name == name), None)

    def with_image(
        self, image: PublishedImage, page: ReleasePage, files: Mapping[str, RecordedFile]
    ) -> Record:
        """This release with ``image`` in the place of the one that has its name, told by ``page``."""
        others = [
            each
            for each in self.page.images
            if (each.folder, each.name) != (image.folder, image.name)
        ]
        images = sorted((*others, image), key=lambda each: (each.arch, each.name))
        beside = {**self.files.get(image.folder, {}), **files}
        return Record(
            replace(page, images=tuple(images)),
            {**self.files, image.folder: dict(sorted(beside.items()))},
        )


def write_record(record: Record) -> bytes:
    """The text of ``release.json``."""
    document: dict[str, Any] = {"schema": _SCHEMA, **asdict(record.page)}
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
        WrongBytesError: It is none.
    """
    try:
        document = json.loads(content.decode("utf-8", "surrogateescape"))
        del document["schema"]
        files = {
            folder: {
                each: RecordedFile(file["size"], _digests(file["digests"]))
                for each, file in inside.items()
            }
            for folder, inside in document.pop("files").items()
        }
        return Record(_page(document), files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WrongBytesError(
            f"{name} does not say what is public there: {error}",
            hint="remove the file and publish the release anew",
        ) from error


def _page(document: dict[str, Any]) -> ReleasePage:
    images = tuple(
        PublishedImage(
            **image
            | {
                "digests": _digests(image["digests"]),
                "sums": tuple(image["sums"]),
                "signatures": tuple(image["signatures"]),
            }
        )
        for image in document["images"]
    )
    changes = tuple(
        PackageChange(
            **change
            | {
                "kind": ChangeKind(change["kind"]),
                "notes": tuple(change["notes"]),
                "bugs": tuple(change["bugs"]),
            }
        )
        for change in document["changes"]
    )
    return ReleasePage(
        **document
        | {
            "images": images,
            "changes": changes,
            "notes": tuple(document["notes"]),
            "published": datetime.fromisoformat(document["published"]),
        }
    )


def _sums(digests: list[dict[str, Any]]) -> dict[str, str]:
    """``asdict`` has taken the digests apart."""
    return {each["algorithm"]: each["value"].hex() for each in digests}


def _digests(sums: Mapping[str, str]) -> tuple[Digest, ...]:
    return tuple(Digest(algorithm, bytes.fromhex(text)) for algorithm, text in sums.items())
