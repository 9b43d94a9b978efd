"""``meta/SERIES.json``: what clients read of a series, byte for byte as Puavo's generator writes it.

Source: the files that puavo-os' ``.aux/make-rdiffs.rake`` makes: one line without blanks and
without end, UTF-8, keys in a fixed order. Clients use ``filename``, ``size`` and ``sha512``; boot
servers ``id``, ``version``, ``sha256`` and ``urls`` too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.errors import WrongBytesError, printable
from release_builder.repository.names import parse_image
from release_builder.repository.selection import Pair, image_name
from release_builder.repository.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from release_builder.repository.configuration import Series

_LONGEST_NAME: Final = 255  # characters, as file systems have it


@dataclass(frozen=True, slots=True)
class Described:
    """What there is to say of an image.

    Attributes:
        sums: Its size and digests.
        conf: Its puavo-conf definitions, merged.
    """

    sums: Sums
    conf: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Meta:
    """What a meta file says that can be checked.

    Attributes:
        series: Its name.
        images: By file name, in order.
        rdiffs: By file name of the delta; its pair, and what its bytes must be.
    """

    series: str
    images: Mapping[str, Sums]
    rdiffs: Mapping[str, tuple[Pair, Sums]]


def describe(
    series: Series,
    chosen: Iterable[Pair],
    images: Mapping[str, Described],
    rdiffs: Mapping[Pair, Sums],
    base_url: str,
) -> bytes:
    """The content of a series' meta file.

    Args:
        series: Its images are listed in its order; those that ``images`` lacks are left out.
        chosen: ``selection.pairs``: the order of the deltas.
        images: What there is, by file name.
        rdiffs: The deltas that there are; what ``chosen`` does not name is left out.
        base_url: Of the folder that ``CKSUMS`` lies in, without a slash at its end.
    """
    there = [pair for pair in chosen if pair in rdiffs and pair.target in images]
    told = [
        _image(
            name,
            images[name],
            [_rdiff(pair, rdiffs[pair], base_url) for pair in there if pair.target == name],
            base_url,
        )
        for name in series.images
        if name in images
    ]
    return _format({series.name: {"images": told}})


def parse_meta(content: bytes, where: str) -> Meta:
    """Read a meta file; the inverse of ``describe`` as far as it can be checked.

    Raises:
        WrongBytesError: It is none, or names what would not be served.
    """
    try:
        ((series, told),) = json.loads(content).items()
        images: dict[str, Sums] = {}
        rdiffs: dict[str, tuple[Pair, Sums]] = {}
        for image in told["images"]:
            name = str(image_name(image["filename"]))
            images[name] = _sums(image)
            for rdiff in image["diffs"]:
                pair = _pair(rdiff["filename"], name)
                rdiffs[pair.rdiff] = (pair, _sums(rdiff))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise WrongBytesError(
            f"{printable(where)}: it is not what a repository's meta file must be: {printable(why)}",
            hint="images update writes it anew",
        ) from error
    return Meta(series, images, rdiffs)


def without(content: bytes, names: AbstractSet[str]) -> bytes:
    """A meta file that no longer tells of some images and deltas.

    Args:
        content: What ``parse_meta`` takes.
        names: File names.
    """
    ((series, told),) = json.loads(content).items()
    images = [image for image in told["images"] if image["filename"] not in names]
    for image in images:
        image["diffs"] = [rdiff for rdiff in image["diffs"] if rdiff["filename"] not in names]
    return _format({series: {**told, "images": images}})


def _format(said: object) -> bytes:
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()


def _image(
    name: str, image: Described, diffs: list[dict[str, object]], base_url: str
) -> dict[str, object]:
    parts = image_name(name)
    return {
        "diffs": diffs,
        "filename": name,
        "id": parts.id,
        "puavo-conf": image.conf,
        "size": image.sums.size,
        "urls": [f"{base_url}/{name}"],
        "version": parts.version,
        **_digests(image.sums),
    }


def _rdiff(pair: Pair, sums: Sums, base_url: str) -> dict[str, object]:
    return {
        "filename": pair.rdiff,
        "urls": [f"{base_url}/rdiffs/{pair.rdiff}"],
        "version": image_name(pair.source).version,
        "size": sums.size,
        **_digests(sums),
    }


def _digests(sums: Sums) -> dict[str, object]:
    return {"cksum": str(sums.cksum), "sha256": sums.sha256, "sha512": sums.sha512}


def _sums(told: Mapping[str, object]) -> Sums:
    size, cksum, sha256, sha512 = (told[key] for key in ("size", "cksum", "sha256", "sha512"))
    if not isinstance(size, int) or not isinstance(sha256, str) or not isinstance(sha512, str):
        raise TypeError("size, sha256 or sha512")
    return Sums(size, int(str(cksum)), sha256, sha512)


def _pair(rdiff: str, target: str) -> Pair:
    """The pair of a delta: its name tells all of the source."""
    stamp = re.escape(image_name(target).stamp)
    if len(rdiff) > _LONGEST_NAME:
        raise ValueError("the name of a delta is too long")
    found = re.fullmatch(rf"(.+?-\d{{4}}-\d\d-\d\d-\d{{6}})--{stamp}-(.+)\.rdiff", rdiff, re.ASCII)
    if found is None or parse_image(source := f"{found[1]}-{found[2]}.img") is None:
        raise ValueError(f"{rdiff} is no delta that leads to {target}")
    return Pair(source, target)
