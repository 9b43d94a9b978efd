"""The signatures of the packages that an image is made of: held against ``trust.packages``.

rpmkeys reads every package again, about a second for each 200 MB. So it is asked where a pair
comes that was not here before, where an image is made, and where everything is to be read; between
that, the digests in the template hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from release_builder.errors import SurroundingsError
from release_builder.files import open_regular
from release_builder.jigdo.tree_source import TreeSource
from release_builder.process import find
from release_builder.report import Finding, Severity
from release_builder.steps.image_file import measure
from release_builder.steps.lint_signatures import Signatures, verified
from release_builder.trust.rpm_keys import verify_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from release_builder.jigdo.entries import MatchedFile
    from release_builder.steps import Context
    from release_builder.steps.find_pair import Pair

FOREIGN: Final = "name a mirror whose packages are signed; or tell who runs this one"
LEAD: Final = b"\xed\xab\xee\xdb"  # every package begins so, whatever it is called


@dataclass(frozen=True, slots=True)
class TreePackages:
    """What came of the packages of a tree.

    Attributes:
        signatures: Who signed them, and what is wrong.
        absent: Parts that the tree does not have, or not whole: nobody looked at these.
    """

    signatures: Signatures = field(default_factory=Signatures)
    absent: tuple[MatchedFile, ...] = ()


def check_tree_packages(context: Context, pair: Pair, parts: Iterable[MatchedFile]) -> TreePackages:
    """Hold the packages that the image is made of against the keys; without keys, nothing is done.

    A file that does not have its part's digest says nothing of what the image will have.

    Args:
        context: Of the release.
        pair: Names the packages.
        parts: What the image needs.

    Raises:
        ReleaseBuilderError: As verify_packages; without rpmkeys only where all is to be read.
    """
    plan, trust = context.plan, context.plan.release.trust
    if not trust.packages:
        return TreePackages()
    try:
        find("rpmkeys")
    except SurroundingsError as error:
        if plan.options.full:
            raise
        # Enterprise Linux 5 and 6 have none, and the image's own digests still hold.
        what = f"nobody looked at the signatures of packages: {error.what}"
        findings = [Finding(Severity.WARNING, what, error.hint, news=True)]
        return TreePackages(Signatures(findings=findings))
    tree = plan.workdir.tree
    roots = (tree / plan.release.tree, tree)
    source = TreeSource(pair.jigdo.parts, roots, (), (), None, context.cache)
    found: dict[Path, MatchedFile] = {}
    absent = []
    for part in parts:
        paths = source.named(part.digest)
        whole = next((path for path in paths if _is_whole(context, path, part)), None)
        if whole is None:
            absent.append(part)
        elif is_package(_head(whole), pair.jigdo.parts.get(part.digest, ())):
            found[whole] = part
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
    names = {path: str(path.relative_to(tree)) for path in found}
    return TreePackages(verified(checked, names, FOREIGN), tuple(absent))


def is_package(head: bytes, names: Sequence[str]) -> bool:
    """Whether a part is a package, by its first bytes or by what [Parts] calls it."""
    return head.startswith(LEAD) or any(name.endswith(".rpm") for name in names)


def _head(path: Path) -> bytes:
    with open_regular(path) as stream:
        return stream.read(len(LEAD))


def _is_whole(context: Context, path: Path, part: MatchedFile) -> bool:
    algorithm = part.digest.algorithm
    try:
        if path.stat().st_size != part.length:  # it may have no end
            return False
        return measure(path, [algorithm], context.cache).digests[algorithm] == part.digest
    except OSError:
        return False
