"""The image rebuilt with nothing at hand, from a throw-away server of what is staged."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from release_builder.errors import SurroundingsError, printable
from release_builder.files import free_space, open_regular
from release_builder.jigdo.entries import MatchedFile
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.make_image import make_image
from release_builder.jigdo.template import read_template
from release_builder.preflight.part_places import PartPlaces
from release_builder.preflight.prefixes import Prefixes
from release_builder.preflight.staged_parts import StagedClient, StagedParts
from release_builder.preflight.summary import severity_of, summed_up
from release_builder.report import Finding, Severity
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.fetcher import ServerFetcher
from release_builder.transport.throwaway_server import ThrowawayServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.image_result import Image
    from release_builder.jigdo.template import Template
    from release_builder.monitor import Monitor
    from release_builder.transport.http import HttpOptions

_HINTS: Final = {
    Severity.WRONG: "put the right file there, or make the pair again: nobody could rebuild this",
    Severity.INCOMPLETE: "run it again when the servers answer",
}


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of rebuilding an image.

    Attributes:
        findings: What a stranger would stumble over; empty if the image came out right.
        digests: Of what came out, by algorithm; empty if parts are missing.
    """

    findings: tuple[Finding, ...] = ()
    digests: Mapping[str, Digest] = field(default_factory=dict)


def rebuild(  # noqa: PLR0913, PLR0917 (each is the caller's to choose)
    jigdo: bytes,
    name: str,
    template: Path,
    folders: Mapping[str, Path],
    scratch: Path,
    options: HttpOptions,
    monitor: Monitor,
    *,
    image: Sequence[Digest] = (),
) -> Rebuilt:
    """Make the image of a pair as a stranger will, and throw it away.

    Args:
        jigdo: As it will be published.
        name: For messages.
        template: The file that will be published with it.
        folders: By URL of a folder that the .jigdo names, or of one above, the local folder that
            will be there. Parts with other URLs only are asked for where those lead now.
        scratch: A folder with room for the image; made if it is not there.
        options: How servers are asked; no rate is kept with our own.
        monitor: Hears how far it is.
        image: Of the published image, as many digests as there are.

    Returns:
        WRONG or INCOMPLETE for each part that does not come, many summed up; WRONG for an image
        that comes out other than the template's, or than ``image``.

    Raises:
        WrongBytesError: The .jigdo or the template is none; a URL of ``folders`` names no host.
        SurroundingsError: There is no room; the certificates cannot be read.
        DescriptorError: They are none, or a proxy is neither http nor https.
        OSError: A file cannot be read or written.
    """
    places = PartPlaces(parse_jigdo(jigdo, name))
    with ExitStack() as stack:
        pair = read_template(stack.enter_context(open_regular(template)), str(template))
        wanted = (pair.description.image.digest, *image)
        scratch.mkdir(parents=True, exist_ok=True)
        _check_room(scratch, pair.description.image.length)
        numbered = {f"/{number}/": folder for number, folder in enumerate(folders.values())}
        server = stack.enter_context(ThrowawayServer(numbered))
        staged = Prefixes(dict(zip(folders, (server.url + each for each in numbered), strict=True)))
        far = stack.enter_context(HttpClient(options, os.environ))
        # Nothing of the user's stands between us and our own server.
        own = replace(options, limit_rate=None, origin=None)
        near = stack.enter_context(HttpClient(own, {}))
        fetcher = ServerFetcher(StagedClient(staged, near, far), options)
        parts = StagedParts(places, staged, fetcher, options.connections)
        made = _made(pair, parts, scratch, wanted, monitor)
        if made.missing and server.troubles:  # no stranger would meet them
            raise server.troubles[0]
    findings = [Finding(Severity.NOTE, note) for note in far.notes]
    findings += _said_of_parts(pair, parts, places, made)
    findings += _said_of_image(printable(name), made, wanted)
    return Rebuilt(tuple(findings), made.digests)


def _made(
    template: Template,
    parts: StagedParts,
    scratch: Path,
    wanted: Sequence[Digest],
    monitor: Monitor,
) -> Image:
    count = sum(isinstance(run, MatchedFile) for run in template.description.runs)
    algorithms = {each.algorithm for each in wanted}
    monitor.begin("rebuild as a stranger", template.description.image.length)
    try:
        with tempfile.TemporaryFile(dir=scratch, prefix=".rebuilt.", buffering=0) as out:
            return make_image(
                template,
                out,
                (),
                algorithms,
                monitor.advance,
                far=parts,
                on_part=lambda number: monitor.note(f"{number:,} of {count:,} parts"),
            )
    finally:
        monitor.end()


def _said_of_parts(
    template: Template, parts: StagedParts, places: PartPlaces, made: Image
) -> Iterator[Finding]:
    failures = []
    for part in made.missing:
        placed, tries = places.of(part), parts.failed(part)
        said = "; ".join(map(str, tries) if tries else placed.unasked)
        severity = severity_of(each.answer for each in tries)
        failures.append((severity, f"{placed.name}: {said or 'the .jigdo names no URL of it'}"))
    yield from summed_up(failures, _HINTS)
    missing = {part.digest for part in made.missing}
    late = [
        part
        for part in template.description.parts
        if part.digest not in missing and parts.failed(part)
    ]
    if late:
        said = f"{places.of(late[0]).name}: {parts.failed(late[0])[0]}"
        what = f"{len(late):,} parts are not at every URL that the .jigdo names, such as {said}"
        yield Finding(Severity.WARNING, what)


def _said_of_image(name: str, made: Image, wanted: Sequence[Digest]) -> Iterator[Finding]:
    """What is wrong with an image of which all parts are right; the template's word is first."""
    for number, each in enumerate(wanted):
        found = made.digests.get(each.algorithm, each)
        if found != each:
            whose = "the published image" if number else "what its template says"
            yield Finding(
                Severity.WRONG,
                f"{name}: the image comes out as {found}, {whose} is {each}",
                hint="make the pair again, from the image that is published",
            )


def _check_room(folder: Path, need: int) -> None:
    free = free_space(folder)
    if need > free:
        raise SurroundingsError(
            f"{printable(str(folder))}: to rebuild the image takes {need:,} bytes,"
            f" {free:,} are free",
            hint="free some room, or use `preflight: urls`",
        )
