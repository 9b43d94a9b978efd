"""The parts that an image still wants, and whether anyone has them now."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from release_builder.digests import Digest, digest_stream
from release_builder.errors import ReleaseBuilderError
from release_builder.files import open_regular
from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.in_place import InPlace
from release_builder.jigdo.sources import ExtentCandidate
from release_builder.report import Finding, finding_of
from release_builder.state.digest_cache import open_cache, state_folder
from release_builder.steps.at_hand import is_at_hand, parts_at_hand
from release_builder.steps.find_pair import find_pair
from release_builder.steps.image_file import measure
from release_builder.steps.release_servers import http_options, release_servers
from release_builder.transport.http import Answer, HttpError, Try
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.server import server_of
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.jigdo.entries import Description
    from release_builder.monitor import Monitor
    from release_builder.plan import Plan
    from release_builder.state.digest_cache import DigestCache
    from release_builder.steps.part_servers import MissingPart, PartServers
    from release_builder.transport.http import Client

_ASKED_AT_A_TIME: Final = 8
_DOWN: Final = frozenset({Answer.UNREACHABLE, Answer.TIMEOUT, Answer.TLS})
_ENOUGH: Final = 3  # such answers in a row: the server would give no other


@dataclass(frozen=True, slots=True)
class Wanting:
    """What the image of a release still wants.

    Attributes:
        plan: The release and where it is built.
        image: The image's name.
        parts: How many different parts the image has.
        missing: Those that are neither in the image nor at hand; asked for at their URLs, unless
            servers are not to be asked.
    """

    plan: Plan
    image: Path
    parts: int
    missing: tuple[MissingPart, ...]

    @property
    def length(self) -> int:
        """Bytes that are to be fetched."""
        return sum(each.part.length for each in self.missing)


def missing_parts(
    planned: Sequence[Plan], monitor: Monitor
) -> tuple[tuple[Wanting, ...], tuple[Finding, ...]]:
    """What the images of ``planned`` want; touches nothing, and fetches nothing.

    Returns:
        An answer for each release that has a pair here, and why there is none for the others.
    """
    found: list[Wanting] = []
    failed: list[Finding] = []
    with open_cache(state_folder(os.environ), read_only=True) as cache:
        for plan in planned:
            try:
                found.append(_wanting(plan, cache, monitor))
            except (ReleaseBuilderError, OSError) as error:
                failed.append(finding_of(error))
    return tuple(found), tuple(failed)


def _wanting(plan: Plan, cache: DigestCache, monitor: Monitor) -> Wanting:
    pair = find_pair(plan.workdir.tree, plan.release, cache)
    with pair.open_template() as stream:
        template = pair.read_template(stream)
    description = template.description
    image = plan.workdir.image / plan.release.image
    parts = description.parts
    if _is_right(image, description, cache, monitor):
        return Wanting(plan, image, len(parts), ())
    held = _held(image.with_name(f"{image.name}.partial"), description, monitor)
    sources = parts_at_hand(plan, pair, template, cache, monitor).sources
    wanted = [part for part in parts if part.digest not in held and not is_at_hand(part, sources)]
    servers = release_servers(plan, pair)
    missing = [servers.missing(part) for part in wanted]
    if not plan.options.offline and missing:
        with (
            HttpClient(http_options(plan.release), os.environ) as client,
            ThreadPoolExecutor(_ASKED_AT_A_TIME) as threads,
        ):
            missing = list(threads.map(_Asker(client, servers).asked, missing))
    return Wanting(plan, image, len(parts), tuple(missing))


def _is_right(image: Path, description: Description, cache: DigestCache, monitor: Monitor) -> bool:
    wanted = description.image
    if not image.is_file() or image.stat().st_size != wanted.length:
        return False
    found = measure(image, [wanted.digest.algorithm], cache, monitor=monitor)
    return found.digests[wanted.digest.algorithm] == wanted.digest


def _held(partial: Path, description: Description, monitor: Monitor) -> frozenset[Digest]:
    """The digests of the parts that the unfinished image has."""
    if not partial.is_file():
        return frozenset()
    monitor.begin("read the unfinished image", description.image.length)
    try:
        return frozenset(_digests_held(partial, description, monitor))
    finally:
        monitor.end()


def _digests_held(partial: Path, description: Description, monitor: Monitor) -> set[Digest]:
    held: set[Digest] = set()
    offset = 0
    with open_regular(partial) as stream:
        for run in description.runs:
            if isinstance(run, MatchedFile):
                place = InPlace(stream, offset)
                # What cannot be read, or ends too soon, is to be fetched.
                with suppress(OSError):
                    if place.may_hold(run, description.image.sum_length):
                        with ExtentCandidate(partial, offset, run.length).open() as part:
                            algorithm = run.digest.algorithm
                            found = digest_stream(part, [algorithm])[algorithm]
                        if found == run.digest:
                            held.add(found)
            offset += run.length
            monitor.advance(run.length)
    return held


class _Asker:
    """Asks for parts, but a server that is down not once for each of thousands."""

    def __init__(self, client: Client, servers: PartServers) -> None:
        self._client = client
        self._servers = servers
        self._failures: dict[str, tuple[HttpError, ...]] = {}  # in a row, by server

    def asked(self, missing: MissingPart) -> MissingPart:
        """``missing`` with what each of its URLs answers."""
        urls = self._servers.urls(missing.part)
        return replace(missing, tries=tuple(self._answer(missing, url) for url in urls))

    def _answer(self, missing: MissingPart, url: str) -> Try:
        server = server_of(url)
        failures = self._failures.get(server, ())
        if len(failures) >= _ENOUGH:
            return Try(shown(url), failures[-1].answer, failures[-1].detail)
        try:
            with self._client.get(url, expected=missing.part.length):
                self._failures.pop(server, None)
                return Try(
                    shown(url), Answer.RIGHT, "it is there, and as long as the part; not read"
                )
        except HttpError as error:
            if error.answer in _DOWN:
                self._failures[server] = (*self._failures.get(server, ()), error)
            else:
                self._failures.pop(server, None)
            return Try(shown(url), error.answer, error.detail)
