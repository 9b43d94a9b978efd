"""``mirrors``: which servers of a release are worth asking."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.filesize import decimal

from release_builder import api
from release_builder.cli.failure import print_problem
from release_builder.cli.options import FILE, SECONDS, STAGE, with_output
from release_builder.cli.show import print_document
from release_builder.descriptor.version import Stage
from release_builder.errors import Status, printable
from release_builder.spans import span
from release_builder.transport.http import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from release_builder.api.mirrors import ProbedMirror
    from release_builder.cli.options import Output


@click.group()
def mirrors() -> None:
    """Find out which mirrors of a release are the best.

    \b
    Example:
      release-builder mirrors probe sme9.yaml
    """


@mirrors.command()
@click.argument("file", metavar="FILE", type=FILE)
@click.option(
    "--best",
    "count",
    metavar="N",
    type=click.IntRange(1),
    help="Print the N best of each label, nothing but their URLs.",
)
@click.option(
    "--connections",
    metavar="N",
    type=click.IntRange(1, 256),
    default=4,
    show_default=True,
    help="Ask so many mirrors at a time; with 1 the speeds are most exact.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=SECONDS,
    default=10.0,
    show_default=True,
    help="Give up a connection that is silent for so long.",
)
@click.option(
    "--deadline",
    metavar="SECONDS",
    type=SECONDS,
    default=120.0,
    show_default=True,
    help="End after so long; mirrors not asked by then come last.",
)
@click.option(
    "--marker",
    metavar="PATH",
    default="",
    help="A file below the label's URL (or, with a slash, the host) whose date tells how fresh it is.",
)
@click.option(
    "--ca-bundle",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Trust these certificates in the place of the usual ones.",
)
@click.option(
    "--mirror",
    metavar="URL",
    help="Use this mirror in place of the descriptor's; of a .jigdo, besides.",
)
@STAGE
@click.option("--offline", is_flag=True, help="Refused: mirrors are measured by asking them.")
@with_output
def probe(  # noqa: PLR0913 (one argument an option)
    *,
    file: Path,
    count: int | None,
    connections: int,
    timeout: float,
    deadline: float,
    marker: str,
    ca_bundle: Path | None,
    mirror: str | None,
    stage: str | None,
    offline: bool,
    output: Output,
) -> int:
    """Measure the mirrors of FILE, a descriptor or a .jigdo, and rank them.

    The status is 1 if none of them can be used.

    \b
    Example:
      release-builder mirrors probe --best 2 sme9.yaml
    """
    if offline:
        raise click.UsageError("Mirrors are measured by asking them: leave --offline out.")
    options = api.ProbeOptions(
        connections, timeout, deadline, ca_bundle, marker, mirror, Stage(stage) if stage else None
    )
    probed = api.probe_mirrors(file, options, monitor=output.monitor())
    status = Status.DONE if any(each.usable for each in probed) else Status.INCOMPLETE
    labels = list(dict.fromkeys(sorted(each.label for each in probed)))
    if count is not None:
        probed = tuple(each for label in labels for each in api.best(probed, label, count))
    if output.json:
        print_document("probe", status, {"mirrors": [_as_json(each) for each in probed]})
        return status
    if count is not None:
        for url in dict.fromkeys(each.root or each.url for each in probed):
            click.echo(url)
    elif not output.quiet:
        for label in labels:
            _show(label, [each for each in probed if each.label == label])
        _show_use(file, probed)
    if status:
        print_problem("error", f"no mirror of {file} can be used", _hint(probed))
    return status


def _hint(probed: Sequence[ProbedMirror]) -> str:
    refused = [each for each in probed if each.answer in {Answer.NOT_FOUND, Answer.FORBIDDEN}]
    if any(each.file == each.url for each in refused):
        return "some do not show their folder: name a file in it with --marker, or sync first"
    return "look at the network and the proxy settings, or name another mirror with --mirror"


def _show(label: str, probed: Sequence[ProbedMirror]) -> None:
    file = probed[0].file.removeprefix(probed[0].url)
    asked = f"by {file}" if file else "by the list of its folder"
    click.echo(f"{click.style(printable(label), bold=True)}  {asked}")
    click.echo("     latency     speed     10 MB  mirror")
    for number, each in enumerate(probed, 1):
        figures = (
            f"{each.latency * 1000:.0f} ms" if each.latency is not None else "-",
            f"{decimal(int(each.rate))}/s" if each.rate is not None else "-",
            f"{each.seconds:.1f} s" if each.seconds is not None else "-",
        )
        latency, speed, load = figures
        click.echo(f"{number:3}  {latency:>7}  {speed:>10}  {load:>7}  {each.url}")
        said = "; ".join(_remarks(each))
        colour = "yellow" if each.usable else "red"
        if not each.usable or each.stale or each.failed:
            said = click.style(said, fg=colour)
        click.echo(f"{'':36}{said}")


def _remarks(mirror: ProbedMirror) -> Iterable[str]:
    """What there is to say beside the figures."""
    if not mirror.usable:
        yield mirror.answer.value + (f" ({mirror.detail})" if mirror.detail else "")
        return
    yield mirror.protocol + (", trusted" if mirror.trusted else "")
    if mirror.modified is not None:
        yield f"of {time.strftime('%Y-%m-%d %H:%M', time.gmtime(mirror.modified))} UTC"
    if mirror.behind:
        yield f"{span(mirror.behind)} older than the newest"
    if mirror.failed:
        yield f"failed {mirror.failed} times"
    if mirror.detail:
        yield mirror.detail


def _show_use(file: Path, probed: Sequence[ProbedMirror]) -> None:
    """What to do with the best ones."""
    usable = [each for each in probed if each.usable and not each.stale]
    roots = list(dict.fromkeys(each.root for each in usable if each.root))[:3]
    if roots:
        name = printable(str(file))
        click.echo(f"\nTo have the best asked first, write into {name}:\n\nfetch:\n  mirrors:")
        for root in roots:
            click.echo(f"    - {root}")
    elif usable and ".jigdo" in file.suffixes:
        firsts = {each.label: each.url for each in reversed(usable)}
        uris = [f"--uri {shlex.quote(f'{label}={url}')}" for label, url in sorted(firsts.items())]
        command = " ".join(["release-builder jigdo fetch", *uris, shlex.quote(str(file))])
        click.echo(f"\nTo have the best asked first:\n\n{printable(command)}")


def _as_json(mirror: ProbedMirror) -> dict[str, Any]:
    return {
        "label": mirror.label,
        "url": mirror.url,
        "mirror": mirror.root,
        "file": mirror.file,
        "usable": mirror.usable,
        "answer": mirror.answer.name.lower(),
        "detail": mirror.detail,
        "failed": mirror.failed,
        "protocol": mirror.protocol,
        "trusted": mirror.trusted,
        "latency": mirror.latency,
        "bytes_per_second": mirror.rate,
        "seconds_for_10_mb": mirror.seconds,
        "modified": mirror.modified,
        "behind": mirror.behind,
        "stale": mirror.stale,
    }
