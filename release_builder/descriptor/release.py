"""A release: one version on one arch, with everything that a descriptor says spelt out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder.descriptor.mirror import Kind, Mirror
from release_builder.descriptor.patterns import expand
from release_builder.descriptor.publication import expand_publication
from release_builder.descriptor.trusting import Trust
from release_builder.descriptor.version import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_builder.descriptor.model import Descriptor, Expected, Fetch, Server, Sync
    from release_builder.descriptor.publication import Publication
    from release_builder.descriptor.publishing import Compose
    from release_builder.descriptor.refreshing import Notify, Retain
    from release_builder.descriptor.track import Track
    from release_builder.descriptor.version import Version
    from release_builder.digests import Digest
    from release_builder.media.rpm_fit_systems import EnterpriseLinux

_SETTINGS: Final = "/etc"
_IMAGES: Final = Path("/var/lib/release-builder/images")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is built.

    Attributes:
        descriptor: The file that asked for it.
        product: Name of the product.
        version: Its version.
        arch: Its arch.
        mirror: Where it is fetched from.
        workdir: Where it is built; absolute.
        image: Plain name of the image, ending in .iso.
        tree: Where the packages lie below the mirror, ending in a slash.
        jigdo: Where the .jigdo may lie below the mirror, each ending in a slash.
        servers: By label, where the parts are published.
        digests: What the image must have.
        size: Bytes that the image must have, where known.
        sums: The sums file that has the image's digest, where there is one; absolute.
        wanted: What sync fetches, relative to the mirror; folders end in a slash.
        sync: How it fetches.
        fetch: How parts are fetched that the tree has not.
        trust: Who vouches for it; the files of keys are absolute.
        compose: How an image is made from the tree.
        publish: Where it becomes public; None: nowhere.
        retain: What of older refreshes stays.
        notify: Who is told how a refresh went.
        track: What led to this version; None where the descriptor names it.
    """

    descriptor: Path
    product: str
    version: Version
    arch: str
    mirror: Mirror
    workdir: Path
    image: str
    tree: str
    jigdo: tuple[str, ...]
    servers: Mapping[str, Server]
    digests: tuple[Digest, ...]
    size: int | None
    sums: Path | None
    wanted: tuple[str, ...]
    sync: Sync
    fetch: Fetch
    trust: Trust
    compose: Compose
    publish: Publication | None
    retain: Retain
    notify: Notify
    el: EnterpriseLinux | None
    track: Track | None = None

    def server_urls(self, stage: Stage) -> dict[str, str]:
        """By label, the URL that [Servers] must have at ``stage``."""
        return {label: server.of(stage) for label, server in self.servers.items()}

    def part_servers(self, stage: Stage) -> dict[str, tuple[str, ...]]:
        """By label, further URLs for its parts; to be asked before that of [Servers].

        They are those of ``fetch.mirrors``, and the mirror itself where it is on the web and
        [Servers] has another URL at ``stage``.
        """
        further = tuple(url + self.tree for url in self.fetch.mirrors)
        own = self.mirror.url + self.tree
        also = (own,) if self.mirror.kind is Kind.HTTP and own not in further else ()
        return {
            label: further + (() if url == own else also)
            for label, url in self.server_urls(stage).items()
        }


def expand_release(descriptor: Descriptor, arch: str) -> Release:
    """The release that ``descriptor`` describes for ``arch``.

    Raises:
        RefusedError: A pattern has an unknown placeholder.
    """
    profile, version = descriptor.profile, descriptor.version
    values = {
        "version": version.text,
        "major": str(version.major),
        "arch": arch,
        "product": profile.name,
    }

    def expand_all(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(expand(text, values) for text in texts))

    image = expand(descriptor.image or profile.image, values)
    tree = expand(descriptor.tree or profile.tree, values)
    jigdo = expand_all(descriptor.jigdo or profile.jigdo)
    sync = replace(
        descriptor.sync,
        include=expand_all((*profile.include, *descriptor.sync.include)),
        exclude=expand_all(descriptor.sync.exclude),
    )
    workdir = Path(expand(descriptor.workdir, values)).expanduser()
    expected = _expected(descriptor, arch)
    known = (expected.md5, expected.sha256) if expected else ()
    return Release(
        descriptor=descriptor.path,
        product=profile.name,
        version=version,
        arch=arch,
        mirror=descriptor.mirror,
        workdir=_base(descriptor.path) / workdir,
        image=image,
        tree=tree,
        jigdo=jigdo,
        servers=_servers(descriptor, tree, values),
        digests=tuple(digest for digest in known if digest),
        size=expected.size if expected else None,
        sums=descriptor.digests if isinstance(descriptor.digests, Path) else None,
        wanted=tuple(dict.fromkeys((*jigdo, tree, *sync.include))),
        sync=sync,
        fetch=replace(descriptor.fetch, mirrors=_mirrors(descriptor, values)),
        trust=trust_of(descriptor),
        compose=_compose(descriptor.compose, values),
        publish=expand_publication(descriptor, values),
        retain=descriptor.retain,
        notify=descriptor.notify,
        el=profile.el.get(str(version.major)),
        track=descriptor.track,
    )


def trust_of(descriptor: Descriptor) -> Trust:
    """Whom ``descriptor`` trusts; where it says nothing of that, its profile does."""
    short = Trust(sums=descriptor.keys, packages=descriptor.keys)
    return descriptor.trust.over(short).over(descriptor.profile.trust)


def _base(descriptor: Path) -> Path:
    """What a relative ``workdir:`` is below; releases of a scheduled folder share none."""
    path = descriptor.absolute()
    if Path(os.path.normpath(path)).is_relative_to(_SETTINGS):
        return _IMAGES / path.stem  # /etc is for settings, and read-only to systemd's units
    return path.parent


def _compose(compose: Compose, values: Mapping[str, str]) -> Compose:
    return replace(
        compose,
        volume_id=expand(compose.volume_id, values),
        boot=expand(compose.boot, values),
        catalog=expand(compose.catalog, values),
        efi=expand(compose.efi, values),
        exclude=tuple(expand(each, values) for each in compose.exclude),
    )


def _servers(descriptor: Descriptor, tree: str, values: Mapping[str, str]) -> dict[str, Server]:
    servers = {
        label: replace(server, beta=expand(server.beta, values), final=expand(server.final, values))
        for label, server in (descriptor.servers or descriptor.profile.servers).items()
    }
    publish = expand_publication(descriptor, values)
    if publish and publish.url and not descriptor.servers:
        places = {stage: _named_place(descriptor, publish, stage) for stage in Stage}
        here = {stage.value: f"{publish.url}{place}/{tree}" for stage, place in places.items()}
        return {label: replace(server, **here) for label, server in servers.items()}
    if descriptor.servers or descriptor.mirror.kind is not Kind.HTTP:
        return servers
    # What is fetched over the web is published there too, at its own stage: a beta's mirror says
    # nothing about where the final will lie.
    here = {descriptor.version.stage.value: descriptor.mirror.url + tree}
    return {label: replace(server, **here) for label, server in servers.items()}


def _named_place(descriptor: Descriptor, publish: Publication, stage: Stage) -> str:
    """What [Servers] name at ``stage``: the release's folder, or the link that leads there.

    A profile's own servers tell which: SME's name the version of a beta, the major of a final.
    """
    patterns = (server.of(stage) for server in descriptor.profile.servers.values())
    by_folder = any("{version}" in pattern for pattern in patterns)
    link = publish.link_at(stage) if publish.links else None
    return link if link and not by_folder else publish.folder_at(stage)


def _mirrors(descriptor: Descriptor, values: Mapping[str, str]) -> tuple[str, ...]:
    folder = descriptor.path.absolute().parent
    urls = descriptor.fetch.mirrors or descriptor.profile.mirrors
    return tuple(dict.fromkeys(Mirror.parse(expand(url, values), folder).url for url in urls))


def _expected(descriptor: Descriptor, arch: str) -> Expected | None:
    digests = descriptor.digests
    if digests is None or isinstance(digests, Path):
        return None
    return digests.get(arch) if isinstance(digests, Mapping) else digests
