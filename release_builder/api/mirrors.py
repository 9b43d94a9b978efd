"""The mirrors of a release, measured and ranked."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urljoin

from release_builder.api.releases import plans
from release_builder.errors import (
    DescriptorError,
    ReleaseBuilderError,
    WrongBytesError,
    printable,
)
from release_builder.files import check_leaf, open_regular
from release_builder.jigdo.location import parse_jigdo, read_jigdo
from release_builder.jigdo.part_urls import encoded_url
from release_builder.jigdo.servers import rewrite_servers
from release_builder.jigdo.template import read_template
from release_builder.monitor import Monitor
from release_builder.plan import Options
from release_builder.state.digest_cache import no_cache
from release_builder.steps.find_pair import find_pair
from release_builder.steps.release_servers import http_options
from release_builder.transport.http import HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.probe import SAMPLE, ProbedMirror, ProbeTarget, best, probe
from release_builder.transport.http.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from release_builder.descriptor.version import Stage
    from release_builder.digests import Digest
    from release_builder.jigdo.location import JigdoFile
    from release_builder.plan import Plan

__all__ = ["ProbeOptions", "ProbedMirror", "best", "probe_mirrors"]

_WEB: Final = ("http://", "https://")
# Labels of servers that have files under their digests.
_BY_DIGEST: Final = {"md5": "MD5Sum", "sha256": "SHA256Sum"}
_IN_PATH: Final = "!$&'()*+,;=:@/"  # beside letters, digits, and -._~ (RFC 3986, 3.3)


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """How mirrors are measured.

    Attributes:
        connections: How many mirrors are asked at a time; they share this machine's line.
        timeout: Seconds without a byte after which a connection is given up.
        deadline: Seconds that all of it may take; None for no end of its own: every mirror still
            ends by ``timeout``.
        ca_bundle: Certificates to trust in the place of the usual ones; None: what a descriptor
            says.
        marker: A file whose date tells how fresh a mirror is, relative to the URL of a label, or
            to that of its host if it begins with a slash; empty: the file that is measured.
        mirror: For a descriptor in the place of its own; for a .jigdo one more, for every label.
        stage: Where the tree lies on http; None: by the version. Only for a descriptor.
        reach: Knows which servers may be asked for a .jigdo's sake; None: all that it names.
    """

    connections: int = 4
    timeout: float = 10.0
    deadline: float | None = None
    ca_bundle: Path | None = None
    marker: str = ""
    mirror: str | None = None
    stage: Stage | None = None
    reach: Reach | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the files of a label are: what must be known to name targets.

    Attributes:
        label: For reports.
        urls: Folders; what is not on the web is asked in vain, and so reported.
        part: A file below each, as [Parts] names it; empty if none is known.
        length: Its bytes, where known.
        tree: What of each URL follows the mirror; empty if that is not known.
    """

    label: str
    urls: tuple[str, ...]
    part: str = ""
    length: int | None = None
    tree: str = ""

    def targets(self, marker: str) -> Iterator[ProbeTarget]:
        """What each server is asked for."""
        for url in dict.fromkeys(map(_encoded, self.urls)):
            dated = urljoin(url, encoded_url(marker)) if marker else ""
            file = url + quote(_bytes(self.part), _IN_PATH) if self.part else dated or url
            known = self.tree and url.endswith(f"/{self.tree}")
            yield ProbeTarget(
                self.label,
                url,
                file,
                self.length,
                "" if dated == file else dated,
                url.removesuffix(self.tree) if known else "",
            )


def probe_mirrors(
    source: Path, options: ProbeOptions | None = None, *, monitor: Monitor | None = None
) -> tuple[ProbedMirror, ...]:
    """Measure the mirrors of a release: the web servers that its parts may be fetched from.

    They are asked for a part of about 1 MiB, as far as a .jigdo and a template are at hand (of a
    descriptor: in the tree that was synced), else for the marker or for their folder.

    Args:
        source: A descriptor, or a file whose name says that it is a .jigdo.
        options: How.
        monitor: Hears of each mirror.

    Returns:
        The best first: usable, then fresh, then by what 10 MB would take.

    Raises:
        DescriptorError: The descriptor or an option cannot be meant; it names no web server.
        WrongBytesError: The .jigdo cannot be read.
        SurroundingsError: The file of certificates cannot be read.
        OSError: The .jigdo is not there.
    """
    options, monitor = options or ProbeOptions(), monitor or Monitor()
    if "://" in options.marker or options.marker.startswith("//"):
        raise DescriptorError(
            f"{printable(options.marker)} is no path on a mirror",
            hint="write what follows the URL of the label, or begins with a slash",
        )
    ca_bundle, reach = options.ca_bundle, options.reach
    if ".jigdo" in source.suffixes:
        places = _of_jigdo(source, options.mirror)
    else:
        planned = plans([source], Options(stage=options.stage), (), options.mirror)
        places = [place for plan in planned for place in _of_plan(plan, several=len(planned) > 1)]
        ca_bundle = ca_bundle or planned[0].release.fetch.ca_bundle
        asked = [http_options(plan.release) for plan in planned]
        reach = Reach((url for each in asked for url in each.named), asked[0].origin)
    targets = [target for place in places for target in place.targets(options.marker)]
    if not any(target.url.lower().startswith(_WEB) for target in targets):
        raise DescriptorError(
            f"{printable(str(source))} names no web server", hint="name one with --mirror"
        )
    http = HttpOptions(
        connections=options.connections,
        retries=0,
        timeout=options.timeout,
        deadline=options.deadline,
        ca_bundle=ca_bundle,
    )
    monitor.begin(f"probe {len(targets):,} mirrors")
    try:
        with HttpClient(http, os.environ, reach=reach) as client:
            return probe(
                client,
                targets,
                connections=options.connections,
                on_probed=lambda each: monitor.detail(f"{each.url}: {each.answer.value}"),
            )
    finally:
        monitor.end()


def _of_jigdo(path: Path, mirror: str | None) -> list[_Place]:
    if mirror is not None and not mirror.lower().startswith(_WEB):
        raise DescriptorError(
            f"--mirror: {printable(mirror)} is on no web server", hint="write http://host/path/"
        )
    jigdo = read_jigdo(path)
    first = (f"{mirror.rstrip('/')}/",) if mirror is not None else ()
    further = {server.label: first for server in jigdo.servers}
    return _places(jigdo, _lengths_beside(path, jigdo), further)


def _of_plan(plan: Plan, *, several: bool) -> list[_Place]:
    """Of one release; by the names of its parts, if it was synced before."""
    release, stage = plan.release, plan.stage
    servers, further = release.server_urls(stage), release.part_servers(stage)
    try:
        pair = find_pair(plan.workdir.tree, release, no_cache())
        content = rewrite_servers(pair.content, servers, pair.jigdo.name).content
        jigdo = parse_jigdo(content, pair.jigdo.name)
        places = _places(jigdo, _lengths(pair.template_path), further, release.tree)
    except (ReleaseBuilderError, OSError):  # it would only have named a better file
        places = []
    if not places:
        places = [
            _Place(label, (*further[label], url), tree=release.tree)
            for label, url in servers.items()
        ]
    if not several:
        return places
    return [
        _Place(f"{each.label} ({release.arch})", each.urls, each.part, each.length, each.tree)
        for each in places
    ]


def _places(
    jigdo: JigdoFile,
    lengths: Mapping[Digest, int],
    further: Mapping[str, Sequence[str]],
    tree: str = "",
) -> list[_Place]:
    """Where each label of [Servers] leads to, but for those that are there for others only."""
    named = _parts_of_labels(jigdo)
    labels = list(dict.fromkeys(server.label for server in jigdo.servers))
    helpers = {server.url.partition(":")[0] for server in jigdo.servers} - named.keys()
    places = []
    for label in labels:
        if label not in helpers:
            part, length = _medium(named.get(label, []), lengths)
            urls = (*further.get(label, ()), *jigdo.urls(f"{label}:"))
            places.append(_Place(label, urls, part, length, tree))
    return places


def _parts_of_labels(jigdo: JigdoFile) -> dict[str, list[tuple[str, Digest]]]:
    """By label, the names of its parts; those that lead out of its folder are left out."""
    known = {server.label for server in jigdo.servers}
    found: dict[str, list[tuple[str, Digest]]] = defaultdict(list)
    for digest, locations in jigdo.parts.items():
        by_digest = f"{_BY_DIGEST.get(digest.algorithm, '')}:{digest.jigdo}"
        for location in (*locations, by_digest):
            label, _, name = location.partition(":")
            if label in known and name.strip("/") and ".." not in name.split("/"):
                found[label].append((name, digest))
    return found


def _medium(
    parts: Sequence[tuple[str, Digest]], lengths: Mapping[Digest, int]
) -> tuple[str, int | None]:
    """The part to measure with, and its length: the smallest that is a whole sample."""
    if not parts:
        return "", None
    sized = sorted((lengths[digest], name) for name, digest in parts if digest in lengths)
    if not sized:
        return sorted(parts)[len(parts) // 2][0], None
    length, name = next((each for each in sized if each[0] >= SAMPLE), sized[-1])
    return name, length


def _lengths_beside(path: Path, jigdo: JigdoFile) -> dict[Digest, int]:
    """What the template of the .jigdo at ``path`` tells, if it lies there."""
    try:
        leaf = jigdo.image.template_leaf if jigdo.image.template else f"{path.stem}.template"
        return _lengths(path.parent / check_leaf(leaf))
    except (ReleaseBuilderError, OSError):  # it would only have named a better file
        return {}


def _lengths(template: Path) -> dict[Digest, int]:
    with open_regular(template) as stream:
        parts = read_template(stream, printable(template.name)).description.parts
    return {part.digest: part.length for part in parts}


def _encoded(url: str) -> str:
    try:
        return encoded_url(url)
    except WrongBytesError:  # asking it will tell what is wrong
        return url


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
