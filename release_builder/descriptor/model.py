"""What a user may write: the keys of a descriptor and of a product's profile.

The loader reads the type hints: a field is a key, ``Annotated`` carries the check of its text,
and ``example`` is what a complaint about a missing key shows.
"""

# No "from __future__ import annotations": the hints are needed at run time.
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from release_builder.descriptor import patterns
from release_builder.descriptor.mirror import Mirror
from release_builder.descriptor.publishing import Compose, Place, Places, Publish
from release_builder.descriptor.refreshing import Notify, Retain
from release_builder.descriptor.refusal import RefusedError
from release_builder.descriptor.release import expand_release
from release_builder.descriptor.track import Reached, Track
from release_builder.descriptor.trusting import KeyFiles, Trust
from release_builder.descriptor.version import Stage, Version
from release_builder.digests import Digest
from release_builder.errors import DescriptorError
from release_builder.media.rpm_fit_systems import SYSTEMS, EnterpriseLinux

if TYPE_CHECKING:
    from release_builder.descriptor.release import Release

Arch = Annotated[str, patterns.arch]
Folder = Annotated[str, patterns.folder]
FilePath = Annotated[str, patterns.path]
Image = Annotated[str, patterns.image]
Name = Annotated[str, patterns.name]
ServerUrl = Annotated[str, patterns.server]
WebMirror = Annotated[str, patterns.web_mirror]
Exclude = Annotated[str, patterns.exclude]
Arches = Annotated[tuple[Arch, ...], patterns.some]
Folders = Annotated[tuple[Folder, ...], patterns.some]
WebMirrors = Annotated[tuple[WebMirror, ...], patterns.some]
Seconds = Annotated[int, patterns.between(1, 86_400)]
Count = Annotated[int, patterns.between(0, 2**31 - 1)]
Size = Annotated[int, patterns.between(1, 2**63 - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a label of [Servers] stands for, with a slash at the end."""

    beta: ServerUrl = field(metadata={"example": "http://host/testing/{version}/{arch}/"})
    final: ServerUrl = field(metadata={"example": "http://host/{major}/{arch}/"})

    def of(self, stage: Stage) -> str:
        """The URL for ``stage``."""
        return self.final if stage is Stage.FINAL else self.beta


Servers = Annotated[Mapping[Name, Server], patterns.some]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known of an image beforehand; ``size`` in bytes."""

    md5: Annotated[Digest, patterns.digest("md5")] | None = None
    sha256: Annotated[Digest, patterns.digest("sha256")] | None = None
    size: Size | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """How the tree is fetched; the names are those of rsync's options.

    Attributes:
        delete: Whether what the mirror no longer has is deleted from the tree.
        max_delete: Nothing is deleted where it would be more files than these.
        bwlimit: KiB a second, or with k, m, g; None: as fast as it goes.
        timeout: Seconds without any data after which a mirror counts as gone.
        include: Files and folders (with a slash at the end) to fetch besides.
        exclude: Patterns of files that are not fetched.
        partial: Whether half-fetched files are kept, to go on with.
        delay_updates: Whether new files come into place all together at the end.
    """

    delete: bool = True
    max_delete: Count = 1000
    bwlimit: Annotated[str, patterns.rate] | None = None
    timeout: Seconds = 300
    include: tuple[FilePath, ...] = ()
    exclude: tuple[Exclude, ...] = ()
    partial: bool = True
    delay_updates: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """How web servers are asked for the parts that are not in the tree.

    Attributes:
        connections: Files that are fetched at a time; None: 8 from each server.
        retries: How often a server is asked again after a failure that may pass.
        timeout: Seconds without a byte after which a connection is given up.
        deadline: Seconds that all fetching may take; None: it ends by ``retries`` and ``timeout``.
        limit_rate: Bytes a second, all connections together; None: as fast as it goes.
        ca_bundle: A file of certificates to trust in the place of the usual ones.
        mirrors: Folders that those of a release lie below, with a slash at the end; asked before
            [Servers]. Where there are none: as the profile says.
    """

    connections: Annotated[int, patterns.between(1, 256)] | None = None
    retries: Annotated[int, patterns.between(0, 100)] = 4
    timeout: Seconds = 30
    deadline: Annotated[int, patterns.between(1, 31_536_000)] | None = None
    limit_rate: Annotated[patterns.BytesPerSecond, patterns.speed] | None = None
    ca_bundle: Path | None = None
    mirrors: WebMirrors = ()


def enterprise_linux(text: str) -> EnterpriseLinux:
    """The release of Enterprise Linux that ``text`` names."""
    if text not in SYSTEMS:
        raise RefusedError(f"'{text}' is not known", f"write one of {', '.join(SYSTEMS)}")
    return SYSTEMS[text]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What ``init`` writes for the three keys."""

    version: Annotated[Version, Version.parse] = field(
        default_factory=lambda: Version.parse("1.0beta1")
    )
    arch: Arch = "x86_64"
    mirror: Mirror = field(
        default_factory=lambda: Mirror.parse("rsync://mirror.example.org/module/path/", Path("/"))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the releases of a product have in common.

    Attributes:
        name: What ``{product}`` stands for.
        arches: The arches that there are.
        image: Name of the image.
        tree: Where the packages lie below the mirror.
        jigdo: Where the .jigdo may lie below the mirror, the likeliest first.
        servers: By label, where the parts are published.
        include: Files and folders that are fetched besides.
        mirrors: Web servers that are asked for parts before [Servers].
        title: What people call the product.
        folder: Where a release is published, below the root.
        link: What leads to the newest release there.
        obsolete: Where a release goes that another one replaced.
        el: By major version, the Enterprise Linux that its packages are for.
        trust: Whom to trust, where a descriptor says nothing of it.
        example: For a new descriptor.
    """

    name: Name = field(metadata={"example": "myproduct"})
    arches: Arches = field(metadata={"example": "[x86_64]"})
    image: Image = field(metadata={"example": "myproduct-{version}-{arch}.iso"})
    tree: Folder = field(metadata={"example": "os/{arch}/"})
    jigdo: Folders = field(metadata={"example": "iso/{arch}/"})
    servers: Servers = field(metadata={"example": "{LABEL: {beta: …, final: …}}"})
    include: tuple[FilePath, ...] = ()
    mirrors: tuple[WebMirror, ...] = ()
    title: Annotated[str, patterns.title] | None = None
    folder: Places = field(default_factory=lambda: Places(beta="{version}", final="{version}"))
    link: Places | None = None
    obsolete: Place = "obsolete/{version}"
    el: Mapping[Name, Annotated[EnterpriseLinux, enterprise_linux]] = field(default_factory=dict)
    trust: Trust = field(default_factory=Trust)
    example: Example = field(default_factory=Example)


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A version of a product, for one arch or several; None means: as the profile says.

    Attributes:
        path: The file that it was read from; no key.
        profile: What ``product`` names; no key.
        version: The version; what it begins with while nobody asked where ``track`` leads.
        arch: At least one.
        mirror: Where it is fetched from; until then, where its folder is looked for.
        track: What is followed in the place of one version; None: nothing.
        product: Name of a profile, or path of a profile's file.
        workdir: Where it is built.
        image: Name of the image.
        tree: Where the packages lie below the mirror.
        jigdo: Where the .jigdo may lie below the mirror.
        servers: By label, where the parts are published; all of the profile's are replaced.
        digests: What is known of the image, for one arch or by arch, or a sums file that has it.
        sync: How the tree is fetched.
        fetch: How parts are fetched that the tree has not.
        keys: Short for the same files in ``trust.sums`` and ``trust.packages``.
        trust: Who vouches for a release.
        compose: How an image is made from an installer tree.
        publish: Where a release becomes public; None: nowhere.
        retain: What of older refreshes stays.
        notify: Who is told how a refresh went.
    """

    path: Path
    profile: Profile
    version: Annotated[Version, Version.parse] = field(metadata={"example": "9.0beta3"})
    arch: Arches = field(metadata={"example": "x86_64"})
    mirror: Mirror = field(metadata={"example": "rsync://host/module/path/"})
    track: Annotated[Track, Track.parse] | None = None
    product: str = "smeserver"
    workdir: Annotated[str, patterns.workdir] = "{product}-{arch}"
    image: Image | None = None
    tree: Folder | None = None
    jigdo: Folders | None = None
    servers: Servers | None = None
    digests: Expected | Mapping[Arch, Expected] | Path | None = None
    sync: Sync = field(default_factory=Sync)
    fetch: Fetch = field(default_factory=Fetch)
    keys: KeyFiles = ()
    trust: Trust = field(default_factory=Trust)
    compose: Compose = field(default_factory=Compose)
    publish: Publish | None = None
    retain: Retain = field(default_factory=Retain)
    notify: Notify = field(default_factory=Notify)

    def reaching(self, reached: Reached) -> "Descriptor":
        """The same with the version and the mirror that ``track`` led to."""
        return replace(
            self,
            version=Version.parse(reached.version),
            mirror=Mirror.parse(f"{reached.root}{reached.folder}/", self.path.absolute().parent),
            track=self.track and replace(self.track, reached=reached),
        )

    def releases(self) -> tuple["Release", ...]:
        """One release an arch, in the order of ``arch``.

        Raises:
            DescriptorError: Nobody asked yet where ``track`` leads.
        """
        if self.track and not self.track.reached:
            raise DescriptorError(
                f"{self.path}: `track:` names no version", hint="write `version:` for this"
            )
        return tuple(expand_release(self, arch) for arch in self.arch)
