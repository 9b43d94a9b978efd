"""Images from the web: the .jigdo, its template, and the parts that are not at hand."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from release_builder.api.filled_image import Filling, filled_image
from release_builder.api.mirrors import ProbeOptions, best, probe_mirrors
from release_builder.api.unfinished_image import begun, end, found_runs
from release_builder.errors import Status, printable
from release_builder.files import check_leaf, open_regular, sync_folder
from release_builder.jigdo.extract import extract_parts
from release_builder.jigdo.sources import digest_of_file
from release_builder.jigdo.template import read_template
from release_builder.jigdo.tree_source import TreeSource
from release_builder.monitor import Monitor
from release_builder.state.digest_cache import no_cache
from release_builder.steps.image_file import move_aside
from release_builder.steps.part_servers import MissingPart, PartServers
from release_builder.steps.scan_places import scan_places
from release_builder.steps.web_pair import fetched_pair
from release_builder.transport.http import HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.fetcher import ServerFetcher

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.image_result import Image, WrongPart
    from release_builder.jigdo.sources import DigestCache, PartSource
    from release_builder.jigdo.template import Template
    from release_builder.steps.scan_places import ScanPlaces
    from release_builder.steps.web_pair import FetchedPair


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """What there is beside the .jigdo.

    Attributes:
        scan: Folders, files and images in which parts may be found.
        offline: Ask no server.
        servers: Label and URL: more servers, asked before those of [Servers]; an empty label is
            any of them.
        http: How servers are asked.
        keep_parts: A folder that gets every part as a file too.
        best: Measure the servers of each label first, and ask the best ones, so many, before all
            others; None to learn that on the way.
    """

    scan: tuple[Path, ...] = ()
    offline: bool = False
    servers: tuple[tuple[str, str], ...] = ()
    http: HttpOptions = field(default_factory=HttpOptions)
    keep_parts: Path | None = None
    best: int | None = None


@dataclass(frozen=True, slots=True)
class FetchedImage:
    """What came of fetching an image.

    Attributes:
        image: Its name, or that which it will have.
        complete: Whether it stands there, its digest verified.
        was_there: Whether it stood there before.
        digest: What the template demands.
        length: Bytes of the image.
        found: How many runs of it are parts that are in their place.
        wanted: How many runs of it are parts.
        missing: Parts that are not to be had, in image order.
        wrong: What was not what it seemed, at hand.
        moved: Where that went which stood in the way; None if nothing did.
        bytes_fetched: Of parts that came from servers.
        notes: What the user should know, one sentence each.
    """

    image: Path
    complete: bool
    was_there: bool
    digest: Digest
    length: int
    found: int
    wanted: int
    missing: tuple[MissingPart, ...] = ()
    wrong: tuple[WrongPart, ...] = ()
    moved: Path | None = None
    bytes_fetched: int = 0
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Exit status of a run that fetches just this."""
        if any(each.is_wrong for each in self.missing):
            return Status.WRONG
        return Status.INCOMPLETE if self.missing else Status.DONE


def fetch_image(
    jigdo: str,
    folder: Path,
    options: FetchOptions,
    *,
    cache: DigestCache | None = None,
    monitor: Monitor | None = None,
) -> FetchedImage:
    """Rebuild the image of a .jigdo from what is at hand and what its servers have.

    What is incomplete is ``IMAGE.tmp``, as jigdo-file's; the same call goes on with it.

    Args:
        jigdo: URL or path of the .jigdo.
        folder: Where the image goes, and the pair if it comes from the web; made where missing.
        options: Where to look and how.
        cache: Digests known from before; without it files are read.
        monitor: Hears how far it is.

    Raises:
        IncompleteError: The .jigdo or its template is not to be had.
        WrongBytesError: One of them, or the image that they make, is not what it should be.
        DescriptorError: An option, or ``jigdo`` itself, cannot be meant.
        BusyError: Another process makes the image.
        SurroundingsError: There is no room; a file cannot be written.
        OSError: A file cannot be read.
    """
    cache, monitor = cache or no_cache(), monitor or Monitor()
    folder.mkdir(parents=True, exist_ok=True)
    client = None if options.offline else HttpClient(options.http, os.environ)
    pair = fetched_pair(jigdo, folder, client, options.http, cache)
    with open_regular(pair.template) as stream:
        template = read_template(stream, str(pair.template))
        filename = pair.jigdo.image.filename or pair.template.stem
        image = folder / check_leaf(filename)
        fetch = _Fetch(pair, template, image, options, cache, monitor)
        return fetch.run(client)


class _Fetch:
    """One image on its way."""

    def __init__(  # noqa: PLR0913, PLR0917 (what an image needs)
        self,
        pair: FetchedPair,
        template: Template,
        image: Path,
        options: FetchOptions,
        cache: DigestCache,
        monitor: Monitor,
    ) -> None:
        self._pair = pair
        self._template = template
        self._description = template.description
        self._image = image
        self._options = options
        self._cache = cache
        self._monitor = monitor
        self._first: dict[str, list[str]] = {}
        labels = dict.fromkeys(server.label for server in pair.jigdo.servers)
        for label, url in options.servers:
            for each in [label] if label else labels:
                self._first.setdefault(each, []).append(url)
        if options.best and not options.offline:
            for label, urls in _best_servers(pair.path, options, monitor).items():
                self._first.setdefault(label, []).extend(urls)

    def run(self, client: HttpClient | None) -> FetchedImage:
        """See fetch_image."""
        if self._is_there():
            return self._result(None, was_there=True)
        moved = None
        if os.path.lexists(self._image):
            moved = move_aside(self._image, self._image.parent / "aside")
        servers = self._servers(client)
        places = scan_places([*self._options.scan, *([moved] if moved else [])])
        unfinished = self._image.with_name(f"{self._image.name}.tmp")
        with begun(unfinished, self._description, force=False) as (out, trusted):
            filling = Filling(self._sources(places), servers)
            self._monitor.begin(
                f"fetch {printable(self._image.name)}", self._description.image.length
            )
            try:
                image = filled_image(self._template, out, filling, trusted, self._monitor)
            finally:
                self._monitor.end()
            end(out, self._description, image.missing)
            if self._options.keep_parts:
                missing = {part.digest for part in image.missing}
                kept = self._options.keep_parts
                extract_parts(out, self._description, self._pair.jigdo, missing, kept)
            if not image.missing:
                unfinished.replace(self._image)
                sync_folder(self._image.parent)
                self._cache.put(os.fstat(out.fileno()), self._description.image.digest)
        for each in servers.statistics:
            self._monitor.detail(str(each))
        result = self._result(image, moved=moved)
        return replace(
            result,
            missing=tuple(servers.missing(part) for part in image.missing),
            notes=(*result.notes, *places.notes, *servers.dropped),
        )

    def _is_there(self) -> bool:
        """Whether the image stands there, and is right."""
        wanted, path = self._description.image, self._image
        if path.is_symlink() or not path.is_file() or path.stat().st_size != wanted.length:
            return False
        return digest_of_file(str(path), wanted.digest.algorithm, self._cache) == wanted.digest

    def _servers(self, client: HttpClient | None) -> PartServers:
        http = self._options.http
        make_fetcher = partial(ServerFetcher, client, http) if client else None
        return PartServers(self._pair.jigdo, self._first, http.connections, make_fetcher)

    def _sources(self, places: ScanPlaces) -> list[PartSource]:
        """What is at hand: the folders given, then the images in them, and what was in the way."""
        tree = TreeSource(
            self._pair.jigdo.parts,
            self._options.scan,
            places.files,
            (part.length for part in self._description.parts),
            self._description.image.sum_length,
            self._cache,
        )
        return [tree, *places.sources(self._description)]

    def _result(
        self,
        image: Image | None,
        *,
        was_there: bool = False,
        moved: Path | None = None,
    ) -> FetchedImage:
        parts = image.missing if image else ()
        return FetchedImage(
            image=self._image,
            complete=not parts,
            was_there=was_there,
            digest=self._description.image.digest,
            length=self._description.image.length,
            found=len(found_runs(self._description, parts)),
            wanted=len(found_runs(self._description, ())),
            wrong=image.wrong if image else (),
            moved=moved,
            bytes_fetched=image.bytes_fetched if image else 0,
            notes=self._pair.notes,
        )


def _best_servers(jigdo: Path, options: FetchOptions, monitor: Monitor) -> dict[str, list[str]]:
    """By label, the servers to be asked first."""
    http = options.http
    measured = ProbeOptions(timeout=http.timeout, deadline=http.deadline, ca_bundle=http.ca_bundle)
    probed = probe_mirrors(jigdo, measured, monitor=monitor)
    labels = dict.fromkeys(each.label for each in probed)
    return {
        label: [each.url for each in best(probed, label, options.best or 0)] for label in labels
    }
