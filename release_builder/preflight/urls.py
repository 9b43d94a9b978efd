"""Every part asked for at the URLs that a published .jigdo will name."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

from release_builder.errors import printable
from release_builder.jigdo.location import parse_jigdo
from release_builder.lanes import Lane
from release_builder.preflight.part_places import PartPlaces
from release_builder.preflight.prefixes import Prefixes
from release_builder.preflight.replies import Replies, Reply
from release_builder.report import Finding, Severity
from release_builder.transport.http import Answer
from release_builder.transport.http.asker import Asker
from release_builder.transport.http.head_client import HeadClient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_builder.jigdo.entries import MatchedFile
    from release_builder.monitor import Monitor
    from release_builder.preflight.part_places import Place, PlacedPart
    from release_builder.transport.http import HttpOptions, Try

_CONNECTIONS: Final = 8


def check_urls(  # noqa: PLR0913 (each is the caller's to choose)
    jigdo: bytes,
    name: str,
    moved: Mapping[str, str],
    options: HttpOptions,
    monitor: Monitor,
    *,
    template_parts: Sequence[MatchedFile],
) -> tuple[Finding, ...]:
    """Ask every server of a .jigdo whether it has every part, whole.

    Args:
        jigdo: As it will be published.
        name: For messages.
        moved: By URL of a folder that is not public yet, the URL where it can be asked now.
        options: How servers are asked; nothing is fetched.
        monitor: Hears how far it is.
        template_parts: All that the image needs, as Description.parts has them.

    Returns:
        WRONG or INCOMPLETE for each part that the first of its servers does not have, or cannot
        be asked for; many are summed up. WARNING for each further server that lacks parts.

    Raises:
        JigdoError: ``jigdo`` is none.
        WrongBytesError: A URL of ``moved`` names no host.
        SurroundingsError: The certificates cannot be read.
        DescriptorError: They are none, or a proxy is neither http nor https.
    """
    places = PartPlaces(parse_jigdo(jigdo, name))
    parts = [places.of(part) for part in template_parts]
    staged = Prefixes(moved)
    replies = Replies(staged)
    title = f"ask for the {len(parts):,} parts of {printable(name)}"
    with HeadClient(options, os.environ) as client:
        findings = [Finding(Severity.NOTE, note) for note in client.notes]
        asker = Asker(client, options)
        connections = options.connections or _CONNECTIONS
        monitor.begin(title)
        try:
            with Lane(connections, ahead=4 * connections, on_result=replies.take) as lane:
                try:
                    for number, placed in enumerate(parts):
                        monitor.note(f"{number:,} of {len(parts):,} parts")
                        replies.expect(placed)
                        for place in placed.places:
                            lane.submit(partial(_ask, asker, staged, placed, place))
                    lane.finish()
                finally:
                    asker.stop()
        finally:
            monitor.end()
    return (*findings, *replies.findings())


def _ask(asker: Asker, staged: Prefixes[str], placed: PlacedPart, place: Place) -> Reply:
    tries: list[tuple[str, Try]] = []
    for url in place.urls:
        found = staged.find(url)
        at = f"{found[0].rstrip('/')}/{found[1]}" if found else url
        tries.append((url, asker.ask(at, placed.part.length)))
        if tries[-1][1].answer is Answer.RIGHT:
            break
    return Reply(placed, place, tuple(tries))
