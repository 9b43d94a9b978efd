"""Names of images and deltas, as the clients of an image repository compute them themselves.

Source: puavo-os, ``.aux/make-rdiffs.rake`` (image names, delta names) and the laptops'
``puavo-install-and-update-ltspimages``, which never looks a delta's name up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# Room that a file system's 255 bytes leave for the stamp which a delta's name has more, and for
# what is put around names while files are made.
MOST_BYTES: Final = 200

_IMAGE: Final = re.compile(
    r"(?P<prefix>.+?)-(?P<stamp>\d{4}-\d\d-\d\d-\d{6})-(?P<rest>.+)\.img", re.A
)
_WRAPPER: Final = re.compile(r"(?P<osname>[^-]+)-os-(?P<klass>[^-]+)-(?P<dist>[^-]+)")


@dataclass(frozen=True, slots=True)
class SeriesName:
    """The fields of a name as Puavo's build makes it: ``OSNAME-os-CLASS-DIST-STAMP-ARCH.img``.

    Attributes:
        osname: What the system calls itself, such as ``puavo``.
        klass: For whom the image is, such as ``amxa``.
        dist: The distribution that it was built from, such as ``buster``.
        arch: What it runs on, such as ``amd64``.
    """

    osname: str
    klass: str
    dist: str
    arch: str

    def __str__(self) -> str:
        return f"{self.osname}-os-{self.klass}-{self.dist}-{self.arch}"


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image's file name, ``PREFIX-STAMP-REST.img``.

    Attributes:
        prefix: All before the first stamp.
        stamp: When it was built, such as ``2022-01-20-173248`` (UTC).
        rest: What stands between the stamp and ``.img``: the arch.
    """

    prefix: str
    stamp: str
    rest: str

    def __str__(self) -> str:
        return f"{self.id}.img"

    @property
    def id(self) -> str:
        """The file name without ``.img``."""
        return f"{self.prefix}-{self.stamp}-{self.rest}"

    @property
    def version(self) -> str:
        """The digits of the stamp."""
        return self.stamp.replace("-", "")

    @property
    def series(self) -> SeriesName | None:
        """The fields of the name, where it has those that Puavo's build gives."""
        fields = _WRAPPER.fullmatch(self.prefix)
        if fields is None or "-" in self.rest:
            return None
        return SeriesName(**fields.groupdict(), arch=self.rest)


def parse_image(name: str) -> ImageName | None:
    """The parts of an image's name; None if it is none that a repository can serve.

    Hidden names are none, nor are such as a line of CKSUMS or a URL cannot carry: with control
    characters, of bytes that are not UTF-8, or too long for a delta to be named after it.
    """
    if name.startswith(".") or "/" in name or not name.isprintable():
        return None
    if len(name.encode()) > MOST_BYTES or (fields := _IMAGE.fullmatch(name)) is None:
        return None
    return ImageName(**fields.groupdict())


def rdiff_name(source: ImageName, target: ImageName) -> str:
    """The name of the delta that makes ``target`` of ``source``.

    It tells only the stamp of the target: two targets of one stamp share a name.
    """
    return f"{source.prefix}-{source.stamp}--{target.stamp}-{source.rest}.rdiff"
