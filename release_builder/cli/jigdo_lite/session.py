"""One run of jigdo-lite: images one after another, with the answers that hold for all of them."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.filesize import decimal

from release_builder.api.fetched_image import FetchOptions
from release_builder.api.fetches import fetch_image
from release_builder.cli.jigdo_lite.offered import offered_images
from release_builder.cli.jigdo_lite.questions import (
    ask_image,
    ask_mirror,
    ask_scan,
    mirror_labels,
    scan_paths,
)
from release_builder.steps.web_pair import fetched_pair
from release_builder.transport.http.client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.api.fetched_image import FetchedImage
    from release_builder.cli.jigdo_lite.dialogue import Dialogue
    from release_builder.cli.jigdo_lite.settings import SettingsFile
    from release_builder.errors import Status
    from release_builder.jigdo.location import JigdoFile
    from release_builder.jigdo.sources import DigestCache
    from release_builder.transport.http import HttpOptions

_SHOWN: Final = 10  # missing parts


class Session:
    """Builds images in the current folder.

    Args:
        dialogue: Whom to tell and ask.
        file: Settings from before.
        scan: Where parts may be found; empty to ask.
        http: How servers are asked.
        cache: Digests known from before.
    """

    def __init__(
        self,
        dialogue: Dialogue,
        file: SettingsFile,
        scan: Sequence[str],
        http: HttpOptions,
        cache: DigestCache,
    ) -> None:
        self._dialogue = dialogue
        self._file = file
        self._scan = [path for typed in scan for path in self._there(typed)]
        self._asks_scan = not scan
        self._mirrors: dict[str, str] = {}  # by label; empty when none is wanted
        self._image = 1
        self._http = http
        self._cache = cache

    def build(self, source: str, *, alone: bool) -> Status:
        """Build the image of one .jigdo file, and tell what came of it.

        Args:
            source: URL or path of the .jigdo.
            alone: Whether it is the only one, so that its questions are worth waiting for.

        Raises:
            ReleaseBuilderError: As fetch_image.
            OSError: As fetch_image.
        """
        jigdo = self._pair(source, alone=alone)
        made = self._scanned(source) if self._asks_scan else None
        if made is None or not made.complete:
            for label in mirror_labels(jigdo):
                if label not in self._mirrors:
                    self._mirrors[label] = ask_mirror(self._dialogue, self._file, label)
            made = self._fetched(source)
            while made.missing and alone and self._dialogue.has_person:
                self._tell_missing(made)
                self._dialogue.ask("Press Return to try once more, or Ctrl-C to stop")
                made = self._fetched(source)
        self._tell(made)
        return made.status

    def _there(self, typed: str) -> tuple[Path, ...]:
        paths = scan_paths(typed)
        if not paths:
            self._dialogue.complain(f"{typed} is not there: nothing to scan")
        return paths

    def _pair(self, source: str, *, alone: bool) -> JigdoFile:
        """What the .jigdo says; it and its template are here then."""
        client = HttpClient(self._http, os.environ)
        pair = fetched_pair(
            source,
            Path(),
            client,
            self._http,
            self._cache,
            aside=Path("aside"),
            choose=functools.partial(self._choose, alone=alone),
        )
        for note in (*client.notes, *pair.notes):
            self._dialogue.once(note)
        return pair.jigdo

    def _choose(self, content: bytes, name: str, *, alone: bool) -> int:
        """Which image of a .jigdo is wanted, after they were shown."""
        images = offered_images(content, name)
        self._dialogue.text("", f"Images offered by `{Path(name).name}':")
        self._dialogue.text(*(f"  {number}: {each}" for number, each in enumerate(images, 1)))
        self._image = ask_image(self._dialogue, images, alone=alone)
        if images and (info := images[self._image - 1].info):
            self._dialogue.text(info)
        return self._image

    def _scanned(self, source: str) -> FetchedImage:
        """Ask for places until there are no more, or no more are needed: perhaps none at all."""
        self._asks_scan = False  # the answers hold for the images that follow
        made = self._fetched(source, offline=True)
        while not made.complete and (paths := ask_scan(self._dialogue, self._file)):
            new = [path for path in paths if path not in self._scan]
            if not new:
                self._dialogue.complain("all of that was looked through already")
                continue
            self._scan += new
            made = self._fetched(source, offline=True)
        return made

    def _fetched(self, source: str, *, offline: bool = False) -> FetchedImage:
        options = FetchOptions(
            scan=tuple(self._scan),
            offline=offline,
            servers=tuple((label, url) for label, url in self._mirrors.items() if url),
            http=self._http,
            image=self._image,
        )
        made = fetch_image(source, Path(), options, cache=self._cache, monitor=self._dialogue)
        for note in (*made.notes, *map(str, made.wrong)):
            self._dialogue.once(note)
        if made.moved:
            self._dialogue.complain(
                f"{made.image} was there, but is another image: it is {made.moved} now"
            )
        if not made.was_there and (made.found or self._scan):
            self._dialogue.say(
                f"Found {made.found} of the {made.wanted} files required by the template"
            )
        return made

    def _tell(self, made: FetchedImage) -> None:
        if made.missing:
            self._tell_missing(made)
            return
        self._dialogue.say(f"OK: {made.digest.algorithm.upper()} Checksums match, image is good!")
        came = f"{decimal(made.bytes_fetched)} of its {decimal(made.length)} were fetched"
        how = "was there already" if made.was_there else f"is finished: {came}"
        self._dialogue.text(f"{made.image.name} {how}")

    def _tell_missing(self, made: FetchedImage) -> None:
        for each in made.missing[:_SHOWN]:
            tries = [str(one) for one in each.tries]
            tries += [f"not asked: {place}" for place in each.unasked]
            self._dialogue.complain(f"missing: {each.name}", "\n".join(tries))
        more = len(made.missing) - _SHOWN
        count = f"{len(made.missing)} part{'s are' if len(made.missing) > 1 else ' is'} missing"
        size = decimal(sum(each.part.length for each in made.missing))
        self._dialogue.complain(
            f"{made.image.name} is not finished: {count} ({size})"
            + (f"; {more} not shown here" if more > 0 else ""),
            "run it again later: it goes on from here; or name more places with --scan",
        )
