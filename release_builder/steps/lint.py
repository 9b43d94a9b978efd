"""Look over the installer tree before an image is made of it; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps.compose_tree import installer_tree, read_tree
from release_builder.steps.lint_boot import check_boot, check_treeinfo
from release_builder.steps.lint_packages import check_packages
from release_builder.steps.lint_repodata import read_metadata
from release_builder.steps.lint_signatures import check_signatures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_builder.descriptor.publishing import Compose
    from release_builder.steps import Context
    from release_builder.steps.compose_tree import TreeFiles


def run(context: Context) -> StepResult:
    """Say all that is wrong with the tree, not only the first.

    Packages are read whole each time, since what they say of themselves is held against all of
    their bytes; the digests of other files are remembered.

    Raises:
        ReleaseBuilderError: There is no tree.
        OSError: A folder of it cannot be read.
    """
    release, cache = context.plan.release, context.cache
    tree = read_tree(installer_tree(context.plan), release.compose.exclude)
    metadata = read_metadata(tree, cache)
    packages = check_packages(
        tree, metadata.packages, release.arch, cache, context.monitor, el=release.el
    )
    signatures = check_signatures(tree, packages.read, release.trust, context.monitor)
    findings = (
        *tree.findings,
        *check_boot(tree, release.compose),
        *check_treeinfo(tree, release.arch, cache),
        *metadata.findings,
        *packages.findings,
        *signatures.findings,
        *_check_size(tree, release.compose),
    )
    wrong = sum(1 for finding in findings if finding.severity.status)
    number = len(packages.read)
    return StepResult(
        "lint",
        Outcome.FAILED if wrong else Outcome.DONE,
        f"{number:,} packages and {len(tree.files) - number:,} other files: "
        + (f"{wrong:,} things are wrong" if wrong else "fit to be composed"),
        counts={
            "files": len(tree.files),
            "bytes": sum(status.st_size for status in tree.files.values()),
            "packages": number,
            "packages_verified": signatures.verified,
        },
        findings=findings,
        facts={"tree": str(tree.root), **signatures.facts},
    )


def _check_size(tree: TreeFiles, compose: Compose) -> Iterator[Finding]:
    about, most = tree.image_size(), compose.medium.size
    if most is not None and about > most:
        yield Finding(
            Severity.WARNING,
            f"the image will have about {about:,} bytes, more than a {compose.medium} holds:"
            f" {most:,}",
            hint="keep something out with `exclude:`, or name a larger `medium:` below `compose:`",
        )
