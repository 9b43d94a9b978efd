"""Make the image, its pair and the tree public."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from release_builder.errors import ReleaseBuilderError, WrongBytesError, printable
from release_builder.jigdo.servers import rewrite_servers
from release_builder.steps.compose_tree import installer_tree
from release_builder.steps.content import read_content
from release_builder.steps.go_public import make_public, page_of, public_of, signer_of

if TYPE_CHECKING:
    from pathlib import Path

    from release_builder.plan import Plan
    from release_builder.report import StepResult
    from release_builder.steps import Context
    from release_builder.steps.content import Content


def run(context: Context) -> StepResult:
    """Verify what is in the workdirs, and make it public in one go, all arches together.

    Raises:
        ReleaseBuilderError: Nothing is public that was not before.
    """
    public = public_of(context.plan)
    signer = signer_of(context.plan, public.publication)
    contents = [(plan, _content(replace(context, plan=plan))) for plan in context.plan.each]
    page = page_of(context.plan, public.publication, signer)
    result = make_public(context, "publish", public, contents, page)
    levels = dict.fromkeys(str(content.assurance.level) for _, content in contents)
    return replace(result, facts={**result.facts, "assurance": ", ".join(levels)})


def _content(context: Context) -> Content:
    plan = context.plan
    jigdo = plan.workdir.pair / f"{plan.release.image.removesuffix('.iso')}.jigdo"
    image = plan.workdir.image / plan.release.image
    content = read_content(context, image, jigdo, _tree(plan))
    wanted = rewrite_servers(content.jigdo, plan.release.server_urls(plan.stage), jigdo.name)
    for change in wanted.changes:
        raise WrongBytesError(
            f"{printable(str(jigdo))}: {change.label} is {change.old or 'nowhere'},"
            f" and the {plan.stage.value} will be at {change.new}",
            hint="make the pair anew: release-builder pair, or rewrite; or correct `servers:`",
        )
    return content


def _tree(plan: Plan) -> Path | None:
    """The tree, if it is here: who only has the pair publishes that beside the tree's old place."""
    try:
        return installer_tree(plan)
    except ReleaseBuilderError:
        return None
