"""The signatures of a mirrored tree's packages: held against ``trust.packages``.

rpmkeys reads every package again, about a second for each 200 MB. So it is asked where a pair
comes that was not here before, and where everything is to be read; between that, the digests in
the template hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.errors import SurroundingsError
from release_builder.jigdo.tree_source import TreeSource
from release_builder.process import find
from release_builder.report import Finding, Severity
from release_builder.steps.image_file import measure
from release_builder.steps.lint_signatures import Signatures, verified
from release_builder.trust.rpm_keys import Verdict, verify_packages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from release_builder.jigdo.entries import MatchedFile
    from release_builder.steps import Context
    from release_builder.steps.find_pair import Pair


def check_tree_packages(context: Context, pair: Pair, parts: Iterable[MatchedFile]) -> Signatures:
    """Hold the packages that the image is made of against the keys; without keys, nothing is done.

    What was damaged here is left to those who look at digests, and fetch it again.

    Args:
        context: Of the release.
        pair: Names the packages.
        parts: What the image needs.

    Raises:
        ReleaseBuilderError: As verify_packages; without rpmkeys only where all is to be read.
    """
    plan, trust = context.plan, context.plan.release.trust
    if not trust.packages:
        return Signatures()
    try:
        find("rpmkeys")
    except SurroundingsError as error:
        if plan.options.full:
            raise
        # Enterprise Linux 5 and 6 have none, and the image's own digests still hold.
        what = f"nobody looked at the signatures of packages: {error.what}"
        return Signatures(findings=[Finding(Severity.WARNING, what, error.hint, news=True)])
    tree = plan.workdir.tree
    roots = (tree / plan.release.tree, tree)
    source = TreeSource(pair.jigdo.parts, roots, (), (), None, context.cache)
    found: dict[Path, MatchedFile] = {}
    absent = 0
    for part in parts:
        if any(name.endswith(".rpm") for name in pair.jigdo.parts.get(part.digest, ())):
            paths = source.named(part.digest)
            found |= dict.fromkeys(paths, part)
            absent += not paths
    context.monitor.begin("verify the signatures", sum(part.length for part in found.values()))
    try:
        checked = verify_packages(
            list(found),
            trust.packages,
            on_file=lambda path: context.monitor.advance(found[path].length),
            pinned=trust.fingerprints,
        )
    finally:
        context.monitor.end()
    meant = [
        each
        for each in checked
        if each.verdict is not Verdict.BAD or _is_whole(context, each.path, found[each.path])
    ]
    result = verified(meant, {path: str(path.relative_to(tree)) for path in found})
    if absent:
        what = f"{absent:,} packages are not in the tree: nobody looked at their signatures"
        hint = "name a mirror that is fetched whole, by rsync; or trust its signed sums"
        result.findings.append(Finding(Severity.WARNING, what, hint))
    return result


def _is_whole(context: Context, path: Path, part: MatchedFile) -> bool:
    try:
        found = measure(path, (part.digest.algorithm,), context.cache)
    except OSError:
        return False
    return found.digests[part.digest.algorithm] == part.digest
