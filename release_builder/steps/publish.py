"""Make the image, its pair and the tree public."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError
from release_builder.steps.compose_tree import installer_tree
from release_builder.steps.content import read_content
from release_builder.steps.go_public import make_public, page_of, public_of, signer_of
from release_builder.trust.expected import Expectation

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.plan import Plan
    from release_builder.report import StepResult
    from release_builder.steps import Context


def run(context: Context) -> StepResult:
    """Verify what is in the workdir, and make it public in one go.

    Raises:
        ReleaseBuilderError: Nothing is public that was not before.
    """
    plan = context.plan
    public = public_of(plan)
    signer = signer_of(plan, public.publication)
    stem = plan.release.image.removesuffix(".iso")
    known = tuple(Expectation("the descriptor", each, None) for each in plan.release.digests)
    content = read_content(
        context,
        plan.workdir.image / plan.release.image,
        plan.workdir.pair / f"{stem}.jigdo",
        _tree(plan),
        known,
    )
    page = page_of(plan, public.publication, signer)
    return make_public(context, "publish", public, content, page)


def _tree(plan: Plan) -> Path | None:
    """The tree, if it is here: who only has the pair publishes that beside the tree's old place."""
    try:
        return installer_tree(plan)
    except DescriptorError:
        return None
