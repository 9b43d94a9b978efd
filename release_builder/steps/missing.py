"""What to say of the parts that an image still wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.errors import printable
from release_builder.jigdo.location import parse_jigdo
from release_builder.jigdo.servers import rewrite_servers
from release_builder.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.entries import MatchedFile
    from release_builder.jigdo.image_result import Image, WrongPart
    from release_builder.jigdo.location import JigdoFile
    from release_builder.jigdo.tree_source import TreeSource
    from release_builder.steps import Context
    from release_builder.steps.pair import Pair


def report_missing(
    context: Context, pair: Pair, tree: TreeSource, image: Image
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Why ``image`` could not be finished.

    Returns:
        A finding for each part that is missing or wrong, and the files of the tree, below its
        root, that are not what [Parts] says.
    """
    root = context.plan.workdir.tree
    named = {part.digest: tree.named(part.digest) for part in image.missing}
    suspects = {path for paths in named.values() for path in paths if path.is_relative_to(root)}
    published = _published(context, pair)
    wrong = {(each.part.digest, each.where): each for each in image.wrong}
    findings = tuple(
        _wrong(part, named[part.digest][0], wrong)
        if named[part.digest]
        else _absent(part, published)
        for part in image.missing
    )
    return findings, tuple(sorted(str(path.relative_to(root)) for path in suspects))


def _published(context: Context, pair: Pair) -> JigdoFile:
    """The .jigdo with the [Servers] of where the parts really are published."""
    urls = context.plan.release.server_urls(context.plan.stage)
    rewritten = rewrite_servers(pair.content, urls, pair.jigdo.name)
    return parse_jigdo(rewritten.content, pair.jigdo.name)


def _wrong(part: MatchedFile, path: Path, wrong: Mapping[tuple[Digest, str], WrongPart]) -> Finding:
    where = printable(str(path))
    seen = wrong.get((part.digest, where))
    if seen and not seen.found:
        return Finding(
            Severity.WRONG,
            f"{seen}; expected {part.digest} ({part.length:,} bytes)",
            hint="see to its permissions and its disk, or sync it again",
            path=where,
        )
    instead = seen.found if seen else f"{path.stat().st_size:,} bytes"
    return Finding(
        Severity.WRONG,
        f"{where} is not what [Parts] says: found {instead},"
        f" expected {part.digest} ({part.length:,} bytes)",
        hint="sync it again; if it stays so, the mirror's pair and packages do not fit",
        path=where,
    )


def _absent(part: MatchedFile, published: JigdoFile) -> Finding:
    locations = published.parts.get(part.digest, ())
    urls = [url for location in locations for url in published.urls(location)]
    path = locations[0].partition(":")[2] if locations else "a part without a name"
    return Finding(
        Severity.INCOMPLETE,
        f"missing: {printable(path)} ({part.length:,} bytes, {part.digest})"
        + (f"\npublished at {printable(urls[0])}" if urls else ""),
        hint="name a folder that has what is missing with --scan, or run again later",
        path=printable(path),
    )
