"""``jigdo fetch``: images from the web, as jigdo-lite gets them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.filesize import decimal

from release_builder import api
from release_builder.cli.braces import expand_braces
from release_builder.cli.failure import print_problem, report_failure
from release_builder.cli.options import OFFLINE, with_output
from release_builder.cli.show import print_document
from release_builder.errors import ReleaseBuilderError, Status, printable
from release_builder.report import finding_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_builder.api.fetches import FetchedImage, FetchOptions
    from release_builder.cli.options import Output
    from release_builder.steps.part_servers import MissingPart

_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SHOWN: Final = 10  # missing parts, unless more are asked for


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
    for each in given:
        label, equals, url = each.partition("=")
        if not equals or not label or not url.startswith(("http://", "https://")):
            raise click.BadParameter(f"{each} is not LABEL=URL, with http:// or https://")
    return tuple((label, url) for label, _, url in (each.partition("=") for each in given))


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
    click.option("--mirror", metavar="URL", help="Ask this server first, for every label."),
    click.option(
        "--best",
        metavar="N",
        type=click.IntRange(1),
        help="Measure the servers first, and ask the N best before all others.",
    ),
    OFFLINE,
    click.option("--retries", type=click.IntRange(0, 100), default=4, show_default=True),
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=click.FloatRange(0, min_open=True),
        default=30.0,
        show_default=True,
        help="Give up a connection that is silent for so long.",
    ),
    click.option(
        "--deadline",
        metavar="SECONDS",
        type=click.FloatRange(0, min_open=True),
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
    mirror: str | None,
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
        servers=(*uris, *([("", mirror)] if mirror else [])),
        http=api.HttpOptions(connections, retries, timeout, deadline, limit_rate, ca_bundle),
        keep_parts=keep_parts,
        best=best,
    )
    wanted = [each for source in sources for each in expand_braces(source)]
    status, documents = Status.DONE, []
    with api.open_cache(api.state_folder(os.environ)) as cache:
        for source in wanted:
            one, document = _fetch_one(source, output_dir, options, cache, output)
            documents.append(document)
            status = max(status, one)
    if output.json:
        print_document("fetch", status, {"images": documents})
    return status


def _fetch_one(
    source: str, folder: Path, options: FetchOptions, cache: api.DigestCache, output: Output
) -> tuple[Status, dict[str, Any]]:
    """Fetch an image, say what came of it, and give that as a document too."""
    try:
        made = api.fetch_image(source, folder, options, cache=cache, monitor=output.monitor())
    except (ReleaseBuilderError, OSError) as error:
        finding = finding_of(error)
        if not output.json:
            report_failure(error)
        problem = {"message": finding.message, "hint": finding.hint}
        return finding.severity.status, {"jigdo": source, "error": problem}
    if not output.json:
        _show(made, output)
    return made.status, {"jigdo": source, **_document(made)}


def _show(made: FetchedImage, output: Output) -> None:
    for note in made.notes:
        print_problem("note", note)
    for wrong in made.wrong:
        print_problem("warning", str(wrong))
    if made.moved:
        print_problem("warning", f"{made.image.name} was there, but is another: it is {made.moved}")
    if made.missing:
        _show_missing(made, output)
    elif not output.quiet:
        click.echo(f"{printable(str(made.image))}: {_summary(made)}")


def _summary(made: FetchedImage) -> str:
    if made.was_there:
        return f"is already there, and right: {made.digest}"
    came = decimal(made.bytes_fetched)
    return f"{decimal(made.length)}, {came} of it fetched; {made.digest}, as the template says"


def _show_missing(made: FetchedImage, output: Output) -> None:
    shown = made.missing if output.verbose else made.missing[:_SHOWN]
    for each in shown:
        tries = [str(one) for one in each.tries]
        others = [f"{printable(url)}: not asked, for it is no http" for url in each.unasked]
        what = f"missing: {printable(each.name)} ({each.part.length:,} bytes, {each.part.digest})"
        print_problem("error", "\n".join([what, *tries, *others]))
    if len(made.missing) > len(shown):
        more = len(made.missing) - len(shown)
        click.echo(f"… and {more:,} more: -v or --json shows them all", err=True)
    size = decimal(sum(each.part.length for each in made.missing))
    print_problem(
        "error",
        f"{printable(str(made.image))}: {len(made.missing):,} parts ({size}) are missing;"
        f" {made.found:,} of {made.wanted:,} are in {printable(made.image.name)}.tmp",
        "run it again later, or name what has them with --scan or --uri",
    )


def _document(made: FetchedImage) -> dict[str, Any]:
    """As data/jigdo-fetch.schema.json describes it."""
    return {
        "image": str(made.image),
        "complete": made.complete,
        "was_there": made.was_there,
        "digest": str(made.digest),
        "length": made.length,
        "parts": {"found": made.found, "wanted": made.wanted},
        "bytes_fetched": made.bytes_fetched,
        "bytes_missing": sum(each.part.length for each in made.missing),
        "missing": [missing_document(each) for each in made.missing],
        "wrong": [str(each) for each in made.wrong],
        "moved": str(made.moved) if made.moved else None,
        "notes": list(made.notes),
    }


def missing_document(missing: MissingPart) -> dict[str, Any]:
    """A part that is missing, for programs."""
    return {
        "name": missing.name,
        "length": missing.part.length,
        "digest": str(missing.part.digest),
        "urls": list(missing.urls),
        "tries": [
            {"url": each.url, "answer": each.answer.name.lower(), "detail": each.detail}
            for each in missing.tries
        ],
        "unasked": list(missing.unasked),
    }


def _command() -> click.Command:
    decorated: Callable[..., int] = with_output(_fetch)
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return click.command("fetch")(decorated)


fetch = _command()
