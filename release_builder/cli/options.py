"""The options that every command has, and what they become."""

from __future__ import annotations

import functools
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from release_builder.cli.failure import as_report
from release_builder.cli.monitors import make_monitor
from release_builder.cli.show import print_json
from release_builder.descriptor.version import Stage
from release_builder.errors import LACKS, ReleaseBuilderError, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_builder.monitor import Monitor

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class _Named(click.Path):
    """A path that is neither "", to Path the folder where we happen to be, nor a URL."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        if value == "":
            self.fail("the name is empty", param, ctx)
        if _URL.match(os.fspath(value)):
            self.fail(f"{value} is a URL: name a file of this machine", param, ctx)
        return super().convert(value, param, ctx)


FILE = _Named(path_type=Path)
DESCRIPTORS = click.argument("descriptors", metavar="FILE...", nargs=-1, required=True, type=FILE)


def _folder(_context: click.Context, _option: click.Parameter, given: str | None) -> Path | None:
    """An unset variable of a script must not make us work in the folder where it happens to be."""
    if given == "":
        raise click.BadParameter("names no folder")
    if given and Path(given).exists() and not Path(given).is_dir():
        raise click.BadParameter(f"{printable(given)} is no folder")
    return Path(given) if given else None


WORKDIR = click.option(
    "--workdir",
    metavar="DIR",
    callback=_folder,
    help="Work in this folder; several releases have a folder each below it.",
)
STAGE = click.option(
    "--stage",
    type=click.Choice([stage.value for stage in Stage]),
    help="Where the tree lies on http: the beta's or the final path; default by the version.",
)
MIRROR = click.option(
    "--mirror", metavar="URL", help="Use this mirror in place of the descriptor's."
)
SCHEDULER = click.option(
    "--scheduler",
    metavar="URL",
    help="Spread the releases over a Dask cluster that sees the same folders: tcp://host:8786.",
)
OFFLINE = click.option("--offline", is_flag=True, help="Ask no mirror; work with what is here.")


class _Seconds(click.FloatRange):
    """A time of at most a day; nan is none."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value} is no time", param, ctx)
        return seconds


SECONDS = _Seconds(0, 86_400, min_open=True)


@dataclass(frozen=True, slots=True)
class Output:
    """How a command speaks.

    Attributes:
        json: One JSON document on stdout, nothing else there.
        quiet: Nothing but problems.
        verbose: More lines, among them the programs that are run.
        colour: Whether colours are wanted; None leaves it to the terminal.
        events: Progress as JSON, an object a line, on stderr.
    """

    json: bool
    quiet: bool
    verbose: bool
    colour: bool | None
    events: bool = False

    def monitor(self) -> Monitor:
        """Bars on a terminal, lines in a pipe, nothing where nobody watches."""
        return make_monitor(
            quiet=self.quiet, verbose=self.verbose, colour=self.colour, events=self.events
        )


def with_output(command: Callable[..., int]) -> Callable[..., int]:
    """Give ``command`` the options that say how it speaks, as one ``output`` argument."""

    @functools.wraps(command)
    @click.pass_context
    def wrapped(  # noqa: PLR0913 (one argument an option)
        context: click.Context,
        /,
        *,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        no_color: bool,
        progress: str,
        **others: object,
    ) -> int:
        plain = no_color or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        context.color = False if plain else None
        output = Output(as_json, quiet, verbose, context.color, progress == "json")
        try:
            return command(output=output, **others)
        except (ReleaseBuilderError, *LACKS) as error:
            if not as_json:
                raise
            report = as_report(context.info_name or "", error)
            print_json(report)
            return report.exit_status

    decorated: Callable[..., int] = wrapped
    for option in (
        click.option("--no-color", is_flag=True, help="No colours."),
        click.option(
            "--progress",
            type=click.Choice(["auto", "json"]),
            default="auto",
            help="How to show progress; json: an object a line on stderr, for programs.",
        ),
        click.option(
            "-v", "--verbose", is_flag=True, help="Say more: the programs run, all findings."
        ),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but problems."),
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
    ):
        decorated = option(decorated)
    return decorated
