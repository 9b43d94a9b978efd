"""What changed between two releases, for people and for programs."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click
from rich.filesize import decimal

from release_builder.cli.failure import print_problem
from release_builder.comparison import Kind, words
from release_builder.errors import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from release_builder.cli.options import Output
    from release_builder.comparison import Comparison, PackageChange
    from release_builder.comparison.inventory import Inventory
    from release_builder.comparison.packages import PackageFile

_WIDTH: Final = 80  # columns
_NAME: Final = 30
_SIZE: Final = 9
_COLOURS: Final = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.DOWNGRADED: "yellow"}
_SHOWN: Final = 5  # files of a kind, unless more are asked for


def show_comparison(comparison: Comparison, page: Path | None, output: Output) -> None:
    """Say what changed."""
    for problem in comparison.problems:
        print_problem("warning", problem)
    if output.quiet:
        return
    click.echo(f"{click.style(comparison.old.label, bold=True)}")
    click.echo(f"  → {click.style(comparison.new.label, bold=True)}")
    for kind in Kind:
        if changes := comparison.of_kind(kind):
            click.echo(f"\n{click.style(kind.value, fg=_COLOURS.get(kind), bold=True)}")
            for change in changes:
                _show_package(change, verbose=output.verbose)
    _show_files(comparison, verbose=output.verbose)
    click.echo()
    rows = [("packages", words.counts(comparison)), ("size", _sizes(comparison))]
    rows.append(("to fetch", words.fetching(comparison.fetching)))
    if comparison.bugs:
        rows.append(("bugs", ", ".join(map(str, comparison.bugs))))
    if not comparison.new.has_headers and comparison.packages:
        rows.append(
            ("changelogs", "not known, nor epochs: a .jigdo names packages, but does not hold them")
        )
    if page:
        rows.append(("page", str(page)))
    for name, text in rows:
        click.echo(_wrapped(printable(text), f"{name:<10}  ", " " * 12))


def comparison_document(comparison: Comparison, page: Path | None) -> dict[str, Any]:
    """As data/compare.schema.json describes it."""
    return {
        "old": _release_document(comparison.old),
        "new": _release_document(comparison.new),
        "packages": [_change_document(change) for change in comparison.packages],
        "unchanged": comparison.unchanged,
        "size_change": comparison.size_change,
        "files": [asdict(change) for change in comparison.files],
        "bugs": comparison.bugs,
        "bytes_to_fetch": {
            "parts": comparison.fetching.count,
            "part_bytes": comparison.fetching.part_bytes,
            "template_bytes": comparison.fetching.template_bytes,
            "total": comparison.fetching.total,
            "why": comparison.fetching.why,
        },
        "problems": comparison.problems,
        "page": str(page) if page else None,
    }


def _release_document(inventory: Inventory) -> dict[str, Any]:
    return {
        "name": inventory.label,
        "packages": len(inventory.packages),
        "bytes": inventory.size,
        "changelogs_known": inventory.has_headers,
    }


def _change_document(change: PackageChange) -> dict[str, Any]:
    return {
        "change": change.kind,
        "name": change.name,
        "arch": change.arch,
        "old": _package_document(change.old),
        "new": _package_document(change.new),
        "size_change": change.size_change,
        "changelog": [asdict(entry) for entry in change.entries],
        "bugs": change.bugs,
    }


def _package_document(package: PackageFile | None) -> dict[str, Any] | None:
    if package is None:
        return None
    return {
        "version": str(package.evr),
        "arch": package.arch,
        "path": package.path,
        "bytes": package.size,
        "digest": str(package.digest) if package.digest else None,
    }


def _show_package(change: PackageChange, *, verbose: bool) -> None:
    versions = " → ".join(dict.fromkeys(filter(None, (change.old_version, change.new_version))))
    name = printable(f"{change.name}.{change.arch}")
    size = _difference(change.size_change)
    room = _WIDTH - 3 - max(len(name), _NAME) - 1 - _SIZE
    if len(versions) <= room:
        click.echo(f"  {name:<{_NAME}} {printable(versions):<{room}} {size:>{_SIZE}}".rstrip())
    else:  # both lines fit where one does not
        click.echo(f"  {name:<{_WIDTH - _SIZE - 3}} {size:>{_SIZE}}".rstrip())
        click.echo(f"      {printable(versions)}")
    if verbose:
        for entry in change.entries:
            click.echo(f"      {words.day(entry.time)} {printable(entry.author)}")
            for line in filter(None, entry.text.splitlines()):
                click.echo(_wrapped(printable(line.strip()), " " * 8, " " * 10))
    elif change.bugs:
        click.echo(_wrapped(f"bugs {', '.join(map(str, change.bugs))}", " " * 6, " " * 11))


def _show_files(comparison: Comparison, *, verbose: bool) -> None:
    if not comparison.files:
        return
    click.echo(f"\n{click.style('other files', bold=True)}")
    for kind in Kind:
        paths = [change.path for change in comparison.files if change.kind is kind]
        _show_paths(kind.value, paths, verbose=verbose)


def _show_paths(word: str, paths: Sequence[str], *, verbose: bool) -> None:
    shown = paths if verbose else paths[:_SHOWN]
    for path in shown:
        click.echo(f"  {word:<9} {printable(path)}")
    if len(paths) > len(shown):
        click.echo(f"  {word:<9} … and {len(paths) - len(shown):,} more: -v shows them all")


def _sizes(comparison: Comparison) -> str:
    size, more = comparison.new.size, comparison.size_change
    if size is None:
        return "not known"
    return decimal(size) + (f" ({_difference(more)})" if more else "")


def _difference(count: int | None) -> str:
    if not count:
        return "" if count is None else "0"
    return f"{'-' if count < 0 else '+'}{decimal(abs(count))}"


def _wrapped(text: str, first: str, others: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_on_hyphens=False,
        break_long_words=False,
    )
