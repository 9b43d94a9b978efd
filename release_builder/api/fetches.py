"""Images from the web: the .jigdo, its template, and the parts that are not at hand."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from release_builder.api.fetched_image import FetchedImage
from release_builder.api.filled_image import Filling, filled_image
from release_builder.api.mirrors import ProbeOptions, best, probe_mirrors
from release_builder.api.unfinished_image import (
    ForeignImageError,
    begun,
    end,
    found_runs,
    put_in_place,
)
from release_builder.errors import DescriptorError, WrongBytesError, printable
from release_builder.files import check_leaf, open_regular
from release_builder.jigdo.extract import extract_parts
from release_builder.jigdo.sources import digest_of_file
from release_builder.jigdo.syntax import JigdoError
from release_builder.jigdo.template import read_template
from release_builder.jigdo.tree_source import TreeSource
from release_builder.monitor import Monitor
from release_builder.state.digest_cache import no_cache
from release_builder.steps.image_file import move_aside
from release_builder.steps.part_servers import PartServers
from release_builder.steps.scan_places import scan_places
from release_builder.steps.web_jigdo import check_unchanged, is_web
from release_builder.steps.web_pair import fetched_pair
from release_builder.transport.http import Answer
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.fetcher import ServerFetcher
from release_builder.transport.http.reach import STRANGER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from release_builder.api.fetched_image import FetchOptions
    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.image_result import Image
    from release_builder.jigdo.sources import DigestCache, PartSource
    from release_builder.jigdo.template import Template
    from release_builder.steps.scan_places import ScanPlaces
    from release_builder.steps.web_pair import FetchedPair
    from release_builder.transport.http import HttpOptions

_REPLACED: Final = {Answer.NOT_FOUND, Answer.WRONG_LENGTH, Answer.WRONG_BYTES}


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
        IncompleteError: The .jigdo or its template is not to be had, or another was published
            while parts were fetched, and some are gone.
        WrongBytesError: One of them, or the image that they make, is not what it should be.
        DescriptorError: An option, or ``jigdo`` itself, cannot be meant.
        BusyError: Another process makes the image.
        SurroundingsError: There is no room; a file cannot be written.
        OSError: A file cannot be read.
    """
    cache, monitor = cache or no_cache(), monitor or Monitor()
    folder.mkdir(parents=True, exist_ok=True)
    if is_web(jigdo):
        named = (jigdo, *(url for _, url in options.servers))
        options = replace(options, http=replace(options.http, named=named, origin=STRANGER))
    client = None if options.offline else HttpClient(options.http, os.environ)
    aside, number = folder / "aside", options.image
    choose = (lambda _content, _name: number) if number else None
    pair = fetched_pair(jigdo, folder, client, options.http, cache, aside=aside, choose=choose)
    with open_regular(pair.template) as stream:
        template = read_template(stream, str(pair.template))
        filename = pair.jigdo.image.filename or pair.template.stem
        image = folder / _leaf(filename, pair.jigdo.name)
        made = _Fetch(pair, template, image, options, cache, monitor).run(client)
    if client and is_web(jigdo) and _looks_replaced(made):
        check_unchanged(jigdo, pair.digest, client)
    return made


def _leaf(filename: str, name: str) -> str:
    try:
        return check_leaf(filename)
    except WrongBytesError as error:
        raise JigdoError(f"{name}: [Image] Filename: {error.what}") from error


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
        self._unfinished = image.with_name(f"{image.name}.tmp")
        self._aside = image.parent / "aside"
        self._options = options
        self._cache = cache
        self._monitor = monitor
        self._first: dict[str, list[str]] = {}
        labels = dict.fromkeys(server.label for server in pair.jigdo.servers)
        named = (each.partition(":") for places in pair.jigdo.parts.values() for each in places)
        labels |= dict.fromkeys(
            label for label, _, path in named if path and not path.startswith("//")
        )
        for label, url in options.servers:
            if label and label not in labels:
                raise DescriptorError(
                    f"{pair.jigdo.name} has no label {printable(label)}",
                    hint=f"its labels are {', '.join(map(printable, labels))}" if labels else "",
                )
            for each in [label] if label else labels:
                self._first.setdefault(each, []).append(url)

    def run(self, client: HttpClient | None) -> FetchedImage:
        """See fetch_image."""
        if self._is_there():
            self._keep_parts(self._image, ())
            return self._result(None, was_there=True)
        moved = self._move_aside(self._image) if os.path.lexists(self._image) else None
        servers = self._servers(client)
        # What was moved aside, now or by a run that was stopped, is most likely the last release.
        places = scan_places([*self._options.scan, *self._old_ones()])
        filling = Filling(self._sources(places), servers)
        try:
            image = self._made(filling)
        except ForeignImageError:
            moved = self._move_aside(self._unfinished)
            image = self._made(filling)
        self._keep_parts(self._unfinished if image.missing else self._image, image.missing)
        for each in servers.statistics:
            self._monitor.detail(str(each))
        result = self._result(image, moved=moved)
        return replace(
            result,
            missing=tuple(servers.missing(part) for part in image.missing),
            bytes_fetched=sum(each.received for each in servers.statistics),
            notes=(
                *result.notes,
                *(client.notes if client else ()),
                *places.notes,
                *servers.dropped,
            ),
        )

    def _made(self, filling: Filling) -> Image:
        """Go on with the unfinished image, and give it its name if it is whole."""
        length = self._description.image.length
        with begun(self._unfinished, self._description, force=False) as (out, trusted):
            self._monitor.begin(f"fetch {printable(self._image.name)}", length)
            try:
                image = filled_image(self._template, out, filling, trusted, self._monitor)
            finally:
                self._monitor.end()
            end(out, self._description, image.missing)
            if not image.missing:
                put_in_place(out, self._unfinished, self._image, self._description.image.digest)
                self._cache.put(os.fstat(out.fileno()), self._description.image.digest)
        return image

    def _move_aside(self, path: Path) -> Path:
        return move_aside(path, self._aside)

    def _old_ones(self) -> list[Path]:
        if not self._aside.is_dir():
            return []
        return sorted(
            each for each in self._aside.iterdir() if each.name.startswith(self._image.name)
        )

    def _keep_parts(self, image: Path, missing: Iterable[MatchedFile]) -> None:
        """Keep what ``image`` has as files too, if that is wanted."""
        if self._options.keep_parts:
            absent = {part.digest for part in missing}
            with open_regular(image) as stream:
                folder = self._options.keep_parts
                extract_parts(stream, self._description, self._pair.jigdo, absent, folder)

    def _is_there(self) -> bool:
        """Whether the image stands there, and is right."""
        wanted, path = self._description.image, self._image
        if path.is_symlink() or not path.is_file() or path.stat().st_size != wanted.length:
            return False
        return digest_of_file(str(path), wanted.digest.algorithm, self._cache) == wanted.digest

    def _servers(self, client: HttpClient | None) -> PartServers:
        http, jigdo, first = self._options.http, self._pair.jigdo, self._first
        if not client:
            return PartServers(jigdo, first, http.connections, None)
        if self._options.best:
            for label, urls in self._best_servers(client, self._options.best).items():
                first.setdefault(label, []).extend(urls)
        return PartServers(
            jigdo, first, http.connections, lambda: ServerFetcher(client, _left(http, client))
        )

    def _best_servers(self, client: HttpClient, count: int) -> dict[str, list[str]]:
        """By label, the ``count`` servers to be asked first."""
        http = _left(self._options.http, client)
        measured = ProbeOptions(
            timeout=http.timeout,
            deadline=http.deadline,
            ca_bundle=http.ca_bundle,
            reach=client.reach,
        )
        probed = probe_mirrors(self._pair.path, measured, monitor=self._monitor)
        labels = dict.fromkeys(each.label for each in probed)
        return {label: [each.url for each in best(probed, label, count)] for label in labels}

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
            notes=self._pair.notes,
        )


def _looks_replaced(made: FetchedImage) -> bool:
    """Whether a server has something else than the .jigdo says."""
    answers = {each.answer for missing in made.missing for each in missing.tries}
    return bool(answers & _REPLACED)


def _left(http: HttpOptions, client: HttpClient) -> HttpOptions:
    """``http``, whose deadline is that of ``client``: what was fetched before took its time."""
    if client.ends_at is None:
        return http
    return replace(http, deadline=max(0.0, client.ends_at - time.monotonic()))
