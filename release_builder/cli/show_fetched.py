"""What came of fetching an image, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click
from rich.filesize import decimal

from release_builder.cli.failure import print_problem
from release_builder.errors import Status, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.api.fetched_image import FetchedImage
    from release_builder.cli.options import Output
    from release_builder.steps.part_servers import MissingPart

_SHOWN: Final = 10  # missing parts, unless more are asked for


def show_fetched(made: FetchedImage, output: Output) -> None:
    """Say what came of fetching an image."""
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
        return f"is already there, and right: {made.digest} ({made.assurance})"
    came = decimal(made.bytes_fetched)
    said = f"{made.digest}, as the template says ({made.assurance})"
    return f"{decimal(made.length)}, {came} of it fetched; {said}"


def _show_missing(made: FetchedImage, output: Output) -> None:
    # Whoever set a deadline knows why most parts did not come; one shows who was to bring them.
    late = [each for each in made.missing if each.is_late]
    failed = [each for each in made.missing if not each.is_late]
    told = list(made.missing) if output.verbose else failed or late[:1]
    shown = told if output.verbose else told[:_SHOWN]
    for each in shown:
        tries = [str(one) for one in each.tries]
        others = [f"not asked: {entry}" for entry in each.unasked]
        what = f"missing: {printable(each.name)} ({each.part.length:,} bytes, {each.part.digest})"
        print_problem("error", "\n".join([what, *tries, *others]))
    if len(told) > len(shown):
        more = len(told) - len(shown)
        click.echo(f"… and {more:,} more: -v or --json shows them all", err=True)
    in_time = f" ({len(late):,} for the deadline came first)" if late else ""
    print_problem(
        "error",
        f"{printable(str(made.image))}: {_counted(made.missing)} missing{in_time};"
        f" {made.found:,} of {made.wanted:,} are in {printable(made.image.name)}.tmp",
        _what_to_do(made),
    )


def _what_to_do(made: FetchedImage) -> str:
    if made.status is Status.WRONG:
        others = "tell who runs them, or name others with --uri"
        return f"the servers have other bytes than the .jigdo means: {others}"
    if not any(each.tries or each.is_late for each in made.missing):
        return "no server could be asked for them: name what has them with --scan or --uri"
    return "run it again later, or name what has them with --scan or --uri"


def _counted(missing: Sequence[MissingPart]) -> str:
    size = decimal(sum(each.part.length for each in missing))
    return f"1 part ({size}) is" if len(missing) == 1 else f"{len(missing):,} parts ({size}) are"


def fetched_document(made: FetchedImage) -> dict[str, Any]:
    """As data/jigdo-fetch.schema.json describes it."""
    return {
        "image": str(made.image),
        "complete": made.complete,
        "was_there": made.was_there,
        "digest": str(made.digest),
        "assurance": str(made.assurance.level),
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
