"""What to say of the parts that an image still wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.errors import printable
from release_builder.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.jigdo.image_result import Image, WrongPart
    from release_builder.jigdo.tree_source import TreeSource
    from release_builder.steps import Context
    from release_builder.steps.part_servers import MissingPart, PartServers


def report_missing(
    context: Context, servers: PartServers, tree: TreeSource, image: Image
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Why ``image`` could not be finished.

    Returns:
        A finding for each part that is missing or wrong, and the files of the tree, below its
        root, that are not what [Parts] says.
    """
    root = context.plan.workdir.tree
    named = {part.digest: tree.named(part.digest) for part in image.missing}
    suspects = {path for paths in named.values() for path in paths if path.is_relative_to(root)}
    wrong = {(each.part.digest, each.where): each for each in image.wrong}
    findings = tuple(
        _wrong(servers.missing(part), named[part.digest][0], wrong, root)
        if named[part.digest]
        else _absent(servers.missing(part))
        for part in image.missing
    )
    return findings, tuple(sorted(str(path.relative_to(root)) for path in suspects))


def _wrong(
    missing: MissingPart, path: Path, wrong: Mapping[tuple[Digest, str], WrongPart], root: Path
) -> Finding:
    part, where = missing.part, printable(str(path))
    expected = f"expected {part.digest} ({part.length:,} bytes)"
    seen = wrong.get((part.digest, where))
    if seen and not seen.found:
        what = f"{seen}; {expected}"
        hint = "see to its permissions and its disk, or sync it again"
    else:
        instead = seen.found if seen else f"{path.stat().st_size:,} bytes"
        what = f"{where} is not what [Parts] says: found {instead}, {expected}"
        hint = "sync it again; if it stays so, the mirror's pair and packages do not fit"
    if not path.is_relative_to(root):
        hint = "see to that file, or leave its folder out of --scan"
    tried = [str(each) for each in missing.tries]
    return Finding(Severity.WRONG, "\n".join([what, *tried]), hint=hint, path=where)


def _absent(missing: MissingPart) -> Finding:
    part, name = missing.part, printable(missing.name)
    tried = [str(each) for each in missing.tries]
    published = [f"published at {url}" for url in missing.urls[:1] if not tried]
    lines = [f"missing: {name} ({part.length:,} bytes, {part.digest})", *tried, *published]
    return Finding(
        Severity.WRONG if missing.is_wrong else Severity.INCOMPLETE,
        "\n".join([*lines, *missing.unasked]),
        hint="name a folder that has what is missing with --scan, or run again later",
        path=name,
    )
