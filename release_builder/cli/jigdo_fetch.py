"""``jigdo fetch``: images from the web, as jigdo-lite gets them."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from release_builder import api
from release_builder.cli.braces import expand_braces
from release_builder.cli.failure import report_failure
from release_builder.cli.options import OFFLINE, SECONDS, with_output
from release_builder.cli.show import print_document
from release_builder.cli.show_fetched import fetched_document, show_fetched
from release_builder.errors import ReleaseBuilderError, Status
from release_builder.report import SEVERITY_OF, Finding, Report, finding_of
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_builder.api.fetched_image import FetchOptions
    from release_builder.cli.options import Output

_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class _Rate(click.ParamType[int]):
    """Bytes a second: ``500k``."""

    name = "rate"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        found = re.fullmatch(r"([0-9]{1,12})([kmg]?)", str(value).lower())
        if not found or not int(found[1]):
            self.fail(f"{value} is no rate such as 500k or 2m (bytes a second)", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


def _labelled(
    _context: click.Context, _option: click.Parameter, given: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    pairs = [each.partition("=") for each in given]
    for label, equals, url in pairs:
        if not equals or not label:
            raise click.BadParameter(f"{shown(url or label)} is not LABEL=URL")
    return tuple((label, _folder(url)) for label, _, url in pairs)


def _web(
    _context: click.Context, _option: click.Parameter, given: Sequence[str]
) -> tuple[str, ...]:
    return tuple(_folder(each) for each in given)


def _folder(url: str) -> str:
    if not url.lower().startswith(("http://", "https://")):
        raise click.BadParameter(f"{shown(url)} begins with neither http:// nor https://")
    return f"{url.rstrip('/')}/"


_OPTIONS: Final[tuple[Callable[..., Any], ...]] = (
    click.argument("sources", metavar="URL_OR_FILE...", nargs=-1, required=True),
    click.option(
        "-o",
        "--output-dir",
        metavar="DIR",
        type=click.Path(path_type=Path, file_okay=False),
        default=".",
        help="Where images go, and pairs from the web; default: this folder.",
    ),
    click.option(
        "--scan",
        multiple=True,
        metavar="PATH",
        type=click.Path(path_type=Path, exists=True),
        help="Look for parts here first: a folder, a file, an old image; may be given again.",
    ),
    click.option(
        "--connections",
        metavar="N",
        type=click.IntRange(1, 256),
        help="Fetch so many parts at a time; default: 8 from each server.",
    ),
    click.option(
        "--uri",
        "uris",
        multiple=True,
        metavar="LABEL=URL",
        callback=_labelled,
        help="Ask this server first for what the label stands for; may be given again.",
    ),
    click.option(
        "--mirror",
        "mirrors",
        multiple=True,
        metavar="URL",
        callback=_web,
        help="Ask it first, for every label; may be given again.",
    ),
    click.option(
        "--best",
        metavar="N",
        type=click.IntRange(1),
        help="Measure the servers first, and ask the N best before all others.",
    ),
    OFFLINE,
    click.option(
        "--retries",
        metavar="N",
        type=click.IntRange(0, 100),
        default=4,
        show_default=True,
        help="Ask so often again for a part that a server failed to give.",
    ),
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=SECONDS,
        default=30.0,
        show_default=True,
        help="Give up a connection that is silent for so long.",
    ),
    click.option(
        "--deadline",
        metavar="SECONDS",
        type=SECONDS,
        help="End after so long, with what there is.",
    ),
    click.option("--limit-rate", metavar="RATE", type=_Rate(), help="Bytes a second: 500k, 2m."),
    click.option(
        "--ca-bundle",
        metavar="FILE",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Trust these certificates in the place of the usual ones.",
    ),
    click.option(
        "--keep-parts",
        metavar="DIR",
        type=click.Path(path_type=Path, file_okay=False),
        help="Keep every part as a file too, below DIR/LABEL/.",
    ),
    click.option("--noask", is_flag=True, help="No difference here: nothing is ever asked."),
)


def _fetch(  # noqa: PLR0913 (one argument an option)
    *,
    sources: Sequence[str],
    output_dir: Path,
    scan: tuple[Path, ...],
    uris: tuple[tuple[str, str], ...],
    mirrors: tuple[str, ...],
    offline: bool,
    keep_parts: Path | None,
    best: int | None,
    noask: bool,
    connections: int | None,
    retries: int,
    timeout: float,
    deadline: float | None,
    limit_rate: int | None,
    ca_bundle: Path | None,
    output: Output,
) -> int:
    """Get images that a .jigdo describes: its template, the parts, the image, verified.

    Parts come from the folders and old images that --scan names, then from the servers of the
    .jigdo, several at a time, straight into the image. Stopped anywhere, the same command goes on
    from there. Lists in braces need no shell: cd-{1,2,3}.jigdo.

    \b
    Examples:
      release-builder jigdo fetch http://mirror.example/iso/cd.jigdo
      release-builder jigdo fetch --scan old.iso --connections 16 -o /srv/iso cd.jigdo
    """
    del noask
    options = api.FetchOptions(
        scan=scan,
        offline=offline,
        servers=(*uris, *(("", mirror) for mirror in mirrors)),
        http=api.HttpOptions(connections, retries, timeout, deadline, limit_rate, ca_bundle),
        keep_parts=keep_parts,
        best=best,
    )
    wanted = [each for source in sources for each in _expanded(source)]
    statuses, documents, began = [], [], time.monotonic()
    with api.open_cache(api.state_folder(os.environ)) as cache:
        for source in wanted:
            left = options.after(time.monotonic() - began)
            one, document = _fetch_one(source, output_dir, left, cache, output)
            documents.append(document)
            statuses.append(one)
    status = _worst(statuses)
    if output.json:
        print_document("fetch", status, {"images": documents})
    return status


def _expanded(source: str) -> list[str]:
    """The URLs and paths that an argument stands for; a file may have braces in its name."""
    return [source] if os.path.lexists(source) else expand_braces(source)


def _worst(statuses: Sequence[Status]) -> Status:
    findings = (Finding(SEVERITY_OF[each], "") for each in statuses if each)
    return Report("fetch", findings=tuple(findings)).exit_status


def _fetch_one(
    source: str, folder: Path, options: FetchOptions, cache: api.DigestCache, output: Output
) -> tuple[Status, dict[str, Any]]:
    """Fetch an image, say what came of it, and give that as a document too."""
    name = shown(source) if "://" in source else source
    try:
        made = api.fetch_image(source, folder, options, cache=cache, monitor=output.monitor())
    except (ReleaseBuilderError, OSError) as error:
        finding = finding_of(error)
        if not output.json:
            report_failure(error)
        problem = {"message": finding.message, "hint": finding.hint}
        return finding.severity.status, {"jigdo": name, "error": problem}
    if not output.json:
        show_fetched(made, output)
    return made.status, {"jigdo": name, **fetched_document(made)}


def _command() -> click.Command:
    decorated: Callable[..., int] = with_output(_fetch)
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return click.command("fetch")(decorated)


fetch = _command()
