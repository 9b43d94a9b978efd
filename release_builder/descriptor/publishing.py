"""What a user may write of images that are made and published: ``compose:`` and ``publish:``."""

# No "from __future__ import annotations": the hints are needed at run time.
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from release_builder.descriptor import patterns
from release_builder.descriptor.target import Target
from release_builder.descriptor.version import Stage

FilePath = Annotated[str, patterns.tree_path]
Place = Annotated[str, patterns.place]
WebFolder = Annotated[str, patterns.web_mirror]


class Medium(StrEnum):
    """What an image must fit on."""

    CD = "cd"
    DVD = "dvd"
    DUAL_LAYER_DVD = "dvd-dl"
    ANY = "any"

    @property
    def size(self) -> int | None:
        """Bytes that fit on it; None for any number (ECMA-130, ECMA-267)."""
        return _SIZES[self]


_SIZES = {
    Medium.CD: 360_000 * 2048,  # 80 minutes
    Medium.DVD: 2_295_104 * 2048,
    Medium.DUAL_LAYER_DVD: 4_173_824 * 2048,
    Medium.ANY: None,
}


class SumsStyle(StrEnum):
    """How the lines of sums files look: ``DIGEST  NAME``, or ``SHA256 (NAME) = DIGEST``."""

    GNU = "gnu"
    BSD = "bsd"


class Preflight(StrEnum):
    """How far it is tried, before a release is public, whether a stranger can rebuild it."""

    URLS = "urls"  # each part is asked for where the .jigdo says that it is
    REBUILD = "rebuild"  # and the image is rebuilt with nothing local
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compose:
    """How an image is made from an installer tree; the files are below the tree.

    Attributes:
        volume_id: Of the image; at most 32 characters.
        boot: What a BIOS starts from a CD.
        catalog: Where the image lists what it can start from.
        efi: What UEFI starts; used where it is there.
        medium: What the image must fit on.
        exclude: Patterns of files that stay out: of names anywhere, or with a slash of paths below
            the tree.
    """

    volume_id: Annotated[str, patterns.volume_id] = "{product}-{version}-{arch}"
    boot: FilePath = "isolinux/isolinux.bin"
    catalog: FilePath = "isolinux/boot.cat"
    efi: FilePath = "images/efiboot.img"
    medium: Annotated[Medium, patterns.one_of(Medium)] = Medium.DVD
    exclude: tuple[Annotated[str, patterns.exclude], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where something lies below the root, while it is a beta and when it is final."""

    beta: Place = field(metadata={"example": "testing/{version}"})
    final: Place = field(metadata={"example": "{version}"})

    def of(self, stage: Stage) -> str:
        """The place at ``stage``."""
        return self.final if stage is Stage.FINAL else self.beta


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Where a release becomes public, and how; None means: as the profile says.

    Attributes:
        root: The folder that all releases lie below.
        url: The same folder on the web, with a slash at the end.
        mirrors: Copies of it on the web, each with a slash at the end.
        folder: Where a release lies below it.
        link: What leads to the newest release there.
        obsolete: Where a release goes that another one replaced.
        title: What people call the product.
        key: Fingerprint or name of the secret key that signs; None: nothing is signed.
        keep: How many replaced generations of a release stay, to go back to.
        sums: How lines of sums files look.
        preflight: What is tried before a release is public.
        links: Whether the folder of a release is a link to its newest generation, so that it is
            replaced in one go; without links it is away for a moment.
        ssh: The command that reaches the host of ``root``.
    """

    root: Target = field(metadata={"example": "/srv/www/releases"})
    url: WebFolder | None = None
    mirrors: tuple[WebFolder, ...] = ()
    folder: Places | None = None
    link: Places | None = None
    obsolete: Place | None = None
    title: Annotated[str, patterns.title] | None = None
    key: Annotated[str, patterns.key] | None = None
    keep: Annotated[int, patterns.between(0, 1000)] = 2
    sums: Annotated[SumsStyle, patterns.one_of(SumsStyle)] = SumsStyle.GNU
    preflight: Annotated[Preflight, patterns.one_of(Preflight)] = Preflight.URLS
    links: bool = True
    ssh: Annotated[str, patterns.command] = "ssh"
